//! From an image to a host's heap, which need not be of the kind that the graph came from.
//!
//! Two passes over the nodes, from front to back: the first has the host make all objects, whose
//! elements the second fills in. So cycles are no special case. Maps come last, and those that
//! stand behind come first: what a map hashes is whole by then, unless a key contains its own map.
//!
//! The host may collect at any call: what was made is in arrays that its collector visits.

use super::image::{Image, Meaning, Node, Word};
use crate::host::callbacks::Callbacks;
use crate::host::contract::rs_value;
use crate::host::item::*;
use crate::host::items::Immediate;
use crate::host::memory::{HostAllocator, Vec, push};
use crate::host::roots::{RootArray, Roots};
use crate::status::{RS_ERR_IMAGE, rs_status};

/// Items that the host makes at a stroke, and elements that it fills in at a stroke: even, so that
/// pairs stay together.
#[cfg(not(test))]
const BATCH: usize = 256;
/// Items that the host makes at a stroke. Small under test, so that batches end often.
#[cfg(test)]
const BATCH: usize = 4;

/// Makes the graph of an image in a host's heap; `opaques` are its values in the place of what the
/// image refers to. Returns the root, which is no root of the collector's any more.
///
/// `RS_ERR_IMAGE` (fewer opaque values than it refers to), `RS_ERR_MEMORY`, `RS_ERR_UNSUPPORTED` (the
/// host has no `make_items`), or what a callback returned. What was made then is garbage.
pub fn decode(
    callbacks: &Callbacks,
    roots: &Roots,
    image: Image<'_>,
    opaques: &[rs_value],
    allocator: HostAllocator,
) -> Result<rs_value, rs_status> {
    Decoder::new(callbacks, roots, image, opaques, allocator)?.graph()
}

/// Makes the graph of an image whose root is a vector of many values, and hands each of them out, with
/// its number. They are kept alive meanwhile. Errors as for `decode`.
pub fn decode_row(
    callbacks: &Callbacks,
    roots: &Roots,
    image: Image<'_>,
    opaques: &[rs_value],
    allocator: HostAllocator,
    mut each: impl FnMut(usize, rs_value) -> Result<(), rs_status>,
) -> Result<(), rs_status> {
    let decoder = Decoder::new(callbacks, roots, image, opaques, allocator)?;
    decoder.graph()?;
    let Some(Meaning::Node(root)) = image.root().meaning() else {
        return Err(RS_ERR_IMAGE);
    };
    let mut number = 0;
    for words in image.node(root).elements().chunks(BATCH) {
        decoder.fill_row(words)?;
        for place in &decoder.row[..words.len()] {
            each(number, place.get())?;
            number += 1;
        }
    }
    Ok(())
}
struct Decoder<'a> {
    callbacks: &'a Callbacks,
    immediates: rs_immediates,
    image: Image<'a>,
    opaques: RootArray<'a>,
    /// The value of each node, at the word where it begins.
    made: RootArray<'a>,
    /// Elements that go to the host.
    row: RootArray<'a>,
    /// Values that come from it.
    answers: RootArray<'a>,
    allocator: HostAllocator,
}

/// Items to be made, and where their values go.
struct Batch {
    items: [rs_item; BATCH],
    places: [usize; BATCH],
    count: usize,
}

impl Batch {
    const EMPTY: Batch = Batch {
        items: [rs_item::NONE; BATCH],
        places: [0; BATCH],
        count: 0,
    };

    /// Adds one; returns whether it is full.
    fn add(&mut self, item: rs_item, place: usize) -> bool {
        self.items[self.count] = item;
        self.places[self.count] = place;
        self.count += 1;
        self.count == BATCH
    }
}

impl<'a> Decoder<'a> {
    fn new(
        callbacks: &'a Callbacks,
        roots: &'a Roots,
        image: Image<'a>,
        opaques: &[rs_value],
        allocator: HostAllocator,
    ) -> Result<Self, rs_status> {
        if opaques.len() < image.opaques_count() {
            return Err(RS_ERR_IMAGE);
        }
        let kept = roots.array(opaques.len())?;
        for (place, &value) in kept.iter().zip(opaques) {
            place.set(value);
        }
        Ok(Decoder {
            callbacks,
            immediates: callbacks.host().immediates,
            image,
            opaques: kept,
            made: roots.array(image.words().len())?,
            row: roots.array(BATCH)?,
            answers: roots.array(BATCH)?,
            allocator,
        })
    }

