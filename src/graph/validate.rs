//! What makes bytes of unknown origin an image.
//!
//! Two passes from front to back. The first follows the heads from node to node and notes in a bitmap
//! where nodes begin; the second looks at each word that stands for a value. O(words), with one bit
//! of memory a word.

use super::image::{HEADER, Head, Image, MAGIC, Meaning, Word, header};
use crate::host::item::{RS_ITEM_RECORD, RS_ITEM_SYMBOL};
use crate::host::memory::{HostAllocator, Vec};
use crate::status::{RS_ERR_IMAGE, RS_ERR_MEMORY, rs_status};

/// Where nodes begin: one bit for each word.
struct Beginnings(Vec<u64>);

impl Beginnings {
    fn new(words: usize, allocator: HostAllocator) -> Result<Self, rs_status> {
        let mut bits = Vec::new_in(allocator);
        let length = words.div_ceil(u64::BITS as usize);
        bits.try_reserve_exact(length).map_err(|_| RS_ERR_MEMORY)?;
        bits.resize(length, 0);
        Ok(Beginnings(bits))
    }

    fn set(&mut self, index: usize) {
        self.0[index / 64] |= 1 << (index % 64);
    }

    fn has(&self, index: usize) -> bool {
        let word = self.0.get(index / 64).copied().unwrap_or(0);
        word >> (index % 64) & 1 != 0
    }
}

/// Finds out whether words are an image. They must be such that nobody can change them any more.
///
/// `RS_ERR_IMAGE` if they are none; `RS_ERR_MEMORY`.
pub fn validate(words: &[u64], allocator: HostAllocator) -> Result<Image<'_>, rs_status> {
    require(words.len() >= HEADER)?;
    require(words[header::MAGIC] == MAGIC)?;
    require(words[header::LENGTH] == words.len() as u64)?;
    let mut beginnings = Beginnings::new(words.len(), allocator)?;
    let nodes = note_beginnings(words, &mut beginnings)?;
    require(words[header::NODES] == nodes)?;
    let check = Check {
        words,
        beginnings,
        opaques: words[header::OPAQUES],
    };
    check.value(words[header::ROOT])?;
    let image = Image::of_valid(words);
    for (_, node) in image.nodes() {
        for &element in node.elements() {
            check.value(element)?;
        }
        if node.kind() == RS_ITEM_RECORD {
            check.name(node.name())?;
        }
    }
    Ok(image)
}

fn require(condition: bool) -> Result<(), rs_status> {
    condition.then_some(()).ok_or(RS_ERR_IMAGE)
}

/// Follows the heads of all nodes; returns how many there are.
fn note_beginnings(words: &[u64], beginnings: &mut Beginnings) -> Result<u64, rs_status> {
    let mut nodes = 0;
    let mut next = HEADER;
    while next < words.len() {
        let body = Head(words[next]).body().ok_or(RS_ERR_IMAGE)?;
        require(body.words < words.len() - next)?;
        beginnings.set(next);
        next += 1 + body.words;
        nodes += 1;
    }
    Ok(nodes)
}

struct Check<'a> {
    words: &'a [u64],
    beginnings: Beginnings,
    opaques: u64,
}

impl Check<'_> {
    /// A word must stand for a value of this image.
    fn value(&self, word: u64) -> Result<(), rs_status> {
        match Word(word).meaning() {
            Some(Meaning::Node(index)) => require(self.beginnings.has(index)),
            Some(Meaning::Opaque(number)) => require((number as u64) < self.opaques),
            Some(Meaning::Integer(_) | Meaning::Constant(_)) => Ok(()),
            None => Err(RS_ERR_IMAGE),
        }
    }

    /// The name of a type must be a symbol.
    fn name(&self, word: Option<Word>) -> Result<(), rs_status> {
        match word.and_then(Word::meaning) {
            Some(Meaning::Node(index)) => {
                require(self.beginnings.has(index))?;
                require(Head(self.words[index]).kind() == RS_ITEM_SYMBOL)
            }
            _ => Err(RS_ERR_IMAGE),
        }
    }
}
