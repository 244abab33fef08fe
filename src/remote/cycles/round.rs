//! The messages of a round, on both sides, and its end.
//!
//! | kind | words |
//! |---|---|
//! | marker | the number of the round |
//! | summary | the number of the round, whether the sender takes part (0 or 1), and then its summary |

use super::joint::{Peer, unreached};
use super::observer::{Notes, numbers};
use super::summary::{LONGEST, Summary};
use crate::host::exchange::rs_link;
use crate::host::memory::{HostAllocator, Vec, push, words_of};
use crate::remote::link::Link;
use crate::remote::outbox::Tell;
use crate::remote::session::{Awaited, MARKER, SUMMARY, Session};
use crate::remote::state::Message;
use crate::remote::wire::{Reader, Writer};
use crate::shm::channel::Channel;
use crate::shm::deadline::Deadline;
use crate::status::*;
use crate::sync::lock;

/// A round, as its hub knows it.
pub struct Round {
    /// The links that take part.
    pub links: Vec<rs_link>,
    /// The hub's own part.
    pub summary: Summary,
    /// When it ends, whoever has not answered.
    pub deadline: Deadline,
}

impl Session<'_> {
    /// Whether the peer has said that it answers markers.
    pub fn has_cycles(&self) -> bool {
        let greeted = self.link.with_channel(Channel::try_greet);
        let features = greeted.ok().flatten().map_or(0, |agreed| agreed.features);
        self.link.settings.is_maker && features & super::FEATURE != 0
    }

    /// The hub's side of a link before its snapshot: what arrives from now on is noted.
    pub fn begin_round(&self, round: u64) {
        lock(&self.link.pins).begin_cut();
        self.link.observer.begin(round);
    }

    /// The hub's side of a link after its snapshot: asks the peer for its own. A peer that can't be asked is one
    /// that does not answer.
    pub fn ask_for_summary(&self, round: u64) {
        let mut message = Writer::new(self.link.allocator);
        let sent = message
            .word(round)
            .and_then(|()| self.send(MARKER, &mut message, Tell::Now));
        if sent.is_err() {
            self.link.observer.finish();
        }
    }

    /// Waits for the peer's summary, and does meanwhile what it asks for. `RS_CANCELLED`, or `RS_ERR_TIMEOUT`;
    /// any other failure is the link's, whose peer has not answered.
    pub fn wait_for_summary(&self, deadline: Deadline) -> Result<(), rs_status> {
        let mut done = None;
        while self.link.ended().is_none() && self.link.observer.is_noting() {
            if let Some(message) = self.receive(done.take(), Awaited::anything(deadline))? {
                done = self.handle(message)?;
            }
        }
        Ok(())
    }

    /// Reads a message: until that is done, what it refers to is seen by no snapshot, so none is taken.
    pub(in crate::remote) fn while_reading<R>(&self, read: impl FnOnce() -> R) -> R {
        self.link.observer.while_reading(read)
    }

    /// What has arrived may be younger than the cut.
    #[inline]
    pub(in crate::remote) fn observe(&self, message: Option<&Message>) {
        if self.link.observer.is_noting()
            && let Some(message) = message
            && let Some(words) = words_of(&message.bytes)
        {
            let is_pin = |number| lock(&self.link.pins).get(number).is_ok();
            self.link.observer.note(message.kind, words, is_pin);
        }
    }

    /// A hub asks for this process's part. Who has made the link is the hub of all that it has made links to, and
    /// not to be stopped by them: it answers, but takes no part.
    pub(in crate::remote) fn take_part(&self, mut from: Reader<'_>) -> Result<(), rs_status> {
        let round = from.word()?;
        from.end()?;
        let mut message = Writer::new(self.link.allocator);
        let written = self
            .own_part()
            .and_then(|summary| write_part(&mut message, round, &summary));
        if written.is_err() {
            message = Writer::new(self.link.allocator);
            message.words(&[round, 0])?;
        }
        self.send(SUMMARY, &mut message, Tell::Now)
    }

    fn own_part(&self) -> Result<Summary, rs_status> {
        if self.link.settings.is_maker || !self.callbacks().can_summarise() {
            return Err(RS_ERR_UNSUPPORTED);
        }
        let mut links = Vec::new_in(self.link.allocator);
        push(&mut links, self.link.id())?;
        self.snapshots.take(self.callbacks(), links)
    }

    /// A peer has answered.
    pub(in crate::remote) fn take_summary(&self, words: &[u64]) -> Result<(), rs_status> {
        if words.len() > LONGEST + 2 {
            return Err(RS_ERR_PEER);
        }
        let mut from = Reader::new(words);
        let (round, takes_part) = (from.word()?, from.word()?);
        let summary = match takes_part {
            0 => from.end().map(|()| None)?,
            1 => match Summary::read(&mut from, self.link.id(), self.link.allocator) {
                // The peer has answered, and will not do so again: the round must not wait for it.
                Err(RS_ERR_MEMORY) => None,
                read => Some(read?),
            },
            _ => return Err(RS_ERR_PEER),
        };
        self.link.observer.answer(round, summary)
    }
}

fn write_part(message: &mut Writer, round: u64, summary: &Summary) -> Result<(), rs_status> {
    message.words(&[round, 1])?;
    summary.write(message)
}

/// A link of a round, and what was noted of it.
pub type Noted<'a> = (&'a Link, Notes);

impl Round {
    /// Lets go of what no process needs; returns how many pins that were. The links are those of the round
    /// that are still there.
    pub fn decide(&self, links: &[Noted<'_>], allocator: HostAllocator) -> Result<u64, rs_status> {
        let mut mentioned = Vec::new_in(allocator);
        for (_, notes) in links {
            let pins = numbers(&notes.pins, allocator)?;
            push(&mut mentioned, (pins, numbers(&notes.remotes, allocator)?))?;
        }
        let mut peers = Vec::new_in(allocator);
        for ((link, notes), (pins, remotes)) in links.iter().zip(mentioned.iter()) {
            let peer = Peer {
                link: link.id(),
                summary: notes.summary.as_ref(),
                pins,
                remotes,
            };
            push(&mut peers, peer)?;
        }
        let mut let_go = 0;
        for pin in unreached(&self.summary, &peers, allocator)? {
            let Some((link, _)) = links.iter().find(|(link, _)| link.id() == pin.link) else {
                continue;
            };
            if lock(&link.pins).let_go(pin.number) {
                lock(&link.state).counters.collected += 1;
                let_go += 1;
            }
        }
        Ok(let_go)
    }
}
