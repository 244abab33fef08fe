//! Values in messages.
//!
//! | low three bits of its first word | then | is |
//! |---|---|---|
//! | 1, 2 | – | an integer, nil, false, true, as in an image |
//! | 4 | the words of a node, whose number the rest of the word says | a number, a symbol, a string: a copy |
//! | 5 | the receiver's pin | an object of the receiver, which comes home |
//! | 6 | the sender's pin, the head of a node, bytes of a name | an object of the sender |
//! | 7 | the words of an image, how many values it refers to, and those | a graph: a copy |
//!
//! Each 6 is a reference that its receiver must give back some time: also if it has no use for
//! the message, or fails while it reads it.

use super::session::Session;
use super::wire::{Reader, Writer};
use crate::graph::decode::{decode, decode_row};
use crate::graph::encode::{Encoded, Limits, Root, encode};
use crate::graph::image::{Body, Head, Image, Meaning, Word};
use crate::graph::validate::validate;
use crate::host::callbacks::NO_SITE;
use crate::host::contract::rs_value;
use crate::host::heap::address;
use crate::host::item::*;
use crate::host::items::Immediate;
use crate::host::memory::{Vec, bytes_of, words_of};
use crate::host::roots::RootArray;
use crate::status::*;
use crate::sync::lock;
use core::cell::Cell;

const LEAF: u64 = 4;
const YOURS: u64 = 5;
const MINE: u64 = 6;
pub(super) const IMAGE: u64 = 7;
/// See [`super::share`]: words that came with the message, how many values they refer to, and those.
pub(super) const SEALED: u64 = 3;
const TAG: u64 = 7;
const TAG_BITS: u32 = 3;

/// References that a message under way holds, to be taken back if it is not sent.
pub(super) struct Sent {
    pins: Vec<u64>,
    /// The operation whose answer it is, or 0.
    pub code: u32,
}

