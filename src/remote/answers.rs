//! Answers that come while nobody waits for them: kept, or passed over.
//!
//! A kept answer is bytes, and whoever has asked will read it later. For the peer it has arrived: so the peer may
//! give back, behind the answer, a reference that comes home in it. The pin is held meanwhile.

use super::cycles::observer::mentions_of;
use super::pins::Pins;
use super::session::{ANSWER, Session};
use super::state::Message;
use super::values::Mention;
use super::wire::Reader;
use crate::host::memory::words_of;
use crate::status::*;
use crate::sync::lock;

impl Session<'_> {
    /// An answer that the innermost request does not wait for: another one's is kept; one that comes
    /// too late is passed over.
    pub(super) fn handle_answer(&self, message: Message) -> Result<Option<Message>, rs_status> {
        let serial = message.serial().ok_or_else(|| self.end(RS_ERR_PEER))?;
        if self.keeps(serial) {
            self.for_each_home(&message, Pins::hold);
            if let Some(waiting) = self.state().waiting.get_mut(&serial) {
                waiting.answer = Some(Message {
                    is_kept: true,
                    ..message
                });
            }
            return Ok(None);
        }
        self.discard_answer(&message)
            .map_err(|status| self.reading_failed(status))?;
        Ok(Some(message))
    }

    /// Nobody wants an answer: the references in it are given back.
    pub(super) fn discard_answer(&self, message: &Message) -> Result<(), rs_status> {
        let words = words_of(&message.bytes).ok_or(RS_ERR_PEER)?;
        let mut from = Reader::new(words);
        from.word()?;
        if from.word()? != RS_OK as u64 {
            return Ok(());
        }
        while from.end().is_err() {
            self.discard(&mut from)?;
        }
        self.stop_keeping(message);
        Ok(())
    }

    /// Whether the answer to a request was kept.
    pub(super) fn has_answer(&self, request: u64) -> bool {
        let state = self.state();
        let waiting = state.waiting.get(&request);
        waiting.is_some_and(|waiting| waiting.answer.is_some())
    }

    /// Whether a request waits whose answer has not come.
    fn keeps(&self, serial: u64) -> bool {
        let state = self.state();
        let waiting = state.waiting.get(&serial);
        waiting.is_some_and(|waiting| waiting.answer.is_none())
    }

    /// An answer that was kept has been read, or nobody wants it.
    pub(super) fn stop_keeping(&self, answer: &Message) {
        if answer.is_kept {
            self.for_each_home(answer, |pins, number| {
                // It was held, if it was there.
                let _ = pins.release(number, 1);
            });
        }
    }

    /// Acts on each pin that comes home with an answer. The peer may give it back behind the answer, since for
    /// the peer it has arrived.
    fn for_each_home(&self, answer: &Message, act: impl Fn(&mut Pins, u64)) {
        let pins = &mut lock(&self.link.pins);
        let words = words_of(&answer.bytes).unwrap_or(&[]);
        // What makes no sense ends the link when it is read.
        let _ = mentions_of(ANSWER, words, &mut |mention| {
            if let Mention::Home(number) = mention {
                act(pins, number);
            }
        });
    }
}
