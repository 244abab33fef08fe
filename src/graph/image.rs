//! The layout of an image, and reading it in place.

use crate::host::item::{
    RS_ITEM_BIG_INTEGER, RS_ITEM_CONS, RS_ITEM_FALSE, RS_ITEM_FLAGS, RS_ITEM_FLOAT,
    RS_ITEM_INTEGER, RS_ITEM_MAP, RS_ITEM_NIL, RS_ITEM_OPAQUE, RS_ITEM_RECORD, RS_ITEM_STRING,
    RS_ITEM_SYMBOL, RS_ITEM_TRUE, RS_ITEM_UNINTERNED_SYMBOL, RS_ITEM_VECTOR,
};
use crate::host::memory::bytes_of;

/// Word 0 of an image; the last byte is the version of the layout.
pub const MAGIC: u64 = u64::from_be_bytes(*b"vmshimg\x01");

/// Words of the header.
pub const HEADER: usize = 5;

/// Where the header says what.
pub mod header {
    /// Magic and version.
    pub const MAGIC: usize = 0;
    /// How many words.
    pub const LENGTH: usize = 1;
    /// The root.
    pub const ROOT: usize = 2;
    /// How many nodes.
    pub const NODES: usize = 3;
    /// How many opaque values.
    pub const OPAQUES: usize = 4;
}

/// Most bytes, elements or pairs of a node, and one more.
pub const COUNTS: u64 = 1 << 40;

const TAG_BITS: u32 = 3;
const TAG: u64 = (1 << TAG_BITS) - 1;
const NODE: u64 = 0;
const INTEGER: u64 = 1;
const CONSTANT: u64 = 2;
const OPAQUE: u64 = 3;

/// A word of an image in the place of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word(pub u64);

/// What such a word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The node that begins at this word of the image.
    Node(usize),
    /// An integer.
    Integer(i64),
    /// `RS_ITEM_NIL`, `RS_ITEM_FALSE` or `RS_ITEM_TRUE`.
    Constant(u32),
    /// This one of the opaque values.
    Opaque(usize),
}

impl Word {
    /// The node that begins at word `index`.
    pub fn node(index: usize) -> Word {
        Word((index as u64) << TAG_BITS | NODE)
    }

    /// An integer, if it has at most 61 bits.
    #[inline(always)]
    pub fn integer(integer: i64) -> Option<Word> {
        let shifted = integer << TAG_BITS;
        (shifted >> TAG_BITS == integer).then_some(Word(shifted as u64 | INTEGER))
    }

    /// `RS_ITEM_NIL`, `RS_ITEM_FALSE` or `RS_ITEM_TRUE`.
    pub const fn constant(kind: u32) -> Word {
        Word((kind as u64) << TAG_BITS | CONSTANT)
    }

    /// One of the opaque values.
    pub fn opaque(number: usize) -> Word {
        Word((number as u64) << TAG_BITS | OPAQUE)
    }

    /// What it says; none if that is nothing.
    #[inline(always)]
    pub fn meaning(self) -> Option<Meaning> {
        let rest = self.0 >> TAG_BITS;
        Some(match self.0 & TAG {
            NODE => Meaning::Node(rest as usize),
            INTEGER => Meaning::Integer(self.0 as i64 >> TAG_BITS),
            CONSTANT => match rest as u32 {
                kind @ RS_ITEM_NIL..=RS_ITEM_TRUE if rest <= u64::from(RS_ITEM_TRUE) => {
                    Meaning::Constant(kind)
                }
                _ => return None,
            },
            OPAQUE => Meaning::Opaque(rest as usize),
            _ => return None,
        })
    }
}

/// The first word of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head(pub u64);

impl Head {
    /// Of a node of this kind; `count` is below [`COUNTS`].
    pub fn new(kind: u32, flags: u32, count: u64) -> Head {
        Head(u64::from(kind & 0xff) | u64::from(flags & RS_ITEM_FLAGS) << 8 | count << 24)
    }

    /// `RS_ITEM_…`.
    #[inline(always)]
    pub fn kind(self) -> u32 {
        self.0 as u32 & 0xff
    }

    /// The flags of the item.
    pub fn flags(self) -> u32 {
        (self.0 >> 8) as u32 & RS_ITEM_FLAGS
    }

    /// How many bytes, elements or pairs.
    #[inline(always)]
    pub fn count(self) -> u64 {
        self.0 >> 24
    }

