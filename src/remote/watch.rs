//! Watches: the owner tells of changes, so that a peer may keep what it has read.
//!
//! A watch is a bit of a pin. Whenever a watched object is written, each peer that watches it is told, with
//! the next message at the latest. What peers write over links the library sees by itself; of
//! what the owner's own program writes, its host tells by `rs_link_changed`, which costs one load while
//! nobody watches anything.
//!
//! A peer that is told knows that what it has kept may be old. It is told once: then the watch is over, until it
//! asks again, as it will when it reads again. So a peer that is slow is not flooded, and an object
//! that is written all the time costs a message for each read.

use super::ask::Asked;
use super::outbox::Tell;
use super::session::{CHANGED, Session};
use super::wire::{Reader, Writer};
use crate::host::contract::rs_value;
use crate::host::exchange::*;
use crate::status::*;
use crate::sync::lock;

/// The code of a request for a watch of the target.
pub(super) const WATCH: u32 = 105;

/// Whether an operation changes what it is done to, if it succeeds.
pub(super) fn is_write(code: u32) -> bool {
    matches!(
        code,
        RS_WRITE_VARIABLE | RS_WRITE_ELEMENT | RS_WRITE_KEY | RS_EXCHANGE_ELEMENT | RS_ADD_ELEMENT
    )
}

impl Session<'_> {
    /// Asks the owner to tell of the next change.
    pub fn watch(&self, remote: rs_remote) -> Result<(), rs_status> {
        self.ask_for_answer(remote, &Asked::new(WATCH)).map(drop)
    }

    /// An object was written: its peer is told if it watches it.
    pub fn tell_of_change(&self, object: rs_value) -> Result<(), rs_status> {
        let Some(pin) = lock(&self.link.pins).end_watch(object) else {
            return Ok(());
        };
        self.around.count_watches(-1);
        let mut message = Writer::new(self.link.allocator);
        message.word(pin)?;
        self.send(CHANGED, &mut message, Tell::Now)
    }

    /// What a reference leads to has changed.
    pub(super) fn hear_of_change(&self, from: &mut Reader<'_>) -> Result<(), rs_status> {
        let pin = from.word()?;
        from.end()?;
        let remotes = lock(self.remotes);
        let Some(id) = remotes.find(self.link.id(), pin) else {
            // Given back meanwhile.
            return Ok(());
        };
        let value = remotes.get(id)?.value;
        drop(remotes);
        if value != 0 {
            self.callbacks().on_change(self.link.id(), value);
        }
        Ok(())
    }
}
