//! From a host's heap to an image.
//!
//! The image is its own queue, as the space of a copying collector is (C. J. Cheney, A nonrecursive list
//! compacting algorithm, CACM 13, 1970): a node is appended with its elements as the host's own
//! words; behind everything appended, a scan from front to back puts the words of an image in their
//! place, and appends what it meets for the first time. A table from objects to nodes keeps identity.
//!
//! What is met is collected until there is enough to ask the host at a stroke, or until a level of
//! the graph ends, so that its depth is known: objects below a limit stay where they are, and the
//! image refers to them as opaque values.

use super::image::{Body, COUNTS, HEADER, Head, MAGIC, Meaning, Word, header, is_constant};
use super::places::{Place, Places};
use crate::host::callbacks::Callbacks;
use crate::host::contract::rs_value;
use crate::host::item::*;
use crate::host::items::Immediate;
use crate::host::memory::{HostAllocator, Vec, append, append_padded, append_values, push};
use crate::host::prefetch::prefetch;
use crate::status::{RS_ERR_HOST, RS_ERR_LIMIT, RS_ERR_MEMORY, rs_status};

/// Values that the host is asked about at a stroke.
#[cfg(not(test))]
const BATCH: usize = 128;
/// Values that the host is asked about at a stroke. Small under test, so that batches end often.
#[cfg(test)]
const BATCH: usize = 3;

/// How much of a graph an image may hold; the rest it refers to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most levels below the root: 0 is the root alone.
    pub depth: u64,
    /// Most words, header included; what would not fit is referred to.
    pub words: usize,
}

impl Limits {
    /// The whole graph.
    pub const NONE: Limits = Limits {
        depth: u64::MAX,
        words: usize::MAX,
    };
}

/// An image that was made here.
pub struct Encoded {
    /// Its words.
    pub words: Vec<u64>,
    /// The host's values that it refers to.
    pub opaques: Vec<rs_value>,
}

/// A value whose item is asked for, and where in the image its word is missing.
#[derive(Clone, Copy)]
struct Wanted {
    value: rs_value,
    index: usize,
    /// Of an object; 0 of other values.
    address: usize,
    /// Of an object, once it is looked for.
    place: Place,
}

impl Wanted {
    const NONE: Wanted = Wanted {
        value: 0,
        index: 0,
        address: 0,
        place: Place::NONE,
    };
}

/// What an image begins with.
#[derive(Clone, Copy)]
pub enum Root<'a> {
    /// A value: it is the root.
    One(rs_value),
    /// Many: the root is a vector of them.
    Row(&'a [rs_value]),
}

/// Encodes the graph of a value, or of many.
///
/// `RS_ERR_MEMORY`, `RS_ERR_LIMIT` (a string or a vector is larger than an image can say),
/// `RS_ERR_HOST`, `RS_ERR_UNSUPPORTED` (the host has no `read_items`), or what a callback returned.
pub fn encode(
    callbacks: &Callbacks,
    address: impl Fn(rs_value) -> Option<usize>,
    root: Root<'_>,
    limits: Limits,
    allocator: HostAllocator,
) -> Result<Encoded, rs_status> {
    let mut encoder = Encoder::new(callbacks, address, limits, allocator);
    encoder.graph(root)?;
    Ok(Encoded {
        words: encoder.words,
        opaques: encoder.opaques,
    })
}

/// The object whose node begins at a word of the image of a value's whole graph, which has not changed
/// since that image was made. Costs as much as `encode`, whose failures it shares.
pub fn locate(
    callbacks: &Callbacks,
    address: impl Fn(rs_value) -> Option<usize>,
    root: rs_value,
    node: usize,
    allocator: HostAllocator,
) -> Result<Option<rs_value>, rs_status> {
    let mut encoder = Encoder::new(callbacks, address, Limits::NONE, allocator);
    encoder.located = Located { node, value: None };
    encoder.graph(Root::One(root))?;
    Ok(encoder.located.value)
}

/// The object whose node begins at a word, once it is met; only objects count.
struct Located {
    node: usize,
    value: Option<rs_value>,
}

struct Encoder<'a, O> {
    callbacks: &'a Callbacks,
    /// Of an object; none of other values.
    address: O,
    immediates: rs_immediates,
    limits: Limits,
    /// Of what is appended now.
    depth: u64,
    words: Vec<u64>,
    opaques: Vec<rs_value>,
    nodes: u64,
    places: Places,
    located: Located,
    /// The nodes of the names of types: few, so they are looked for one by one.
    names: Vec<usize>,
    wanted: [Wanted; BATCH],
    wanted_count: usize,
    /// What the host is asked, and says. Here so that they are not cleared for each question: a list is asked
    /// about cons by cons.
    values: [rs_value; BATCH],
    items: [rs_item; BATCH],
}