    fn graph(&self) -> Result<rs_value, rs_status> {
        self.make_nodes()?;
        let mut maps = Vec::new_in(self.allocator);
        for (index, node) in self.image.nodes() {
            match node.kind() {
                RS_ITEM_MAP => push(&mut maps, index)?,
                _ => self.fill(index, &node)?,
            }
        }
        for &index in maps.iter().rev() {
            self.fill(index, &self.image.node(index))?;
        }
        self.fill_row(&[self.image.root().0])?;
        Ok(self.row[0].get())
    }

    fn make_nodes(&self) -> Result<(), rs_status> {
        let mut batch = Batch::EMPTY;
        for (index, node) in self.image.nodes() {
            if batch.add(self.item(&node), index) {
                self.make(&mut batch, &self.made)?;
            }
        }
        self.make(&mut batch, &self.made)
    }

    /// What the host is to make of a node.
    fn item(&self, node: &Node) -> rs_item {
        let (kind, flags, count) = (node.kind(), node.flags(), node.count());
        match kind {
            RS_ITEM_INTEGER | RS_ITEM_FLOAT => rs_item::with_bits(kind, node.bits()),
            RS_ITEM_CONS | RS_ITEM_VECTOR | RS_ITEM_MAP | RS_ITEM_RECORD => {
                let name = match node.name().and_then(Word::meaning) {
                    Some(Meaning::Node(index)) => self.image.node(index).bytes(),
                    _ => &[],
                };
                rs_item::with_elements(kind, flags, count, name)
            }
            _ => rs_item::with_bytes(kind, flags, node.bytes()),
        }
    }

    /// Has the host make the items of a batch, and empties it.
    fn make(&self, batch: &mut Batch, places: &RootArray) -> Result<(), rs_status> {
        let count = core::mem::take(&mut batch.count);
        if count == 0 {
            return Ok(());
        }
        let answers = &self.answers[..count];
        answers.iter().for_each(|answer| answer.set(0));
        self.callbacks.make_items(&batch.items[..count], answers)?;
        for (place, value) in batch.places.iter().zip(answers) {
            places[*place].set(value.get());
        }
        Ok(())
    }

    /// Fills in the elements of an object.
    fn fill(&self, index: usize, node: &Node) -> Result<(), rs_status> {
        let mut from = 0;
        for words in node.elements().chunks(BATCH) {
            self.fill_row(words)?;
            let object = self.made[index].get();
            self.callbacks
                .set_elements(object, from, &self.row[..words.len()])?;
            from += words.len() as u64;
        }
        Ok(())
    }

    /// Puts the values of at most [`BATCH`] words into the row.
    fn fill_row(&self, words: &[u64]) -> Result<(), rs_status> {
        let mut missing = 0;
        for (place, &word) in self.row.iter().zip(words) {
            let value = match Word(word).meaning().ok_or(RS_ERR_IMAGE)? {
                Meaning::Node(index) => Some(self.made[index].get()),
                Meaning::Opaque(number) => Some(self.opaques[number].get()),
                Meaning::Integer(integer) => self.immediates.value(Immediate::Integer(integer)),
                Meaning::Constant(kind) => self.immediates.value(Immediate::Constant(kind)),
            };
            place.set(value.unwrap_or(0));
            missing += usize::from(value.is_none());
        }
        match missing {
            0 => Ok(()),
            _ => self.ask_row(words),
        }
    }

    /// Has the host make those values of the row that it did not say how to write.
    #[cold]
    fn ask_row(&self, words: &[u64]) -> Result<(), rs_status> {
        let mut batch = Batch::EMPTY;
        for (place, &word) in words.iter().enumerate() {
            let item = match Word(word).meaning() {
                Some(Meaning::Integer(integer)) => {
                    rs_item::with_bits(RS_ITEM_INTEGER, integer as u64)
                }
                Some(Meaning::Constant(kind)) => rs_item::with_bits(kind, 0),
                _ => continue,
            };
            batch.add(item, place);
        }
        self.make(&mut batch, &self.row)
    }
}
