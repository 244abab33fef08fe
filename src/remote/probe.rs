//! Waits that can never end, found out.
//!
//! A thread waits for one answer at a time, and carries out meanwhile what its own chain of calls needs. If
//! it waits for a second process, that for a third, and the third for the first in a chain of its own, nobody
//! goes on. So whoever has waited for long sends a probe along, with the number of its chain; a thread
//! that waits passes it on to the one it waits for; and if it comes back to the one that has sent it,
//! the wait is in a circle (K. M. Chandy, J. Misra, L. M. Haas, Distributed deadlock detection, ACM
//! TOCS 1, 1983). Its request fails then, by `RS_ERR_DEADLOCK`, and the circle is open.
//!
//! A probe is passed on by threads that wait only, so it can't come back in a circle that somebody leaves.
//! Circles need three processes: between two, whoever waits carries out everything.

use super::outbox::Tell;
use super::session::{PROBE, Session};
use super::wire::{Reader, Writer};
use crate::status::rs_status;
use core::time::Duration;

/// For how long a thread waits before it sends a probe, and between two of them.
pub(super) const PATIENCE: Duration = Duration::from_millis(200);

/// Most processes that a probe passes: in a circle that its sender is not in, it would go on for ever.
const MOST_HOPS: u64 = 64;

/// A probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The chain of calls that waits.
    pub chain: u64,
    /// Processes that it has passed.
    pub hops: u64,
}

impl Probe {
    /// A new one.
    pub(super) fn of(chain: u64) -> Probe {
        Probe { chain, hops: 0 }
    }

    /// What a message says.
    pub(super) fn read(from: &mut Reader<'_>) -> Result<Probe, rs_status> {
        let probe = Probe {
            chain: from.word()?,
            hops: from.word()?,
        };
        from.end()?;
        Ok(probe)
    }

    fn passed_on(self) -> Option<Probe> {
        let hops = self.hops.saturating_add(1);
        (hops < MOST_HOPS).then_some(Probe { hops, ..self })
    }
}

impl Session<'_> {
    /// Sends a probe to whom this thread waits for.
    pub(super) fn send_probe(&self, probe: Probe) -> Result<(), rs_status> {
        let mut message = Writer::new(self.link.allocator);
        message.words(&[probe.chain, probe.hops])?;
        self.send(PROBE, &mut message, Tell::Now)
    }

    /// What has come while this thread waits in a chain: whether that is waiting for itself. Others' probes are
    /// passed on.
    pub(super) fn is_probed(&self, chain: u64, probe: Option<Probe>) -> Result<bool, rs_status> {
        match probe {
            Some(probe) if probe.chain == chain => Ok(true),
            Some(probe) => match probe.passed_on() {
                Some(probe) => self.send_probe(probe).map(|()| false),
                None => Ok(false),
            },
            None => Ok(false),
        }
    }
}