impl Session<'_> {
    /// Nothing yet, by the answer to an operation, or by another message: 0.
    pub(super) fn nothing_sent(&self, code: u32) -> Sent {
        Sent {
            pins: Vec::new_in(self.link.allocator),
            code,
        }
    }

    /// The message will not be sent.
    pub(super) fn take_back(&self, sent: Sent) {
        let mut pins = lock(&self.link.pins);
        for number in sent.pins {
            // They were counted when they were written.
            let _ = pins.release(number, 1);
        }
    }

    /// Writes a value. `rights` are what the peer gets of it if it is not copied.
    pub(super) fn write(
        &self,
        out: &mut Writer,
        sent: &mut Sent,
        value: rs_value,
        rights: u32,
    ) -> Result<(), rs_status> {
        if let Some(word) = self.immediate(value) {
            return out.word(word.0);
        }
        let item = self.item(value)?;
        match item.kind {
            RS_ITEM_NIL | RS_ITEM_FALSE | RS_ITEM_TRUE => out.word(Word::constant(item.kind).0),
            RS_ITEM_INTEGER | RS_ITEM_FLOAT => write_bits(out, &item),
            RS_ITEM_BIG_INTEGER | RS_ITEM_SYMBOL => write_bytes(out, &item),
            RS_ITEM_STRING if item.flags & RS_ITEM_BY_VALUE != 0 => write_bytes(out, &item),
            RS_ITEM_REMOTE => self.write_remote(out, sent, value, &item, rights),
            _ if item.flags & RS_ITEM_BY_VALUE != 0 => {
                let encoded = self.encode(Root::One(value), Limits::NONE)?;
                self.write_image(out, sent, encoded, rights)
            }
            _ => self.write_mine(out, sent, value, &item, rights),
        }
    }

    /// What a value is.
    pub(super) fn item(&self, value: rs_value) -> Result<rs_item, rs_status> {
        let mut item = [rs_item::NONE];
        self.callbacks().read_items(&[value], &mut item)?;
        Ok(item[0])
    }

    fn immediate(&self, value: rs_value) -> Option<Word> {
        match self.callbacks().host().immediates.read(value)? {
            Immediate::Integer(integer) => Word::integer(integer),
            Immediate::Constant(kind) => Some(Word::constant(kind)),
        }
    }

    /// An object of this process: the peer gets a reference.
    fn write_mine(
        &self,
        out: &mut Writer,
        sent: &mut Sent,
        value: rs_value,
        item: &rs_item,
        rights: u32,
    ) -> Result<(), rs_status> {
        sent.pins.try_reserve(1).map_err(|_| RS_ERR_MEMORY)?;
        let site = match self.link.settings.has_sites {
            true => self.callbacks().site(),
            false => NO_SITE,
        };
        let pin = lock(&self.link.pins).send(value, rights, sent.code, site)?;
        sent.pins.push(pin);
        out.word(MINE)?;
        out.word(pin)?;
        out.word(Head::new(item.kind, item.flags, item.count).0)?;
        out.bytes(item.name())
    }

    /// An object of a peer: if of this one, it comes home; if of another, this one gets a reference
    /// to what stands for it here, and so reaches it through this process.
    fn write_remote(
        &self,
        out: &mut Writer,
        sent: &mut Sent,
        value: rs_value,
        item: &rs_item,
        rights: u32,
    ) -> Result<(), rs_status> {
        let remotes = lock(self.remotes);
        let remote = remotes.get(item.integer() as u64).copied();
        drop(remotes);
        match remote {
            Ok(remote) if remote.link == self.link.id() => {
                out.word(YOURS)?;
                out.word(remote.pin)
            }
            _ => self.write_mine(out, sent, value, item, rights),
        }
    }

    /// Encodes a graph of this process.
    pub(super) fn encode(&self, root: Root<'_>, limits: Limits) -> Result<Encoded, rs_status> {
        let heap = self.host.any_heap();
        let address = |value| address(&heap, value);
        encode(self.callbacks(), address, root, limits, self.link.allocator)
    }

    /// Writes a graph, and references to what it does not hold.
    pub(super) fn write_image(
        &self,
        out: &mut Writer,
        sent: &mut Sent,
        encoded: Encoded,
        rights: u32,
    ) -> Result<(), rs_status> {
        out.word(IMAGE)?;
        out.word(encoded.words.len() as u64)?;
        out.own_words(encoded.words)?;
        self.write_references(out, sent, &encoded.opaques, rights)
    }

    /// Writes how many values, and references to them.
    pub(super) fn write_references(
        &self,
        out: &mut Writer,
        sent: &mut Sent,
        values: &[rs_value],
        rights: u32,
    ) -> Result<(), rs_status> {
        out.word(values.len() as u64)?;
        for &value in values {
            let item = self.item(value)?;
            match item.kind {
                RS_ITEM_REMOTE => self.write_remote(out, sent, value, &item, rights)?,
                _ => self.write_mine(out, sent, value, &item, rights)?,
            }
        }
        Ok(())
    }

    /// Reads a value. If that fails, references that came with it are given back.
    pub(super) fn read(&self, from: &mut Reader<'_>) -> Result<rs_value, rs_status> {
        let word = from.word()?;
        match word & TAG {
            LEAF => self.read_leaf(from, word >> TAG_BITS),
            YOURS => Ok(lock(&self.link.pins).get(from.word()?)?.object),
            MINE => self.read_mine(from),
            IMAGE => self.read_image(from, |image, opaques| {
                let (roots, allocator) = (self.host.roots(), self.link.allocator);
                decode(self.callbacks(), roots, image, opaques, allocator)
            }),
            _ => self.read_immediate(word),
        }
    }

    fn read_immediate(&self, word: u64) -> Result<rs_value, rs_status> {
        let (immediate, item) = match Word(word).meaning() {
            Some(Meaning::Integer(integer)) => (
                Immediate::Integer(integer),
                rs_item::with_bits(RS_ITEM_INTEGER, integer as u64),
            ),
            Some(Meaning::Constant(kind)) => {
                (Immediate::Constant(kind), rs_item::with_bits(kind, 0))
            }
            _ => return Err(RS_ERR_PEER),
        };
        match self.callbacks().host().immediates.value(immediate) {
            Some(value) => Ok(value),
            None => self.make(item),
        }
    }

    fn make(&self, item: rs_item) -> Result<rs_value, rs_status> {
        let value = [Cell::new(0)];
        self.callbacks().make_items(&[item], &value)?;
        Ok(value[0].get())
    }

    fn read_leaf(&self, from: &mut Reader<'_>, words: u64) -> Result<rs_value, rs_status> {
        let words = from.words(usize::try_from(words).map_err(|_| RS_ERR_PEER)?)?;
        let (&head, rest) = words.split_first().ok_or(RS_ERR_PEER)?;
        let head = Head(head);
        let body = head.body().ok_or(RS_ERR_PEER)?;
        let is_leaf = matches!(body, Body { words, elements: 0 } if words == rest.len());
        if !is_leaf || head.kind() == RS_ITEM_RECORD {
            return Err(RS_ERR_PEER);
        }
        self.make(match head.kind() {
            RS_ITEM_INTEGER | RS_ITEM_FLOAT => rs_item::with_bits(head.kind(), rest[0]),
            kind => {
                let bytes = &bytes_of(rest)[..head.count() as usize];
                rs_item::with_bytes(kind, head.flags(), bytes)
            }
        })
    }

    /// A reference to an object of the peer: the object that stands for it, which is made if there is none.
    fn read_mine(&self, from: &mut Reader<'_>) -> Result<rs_value, rs_status> {
        let pin = from.word()?;
        let head = Head(from.word()?);
        let name = from.bytes()?;
        let most = self.link.settings.pins;
        let received = lock(self.remotes).receive(self.link.id(), pin, most);
        let (id, remote) = received.or_else(|status| {
            self.give_back(pin)?;
            Err(status)
        })?;
        if remote.value != 0 {
            return Ok(remote.value);
        }
        let item = rs_item::with_elements(head.kind(), head.flags(), head.count(), name);
        let made = self.callbacks().make_remote(self.link.id(), id, &item);
        let mut remotes = lock(self.remotes);
        match made {
            Ok(value) => remotes.set_value(id, value).map(|()| value),
            Err(status) => {
                // What was received is given back.
                let _ = remotes.release(id);
                Err(status)
            }
        }
    }

    /// Reads a graph, and what it refers to.
    fn read_image<T>(
        &self,
        from: &mut Reader<'_>,
        use_it: impl FnOnce(Image<'_>, &[rs_value]) -> Result<T, rs_status>,
    ) -> Result<T, rs_status> {
        let count = from.count()?;
        let words = from.words(count)?;
        let count = from.count()?;
        let opaques = self.read_all_plain(count, from)?;
        let image = validate(words, self.link.allocator).map_err(|status| match status {
            RS_ERR_IMAGE => RS_ERR_PEER,
            status => status,
        })?;
        if count < image.opaques_count() {
            return Err(RS_ERR_PEER);
        }
        let mut values = Vec::new_in(self.link.allocator);
        values.try_reserve(count).map_err(|_| RS_ERR_MEMORY)?;
        values.extend(opaques.iter().map(Cell::get));
        use_it(image, &values)
    }

    /// Reads so many values. If one fails, the references that come behind it are given back.
    pub(super) fn read_all(
        &self,
        count: usize,
        from: &mut Reader<'_>,
    ) -> Result<RootArray<'_>, rs_status> {
        let values = self.host.roots().array(count);
        for index in 0..count {
            let outcome = match &values {
                Ok(values) => self.read(from).map(|value| values[index].set(value)),
                Err(status) => self.discard(from).and(Err(*status)),
            };
            if let Err(status) = outcome {
                for _ in index + 1..count {
                    self.discard(from)?;
                }
                return Err(status);
            }
        }
        values
    }

    /// The same, of values none of which is an image: one in another would be a way to make this
    /// recurse.
    pub(super) fn read_all_plain(
        &self,
        count: usize,
        from: &mut Reader<'_>,
    ) -> Result<RootArray<'_>, rs_status> {
        let mut rest = *from;
        for _ in 0..count {
            match rest.peek()? & TAG {
                IMAGE => return Err(RS_ERR_PEER),
                _ => skip(&mut rest)?,
            }
        }
        self.read_all(count, from)
    }

    /// Reads many values that were encoded as one graph, and hands each of them out, with its number.
    pub(super) fn read_row(
        &self,
        from: &mut Reader<'_>,
        each: impl FnMut(usize, rs_value) -> Result<(), rs_status>,
    ) -> Result<(), rs_status> {
        if from.word()? != IMAGE {
            return Err(RS_ERR_PEER);
        }
        self.read_image(from, |image, opaques| {
            let (roots, allocator) = (self.host.roots(), self.link.allocator);
            decode_row(self.callbacks(), roots, image, opaques, allocator, each)
        })
    }

    /// Passes over a value that nobody wants: its references are given back.
    pub(super) fn discard(&self, from: &mut Reader<'_>) -> Result<(), rs_status> {
        let mut outcome = Ok(());
        mentions(from, &mut |mention| {
            if let Mention::Remote(pin) = mention {
                outcome = outcome.and(self.give_back(pin));
            }
        })?;
        outcome
    }
}

