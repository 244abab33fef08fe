//! What a hub notes of one link, from just before its own snapshot until the peer's summary has come.
//!
//! What a message mentions in that time was on its way at the cut, or is younger: neither snapshot need have seen
//! it. So each pin of the hub, and each of the peer, that it names is needed in this round. Noting looks at the
//! words of a message when it has arrived, not when it is carried out: an answer may be kept for long.

use super::summary::Summary;
use crate::host::memory::{HostAllocator, Map, Vec, insert, push};
use crate::remote::batch::{BATCH, Heads};
use crate::remote::session::{ANSWER, CHANGED, CODE, EVACUATION, REQUEST, TARGET};
use crate::remote::values::{Mention, mentions};
use crate::remote::wire::Reader;
use crate::status::{RS_ERR_LIMIT, RS_ERR_PEER, RS_OK, rs_status};
use crate::sync::{AtomicBool, AtomicU32, Mutex, Ordering, lock};

/// What is noted.
pub struct Notes {
    /// Pins of the hub.
    pub pins: Map<u64, ()>,
    /// Pins of the peer.
    pub remotes: Map<u64, ()>,
    /// The peer's answer; none if it takes no part.
    pub summary: Option<Summary>,
    /// Something could not be noted: everything on this link is needed.
    is_lost: bool,
}

/// What is known of the round that the link was last asked for.
struct Asked {
    round: u64,
    /// The peer's answer to it has not come yet.
    is_open: bool,
    notes: Notes,
}

/// One link's share in rounds. Used by the link's own thread.
pub struct Observer {
    is_noting: AtomicBool,
    /// Messages that are being read: what they refer to is neither in a table nor a root yet.
    reading: AtomicU32,
    asked: Mutex<Asked>,
    most: usize,
    allocator: HostAllocator,
}

impl Notes {
    fn new(allocator: HostAllocator) -> Self {
        Notes {
            pins: Map::with_hasher_in(Default::default(), allocator),
            remotes: Map::with_hasher_in(Default::default(), allocator),
            summary: None,
            is_lost: false,
        }
    }

    fn note(&mut self, mention: Mention, most: usize) -> Result<(), rs_status> {
        let (map, number) = match mention {
            Mention::Home(pin) => (&mut self.pins, pin),
            Mention::Remote(pin) => (&mut self.remotes, pin),
        };
        match map.len() < most {
            true => insert(map, number, ()).map(drop),
            false => Err(RS_ERR_LIMIT),
        }
    }
}

/// Tells of all references that a message mentions, its target included.
pub(in crate::remote) fn mentions_of(
    kind: u32,
    words: &[u64],
    tell: &mut dyn FnMut(Mention),
) -> Result<(), rs_status> {
    let mut from = Reader::new(words);
    match kind {
        REQUEST => {
            let head = from.words(TARGET + 3)?;
            tell(Mention::Home(head[TARGET]));
            let name = from.bytes()?;
            from.count()?;
            if head[CODE] as u32 == BATCH {
                let mut heads = Heads::new(name)?;
                while let Some(head) = heads.next()? {
                    tell(Mention::Home(head.pin));
                }
            }
        }
        ANSWER => {
            if from.words(2)?[1] != RS_OK as u64 {
                return Ok(());
            }
        }
        EVACUATION => drop(from.word()?),
        CHANGED => {
            tell(Mention::Remote(from.word()?));
            return Ok(());
        }
        _ => return Ok(()),
    }
    while from.end().is_err() {
        mentions(&mut from, tell)?;
    }
    Ok(())
}

impl Observer {
    /// Of a link over which no more than so many objects are pinned on either side.
    pub fn new(most: usize, allocator: HostAllocator) -> Self {
        Observer {
            is_noting: AtomicBool::new(false),
            reading: AtomicU32::new(0),
            asked: Mutex::new(Asked {
                round: 0,
                is_open: false,
                notes: Notes::new(allocator),
            }),
            most,
            allocator,
        }
    }

    /// A round begins: from now on messages are noted.
    pub fn begin(&self, round: u64) {
        let mut asked = lock(&self.asked);
        asked.round = round;
        asked.is_open = true;
        asked.notes = Notes::new(self.allocator);
        self.is_noting.store(true, Ordering::Relaxed);
    }

    /// Whether the peer may still answer.
    pub fn is_noting(&self) -> bool {
        self.is_noting.load(Ordering::Relaxed)
    }

    /// A message has arrived. Numbers that are no pins, which nobody can use, are not noted.
    pub fn note(&self, kind: u32, words: &[u64], is_pin: impl Fn(u64) -> bool) {
        let notes = &mut lock(&self.asked).notes;
        let mut outcome = Ok(());
        let read = mentions_of(kind, words, &mut |mention| match mention {
            Mention::Home(number) if !is_pin(number) => {}
            mention => outcome = outcome.and_then(|()| notes.note(mention, self.most)),
        });
        // What can't be read ends the link, if it is not to be dropped unread.
        notes.is_lost |= read.and(outcome).is_err();
    }

    /// The peer's answer to a round has come; no summary if it takes no part.
    pub fn answer(&self, round: u64, summary: Option<Summary>) -> Result<(), rs_status> {
        let mut asked = lock(&self.asked);
        if round > asked.round || round == asked.round && !asked.is_open {
            return Err(RS_ERR_PEER);
        }
        if round == asked.round {
            asked.is_open = false;
            if self.is_noting.swap(false, Ordering::Relaxed) {
                asked.notes.summary = summary;
            }
        }
        Ok(())
    }

    /// The round ends; what was noted. An answer that comes later is passed over.
    pub fn finish(&self) -> Notes {
        self.is_noting.store(false, Ordering::Relaxed);
        let mut asked = lock(&self.asked);
        let mut notes = core::mem::replace(&mut asked.notes, Notes::new(self.allocator));
        if notes.is_lost {
            notes.summary = None;
        }
        notes
    }

    /// Reads a message.
    pub fn while_reading<R>(&self, read: impl FnOnce() -> R) -> R {
        self.reading.fetch_add(1, Ordering::Relaxed);
        let result = read();
        self.reading.fetch_sub(1, Ordering::Relaxed);
        result
    }

    /// Whether a message is being read, in a frame below.
    pub fn is_reading(&self) -> bool {
        self.reading.load(Ordering::Relaxed) != 0
    }
}

/// The numbers among notes.
pub fn numbers(notes: &Map<u64, ()>, allocator: HostAllocator) -> Result<Vec<u64>, rs_status> {
    let mut numbers = Vec::new_in(allocator);
    for &number in notes.keys() {
        push(&mut numbers, number)?;
    }
    Ok(numbers)
}