impl<'a, O: Fn(rs_value) -> Option<usize>> Encoder<'a, O> {
    fn new(callbacks: &'a Callbacks, address: O, limits: Limits, allocator: HostAllocator) -> Self {
        Encoder {
            callbacks,
            address,
            immediates: callbacks.host().immediates,
            limits,
            depth: 0,
            words: Vec::new_in(allocator),
            opaques: Vec::new_in(allocator),
            nodes: 0,
            places: Places::new(allocator),
            located: Located {
                node: 0,
                value: None,
            },
            names: Vec::new_in(allocator),
            wanted: [Wanted::NONE; BATCH],
            wanted_count: 0,
            values: [0; BATCH],
            items: [rs_item::NONE; BATCH],
        }
    }

    fn graph(&mut self, root: Root<'_>) -> Result<(), rs_status> {
        append(&mut self.words, &[0; HEADER])?;
        match root {
            Root::One(value) => {
                self.translate(header::ROOT, value)?;
                self.ask()?;
            }
            Root::Row(values) => self.append_row(values)?,
        }
        let mut scan = HEADER;
        let mut level_end = self.words.len();
        self.depth = 1;
        while scan < self.words.len() {
            scan = self.scan_node(scan)?;
            if scan == level_end {
                self.ask()?;
                level_end = self.words.len();
                self.depth += 1;
            }
        }
        self.words[header::MAGIC] = MAGIC;
        self.words[header::LENGTH] = self.words.len() as u64;
        self.words[header::NODES] = self.nodes;
        self.words[header::OPAQUES] = self.opaques.len() as u64;
        Ok(())
    }

    fn append_row(&mut self, values: &[rs_value]) -> Result<(), rs_status> {
        let count = values.len() as u64;
        if count >= COUNTS {
            return Err(RS_ERR_LIMIT);
        }
        let head = Head::new(RS_ITEM_VECTOR, 0, count);
        let root = self.begin(head, head.body().ok_or(RS_ERR_HOST)?)?;
        self.words[header::ROOT] = Word::node(root).0;
        append_values(&mut self.words, values)
    }

    /// Puts words in the place of a node's elements; returns where the next node begins.
    fn scan_node(&mut self, index: usize) -> Result<usize, rs_status> {
        let body = Head(self.words[index]).body().ok_or(RS_ERR_HOST)?;
        for index in index + 1..index + 1 + body.elements {
            self.translate(index, self.words[index] as rs_value)?;
        }
        Ok(index + 1 + body.words)
    }

    /// Puts the word of a value in its place, now or when the host was asked.
    #[inline(always)]
    fn translate(&mut self, index: usize, value: rs_value) -> Result<(), rs_status> {
        if let Some(word) = self.immediate(value) {
            self.words[index] = word.0;
            return Ok(());
        }
        let address = (self.address)(value).unwrap_or(0);
        if address != 0 {
            // The host will look at it.
            prefetch(address);
        }
        self.wanted[self.wanted_count] = Wanted {
            value,
            index,
            address,
            place: Place::NONE,
        };
        self.wanted_count += 1;
        match self.wanted_count {
            BATCH => self.ask(),
            _ => Ok(()),
        }
    }

    #[inline(always)]
    fn immediate(&self, value: rs_value) -> Option<Word> {
        match self.immediates.read(value)? {
            Immediate::Integer(integer) => Word::integer(integer),
            Immediate::Constant(kind) => Some(Word::constant(kind)),
        }
    }

    /// Asks the host what the values are whose words are missing, and puts them in their places.
    fn ask(&mut self) -> Result<(), rs_status> {
        let mut asked = 0;
        for index in 0..core::mem::take(&mut self.wanted_count) {
            let mut want = self.wanted[index];
            if want.address != 0 {
                want.place = self.places.find(want.address)?;
                if let Some(word) = self.places.get(want.place) {
                    self.words[want.index] = word.0;
                    continue;
                }
            }
            self.wanted[asked] = want;
            self.values[asked] = want.value;
            asked += 1;
        }
        if asked == 0 {
            return Ok(());
        }
        self.callbacks
            .read_items(&self.values[..asked], &mut self.items[..asked])?;
        for index in 0..asked {
            let want = self.wanted[index];
            let item = self.items[index];
            self.words[want.index] = self.word(&want, &item)?.0;
        }
        Ok(())
    }