/// A reference in a message that has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mention {
    /// A pin of this process, whose object comes home.
    Home(u64),
    /// A pin of the peer.
    Remote(u64),
}

/// Passes over a value, and tells of the references in it.
pub(super) fn mentions(
    from: &mut Reader<'_>,
    tell: &mut dyn FnMut(Mention),
) -> Result<(), rs_status> {
    match from.peek()? & TAG {
        IMAGE => {
            from.word()?;
            let count = from.count()?;
            from.words(count)?;
        }
        SEALED => drop(from.words(2)?),
        _ => return mentions_plain(from, tell),
    }
    for _ in 0..from.count()? {
        mentions_plain(from, tell)?;
    }
    Ok(())
}

fn mentions_plain(from: &mut Reader<'_>, tell: &mut dyn FnMut(Mention)) -> Result<(), rs_status> {
    let mut reference = *from;
    skip(from)?;
    match reference.word()? & TAG {
        YOURS => tell(Mention::Home(reference.word()?)),
        MINE => tell(Mention::Remote(reference.word()?)),
        _ => {}
    }
    Ok(())
}

/// Passes over a value that is no image.
fn skip(from: &mut Reader<'_>) -> Result<(), rs_status> {
    let word = from.word()?;
    match word & TAG {
        LEAF => {
            let words = usize::try_from(word >> TAG_BITS).map_err(|_| RS_ERR_PEER)?;
            from.words(words).map(|_| ())
        }
        YOURS => from.word().map(|_| ()),
        MINE => {
            from.words(2)?;
            from.bytes().map(|_| ())
        }
        IMAGE | SEALED => Err(RS_ERR_PEER),
        _ => Ok(()),
    }
}