    /// What stands behind it; none if no node begins so.
    #[inline(always)]
    pub fn body(self) -> Option<Body> {
        let count = self.count() as usize;
        Some(match self.kind() {
            RS_ITEM_INTEGER | RS_ITEM_FLOAT if count == 0 => Body::bits(1),
            RS_ITEM_BIG_INTEGER | RS_ITEM_SYMBOL | RS_ITEM_UNINTERNED_SYMBOL | RS_ITEM_STRING => {
                Body::bits(count.div_ceil(size_of::<u64>()))
            }
            RS_ITEM_CONS if count == 2 => Body::elements(2),
            RS_ITEM_VECTOR => Body::elements(count),
            RS_ITEM_MAP => Body::elements(2 * count),
            RS_ITEM_RECORD => Body {
                words: count + 1,
                elements: count,
            },
            _ => return None,
        })
    }
}

/// What stands behind the first word of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Body {
    /// How many words.
    pub words: usize,
    /// How many of them, the first ones, are elements.
    pub elements: usize,
}

impl Body {
    fn bits(words: usize) -> Body {
        Body { words, elements: 0 }
    }

    fn elements(elements: usize) -> Body {
        Body {
            words: elements,
            elements,
        }
    }
}

/// An image that was validated, or that was made here.
#[derive(Clone, Copy)]
pub struct Image<'a> {
    words: &'a [u64],
}

/// A node of an image.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    head: Head,
    body: Body,
    words: &'a [u64],
}

impl<'a> Image<'a> {
    /// An image of words that [`validate`](super::validate) has accepted, or [`encode`](super::encode)
    /// has made. Of others a read may panic.
    pub fn of_valid(words: &'a [u64]) -> Image<'a> {
        Image { words }
    }

    /// Its words.
    pub fn words(&self) -> &'a [u64] {
        self.words
    }

    /// The root.
    pub fn root(&self) -> Word {
        Word(self.words[header::ROOT])
    }

    /// How many nodes it has.
    pub fn nodes_count(&self) -> usize {
        self.words[header::NODES] as usize
    }

    /// How many opaque values it refers to.
    pub fn opaques_count(&self) -> usize {
        self.words[header::OPAQUES] as usize
    }

    /// The node that begins at a word, as a word of this image said.
    #[inline(always)]
    pub fn node(&self, index: usize) -> Node<'a> {
        let head = Head(self.words[index]);
        let body = head.body().unwrap_or(Body::bits(0));
        Node {
            head,
            body,
            words: &self.words[index + 1..][..body.words],
        }
    }

    /// All nodes, each with the word at which it begins.
    pub fn nodes(&self) -> impl Iterator<Item = (usize, Node<'a>)> + use<'a> {
        let image = *self;
        let mut next = HEADER;
        core::iter::from_fn(move || {
            let index = (next < image.words.len()).then_some(next)?;
            let node = image.node(index);
            next += 1 + node.words.len();
            Some((index, node))
        })
    }
}

impl<'a> Node<'a> {
    /// `RS_ITEM_…`.
    pub fn kind(&self) -> u32 {
        self.head.kind()
    }

    /// The flags of the item.
    pub fn flags(&self) -> u32 {
        self.head.flags()
    }

    /// How many bytes, elements or pairs.
    pub fn count(&self) -> u64 {
        self.head.count()
    }

    /// Its elements.
    pub fn elements(&self) -> &'a [u64] {
        &self.words[..self.body.elements]
    }

    /// The bits of an integer or a float.
    pub fn bits(&self) -> u64 {
        self.words.first().copied().unwrap_or(0)
    }

    /// The bytes of a big integer, a symbol or a string.
    pub fn bytes(&self) -> &'a [u8] {
        &bytes_of(self.words)[..self.head.count() as usize]
    }

    /// Of a record: the word of the name of its type.
    pub fn name(&self) -> Option<Word> {
        (self.kind() == RS_ITEM_RECORD).then(|| Word(self.words[self.body.elements]))
    }
}

/// Whether a kind is that of nil, false or true.
pub fn is_constant(kind: u32) -> bool {
    matches!(kind, RS_ITEM_NIL | RS_ITEM_FALSE | RS_ITEM_TRUE)
}

/// Whether a value of this kind is referred to and never copied.
pub fn is_opaque(kind: u32) -> bool {
    kind == RS_ITEM_OPAQUE
}
