//! Reading an image in place, by the functions of inline.h.

use std::collections::HashMap;
use vmshare::host::contract::rs_value;
use vmshare::host::item::*;

unsafe extern "C" {
    fn read_root(image: *const u64) -> u64;
    fn read_kind(image: *const u64, word: u64) -> u32;
    fn read_count(image: *const u64, word: u64) -> u64;
    fn read_flags(image: *const u64, word: u64) -> u32;
    fn read_element(image: *const u64, word: u64, index: u64) -> u64;
    fn read_integer(image: *const u64, word: u64) -> i64;
    fn read_float(image: *const u64, word: u64) -> f64;
    fn read_bytes(image: *const u64, word: u64) -> *const u8;
    fn read_type(image: *const u64, word: u64) -> u64;
    fn read_opaque(word: u64) -> u64;
}

/// The number of an opaque value.
pub fn opaque(word: u64) -> u64 {
    // SAFETY: any word may be given.
    unsafe { read_opaque(word) }
}

/// A valid image, and the values that its opaque words stand for.
pub struct InPlace<'a> {
    words: &'a [u64],
    opaque: &'a dyn Fn(u64) -> rs_value,
}

/// What a value is, less its elements.
#[derive(Debug, PartialEq)]
struct Said {
    kind: u32,
    count: u64,
    /// Of a string or a map: others have none that this host keeps.
    flags: u32,
    integer: i64,
    float: u64,
    bytes: Vec<u8>,
    type_name: Vec<u8>,
    opaque: rs_value,
}

impl<'a> InPlace<'a> {
    pub fn new(words: &'a [u64], opaque: &'a dyn Fn(u64) -> rs_value) -> InPlace<'a> {
        InPlace { words, opaque }
    }

    fn root(&self) -> u64 {
        // SAFETY: the image is valid.
        unsafe { read_root(self.words.as_ptr()) }
    }

    fn said(&self, word: u64) -> Said {
        let image = self.words.as_ptr();
        // SAFETY: the image is valid, and the word one of its.
        unsafe {
            let kind = read_kind(image, word);
            Said {
                kind,
                count: read_count(image, word),
                flags: match kind {
                    RS_ITEM_STRING | RS_ITEM_MAP => read_flags(image, word),
                    _ => 0,
                },
                integer: read_integer(image, word),
                float: read_float(image, word).to_bits(),
                bytes: self.bytes(word),
                type_name: match kind {
                    RS_ITEM_RECORD => self.bytes(read_type(image, word)),
                    _ => Vec::new(),
                },
                opaque: match kind {
                    RS_ITEM_OPAQUE => (self.opaque)(word),
                    _ => 0,
                },
            }
        }
    }

    fn bytes(&self, word: u64) -> Vec<u8> {
        // SAFETY: as above; so many bytes stand there.
        unsafe {
            let image = self.words.as_ptr();
            match read_bytes(image, word) {
                bytes if bytes.is_null() => Vec::new(),
                bytes => {
                    let count = read_count(image, word) as usize;
                    std::slice::from_raw_parts(bytes, count).to_vec()
                }
            }
        }
    }

    fn elements(&self, word: u64) -> Vec<u64> {
        let image = self.words.as_ptr();
        // SAFETY: as above; elements that are not there are 0.
        unsafe {
            let count = match read_kind(image, word) {
                RS_ITEM_MAP => 2 * read_count(image, word),
                RS_ITEM_CONS | RS_ITEM_VECTOR | RS_ITEM_RECORD => read_count(image, word),
                _ => 0,
            };
            let element = |index| read_element(image, word, index);
            assert_eq!(element(count), 0);
            (0..count).map(element).collect()
        }
    }

    /// The same graph, wherever its nodes lie: what is one node here is one there.
    pub fn expect_same(&self, other: &InPlace) {
        let mut met = HashMap::new();
        let mut queue = vec![(self.root(), other.root())];
        while let Some((mine, theirs)) = queue.pop() {
            let said = self.said(mine);
            assert_eq!(said, other.said(theirs));
            let is_node = mine & 7 == 0 && said.kind != RS_ITEM_INTEGER;
            if is_node {
                match met.insert(mine, theirs) {
                    None => {}
                    Some(before) => {
                        assert_eq!(before, theirs);
                        continue;
                    }
                }
                let both = self.elements(mine).into_iter().zip(other.elements(theirs));
                queue.extend(both);
            }
        }
    }
}

/// Reads all that a valid image holds, where it lies.
pub fn read_everything(words: &[u64]) {
    let nothing = |_| 0;
    let image = InPlace::new(words, &nothing);
    let mut met = HashMap::new();
    let mut queue = vec![image.root()];
    while let Some(word) = queue.pop() {
        if met.insert(word, ()).is_none() {
            std::hint::black_box(image.said(word));
            queue.extend(image.elements(word));
        }
    }
}