fn write_bits(out: &mut Writer, item: &rs_item) -> Result<(), rs_status> {
    if item.kind == RS_ITEM_INTEGER
        && let Some(word) = Word::integer(item.integer())
    {
        return out.word(word.0);
    }
    out.word(2 << TAG_BITS | LEAF)?;
    out.word(Head::new(item.kind, 0, 0).0)?;
    out.word(item.integer() as u64)
}

/// Writes numbers of pins, as the bytes of a string.
pub(super) fn write_numbers(out: &mut Writer, numbers: &[u64]) -> Result<(), rs_status> {
    write_text(out, bytes_of(numbers))
}

/// Writes the bytes of a string.
pub(super) fn write_text(out: &mut Writer, text: &[u8]) -> Result<(), rs_status> {
    write_bytes(out, &rs_item::with_bytes(RS_ITEM_STRING, 0, text))
}

/// Reads numbers.
pub(super) fn read_numbers<'a>(from: &mut Reader<'a>) -> Result<&'a [u64], rs_status> {
    words_of(read_text(from)?).ok_or(RS_ERR_PEER)
}

/// Reads the bytes of a string.
pub(super) fn read_text<'a>(from: &mut Reader<'a>) -> Result<&'a [u8], rs_status> {
    let word = from.word()?;
    if word & TAG != LEAF {
        return Err(RS_ERR_PEER);
    }
    let words = from.words(usize::try_from(word >> TAG_BITS).map_err(|_| RS_ERR_PEER)?)?;
    let (&head, rest) = words.split_first().ok_or(RS_ERR_PEER)?;
    let length = usize::try_from(Head(head).count()).map_err(|_| RS_ERR_PEER)?;
    bytes_of(rest).get(..length).ok_or(RS_ERR_PEER)
}

fn write_bytes(out: &mut Writer, item: &rs_item) -> Result<(), rs_status> {
    let head = Head::new(item.kind, item.flags, item.count);
    let body = head.body().ok_or(RS_ERR_HOST)?;
    out.word((1 + body.words as u64) << TAG_BITS | LEAF)?;
    out.word(head.0)?;
    out.padded(item.bytes())
}