    /// The word of a value, which is appended if it is met for the first time.
    #[inline]
    fn word(&mut self, want: &Wanted, item: &rs_item) -> Result<Word, rs_status> {
        if item.kind == RS_ITEM_INTEGER
            && let Some(word) = Word::integer(item.integer())
        {
            return Ok(word);
        }
        if is_constant(item.kind) {
            return Ok(Word::constant(item.kind));
        }
        // Also the second time in what was asked for together.
        if want.address != 0
            && let Some(word) = self.places.get(want.place)
        {
            return Ok(word);
        }
        let word = match item.kind {
            RS_ITEM_OPAQUE | RS_ITEM_REMOTE => self.refer(want.value)?,
            _ => self.append(want.value, item)?,
        };
        if want.address != 0 {
            self.meet(want.value, want.place, word)?;
        }
        Ok(word)
    }

    /// An object is met for the first time.
    #[inline]
    fn meet(&mut self, value: rs_value, place: Place, word: Word) -> Result<(), rs_status> {
        match word.meaning() {
            Some(Meaning::Node(index)) => {
                if index == self.located.node {
                    self.located.value = Some(value);
                }
                self.places.set_node(place, index)
            }
            Some(Meaning::Opaque(number)) => self.places.set_opaque(place, number),
            _ => Ok(()),
        }
    }

    /// Refers to a value instead of copying it.
    fn refer(&mut self, value: rs_value) -> Result<Word, rs_status> {
        push(&mut self.opaques, value)?;
        Ok(Word::opaque(self.opaques.len() - 1))
    }

    /// Appends a node, unless it is below the limits.
    fn append(&mut self, value: rs_value, item: &rs_item) -> Result<Word, rs_status> {
        if item.count >= COUNTS {
            return Err(RS_ERR_LIMIT);
        }
        let head = Head::new(item.kind, item.flags, item.count);
        let body = head.body().ok_or(RS_ERR_HOST)?;
        let is_deep = body.elements != 0 && self.depth > self.limits.depth;
        let left = self.limits.words.saturating_sub(self.words.len());
        if is_deep || body.words >= left {
            return self.refer(value);
        }
        let name = match item.kind {
            RS_ITEM_RECORD => self.name(item.name())?,
            _ => 0,
        };
        let index = self.begin(head, body)?;
        match item.kind {
            RS_ITEM_INTEGER | RS_ITEM_FLOAT => self.words.push(item.integer() as u64),
            RS_ITEM_CONS | RS_ITEM_VECTOR | RS_ITEM_MAP | RS_ITEM_RECORD => {
                self.copy_elements(value, item, body.elements)?;
            }
            _ => append_padded(&mut self.words, item.bytes())?,
        }
        if item.kind == RS_ITEM_RECORD {
            self.words.push(Word::node(name).0);
        }
        Ok(Word::node(index))
    }

    /// Begins a node, for whose words there is room then; returns where it begins.
    #[inline]
    fn begin(&mut self, head: Head, body: Body) -> Result<usize, rs_status> {
        let index = self.words.len();
        let words = 1 + body.words;
        self.words.try_reserve(words).map_err(|_| RS_ERR_MEMORY)?;
        self.words.push(head.0);
        self.nodes += 1;
        Ok(index)
    }

    fn copy_elements(
        &mut self,
        object: rs_value,
        item: &rs_item,
        count: usize,
    ) -> Result<(), rs_status> {
        if let Some(elements) = item.elements(count) {
            return append_values(&mut self.words, elements);
        }
        let mut elements = [0; BATCH];
        for from in (0..count).step_by(BATCH) {
            let elements = &mut elements[..BATCH.min(count - from)];
            self.callbacks
                .read_elements(object, from as u64, elements)?;
            append_values(&mut self.words, elements)?;
        }
        Ok(())
    }

    /// The node of the name of a type.
    fn name(&mut self, name: &[u8]) -> Result<usize, rs_status> {
        let found = self.names.iter().copied().find(|&index| {
            let head = Head(self.words[index]);
            let bytes = crate::host::memory::bytes_of(&self.words[index + 1..]);
            head.count() == name.len() as u64 && &bytes[..name.len()] == name
        });
        if let Some(index) = found {
            return Ok(index);
        }
        let head = Head::new(RS_ITEM_SYMBOL, 0, name.len() as u64);
        let body = head.body().ok_or(RS_ERR_HOST)?;
        let index = self.begin(head, body)?;
        append_padded(&mut self.words, name)?;
        push(&mut self.names, index)?;
        Ok(index)
    }
}
