//! Messages of a link as an honest peer writes them, so that a fuzzer has something to spoil. What they
//! consist of stands in `src/remote/session.rs` and `src/remote/values.rs`.

use crate::script::Script;
use vmshare::graph::image::{Head, MAGIC, Word};
use vmshare::host::exchange::*;
use vmshare::host::item::*;

pub const REQUEST: u32 = 1;
pub const ANSWER: u32 = 2;
pub const RELEASE: u32 = 3;
pub const EVACUATION: u32 = 4;
pub const GOODBYE: u32 = 5;
const PROBE: u32 = 6;
const CHANGED: u32 = 7;
pub const MARKER: u32 = 8;
const SUMMARY: u32 = 9;

const LEAF: u64 = 4;
const YOURS: u64 = 5;
const MINE: u64 = 6;
const IMAGE: u64 = 7;

/// What an answer's kind has besides if a descriptor comes with it.
pub const WITH_DESCRIPTOR: u32 = 1 << 31;

/// A copy, a path, everything, an image, an object of an image, a watch, a batch: requests that are no operations of
/// the host.
const OWN_CODES: [u32; 7] = [100, 101, 102, 103, 104, 105, 106];

const BATCH: u32 = 106;

/// Where a request has its index.
const INDEX: usize = 5;

/// The number of a pin: the first ones of a link have the generation 1.
fn pin(script: &Script) -> u64 {
    let generation = 1 + (script.below(4) == 0) as u64;
    generation << 32 | script.below(6) as u64
}

fn push_bytes(words: &mut Vec<u64>, bytes: &[u8]) {
    words.push(bytes.len() as u64);
    push_padded(words, bytes);
}

fn push_padded(words: &mut Vec<u64>, bytes: &[u8]) {
    for bytes in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        words.push(u64::from_ne_bytes(word));
    }
}

pub fn request(script: &Script) -> Vec<u64> {
    let code = match script.below(16) {
        own @ 0..7 => OWN_CODES[own],
        _ => self::code(script),
    };
    let more = u64::from(script.below(4) == 0) << 32;
    let deadline = match script.below(8) {
        0 => script.number(),
        _ => u64::MAX,
    };
    let target = match script.below(3) {
        0 => 0,
        _ => pin(script),
    };
    let mut words = vec![
        script.number(),
        deadline,
        script.number(),
        more | u64::from(code),
    ];
    words.extend([target, script.number(), script.number()]);
    if code == BATCH {
        push_batch(&mut words, script);
        return words;
    }
    match code {
        101 => {
            let steps: Vec<u8> = (0..script.below(4))
                .flat_map(|_| u64::from(script.byte() & 1).to_ne_bytes())
                .collect();
            push_bytes(&mut words, &steps);
        }
        _ => push_bytes(&mut words, NAMES[script.below(NAMES.len())].as_bytes()),
    }
    let count = script.below(4);
    words.push(count as u64);
    for _ in 0..count {
        push_value(&mut words, script);
    }
    words
}

/// What a batch has in the place of a name, and all its arguments.
fn push_batch(words: &mut Vec<u64>, script: &Script) {
    let (mut heads, mut arguments) = (Vec::new(), 0);
    let count = script.below(5);
    for _ in 0..count {
        let own = script.below(3) as u64;
        let name = NAMES[script.below(NAMES.len())];
        heads.extend([
            own << 32 | u64::from(code(script)),
            pin(script),
            script.number(),
        ]);
        push_bytes(&mut heads, name.as_bytes());
        arguments += own;
    }
    words[INDEX] = count as u64;
    words.push(8 * heads.len() as u64);
    words.extend(heads);
    words.push(arguments);
    for _ in 0..arguments {
        push_value(words, script);
    }
}

/// The words of an answer to a batch, behind its status.
fn push_results(words: &mut Vec<u64>, script: &Script) {
    let statuses: Vec<u64> = (0..script.below(5))
        .map(|_| u64::from(script.byte() & 1) * 7)
        .collect();
    words.extend([
        (statuses.len() as u64 + 1) << 3 | LEAF,
        Head::new(RS_ITEM_STRING, 0, 8 * statuses.len() as u64).0,
    ]);
    words.extend(&statuses);
    for _ in 0..2 {
        words.extend([1 << 3 | LEAF, Head::new(RS_ITEM_STRING, 0, 0).0]);
    }
    for _ in statuses.iter().filter(|&&status| status == 0) {
        push_value(words, script);
    }
}

/// A request with an argument that is an object of the sender.
pub fn request_with_object(code: u32, name: &str) -> Vec<u64> {
    let (serial, chain, nothing) = (1, 1, 0);
    let mut words = vec![serial, u64::MAX, chain, u64::from(code)];
    words.extend([nothing, nothing, nothing]);
    push_bytes(&mut words, name.as_bytes());
    let own = 1 << 32 | 1;
    words.extend([1, MINE, own, Head::new(RS_ITEM_CONS, 0, 2).0]);
    push_bytes(&mut words, b"");
    words
}

/// What the other side exports.
pub const NAMES: [&str; 8] = [
    "",
    "cons",
    "vector",
    "map",
    "echo",
    "shareable",
    "text",
    "nothing",
];

pub fn answer(script: &Script, serial: u64) -> Vec<u64> {
    let mut words = vec![serial];
    match script.below(5) {
        0 => words.push(-(script.below(30) as i64) as u64),
        1 => {
            words.push(RS_RAISED_WORD);
            push_bytes(&mut words, &script.bytes(20));
            push_bytes(&mut words, &script.bytes(20));
        }
        2 => {
            words.push(0);
            push_results(&mut words, script);
        }
        3 => {
            words.push(0);
            push_row(&mut words, script);
        }
        _ => {
            words.push(0);
            push_value(&mut words, script);
        }
    }
    words
}

/// A message of another kind: about cycles, changes, or waits in a circle. `round` is perhaps one that is under way.
pub fn other(script: &Script, round: u64) -> (u32, Vec<u64>) {
    match script.below(6) {
        0 => (PROBE, vec![script.number(), script.number()]),
        1 => (CHANGED, vec![pin(script)]),
        2 => (MARKER, vec![script.number()]),
        _ => (SUMMARY, summary(script, round)),
    }
}

/// What a process says that it has between its pins and its references: see `src/remote/cycles/summary.rs`.
fn summary(script: &Script, round: u64) -> Vec<u64> {
    let [remotes, nodes, pins] = [(); 3].map(|()| script.below(4));
    let target = || script.below(2 * (remotes + nodes) + 1) as u64;
    let mut words = vec![round, u64::from(script.below(8) != 0)];
    words.extend([remotes as u64, script.below(remotes + 1) as u64]);
    words.extend([nodes as u64, pins as u64]);
    words.extend((0..remotes).map(|_| pin(script)));
    for _ in 0..nodes {
        let count = script.below(4);
        words.push(count as u64);
        words.extend((0..count.div_ceil(2)).map(|_| target() | target() << 32));
    }
    for _ in 0..pins {
        words.extend([pin(script), target()]);
    }
    words
}

/// An answer that says how large an image is that comes with it.
pub fn sealed_image(script: &Script, serial: u64, words: u64) -> Vec<u64> {
    let opaques = script.below(3);
    let mut answer = vec![serial, 0, IMAGE, 0, opaques as u64];
    for _ in 0..opaques {
        push_plain(&mut answer, script);
    }
    answer.extend(Word::integer(words as i64).map(|word| word.0));
    answer
}

/// A graph in one piece of memory.
pub fn image(script: &Script) -> Vec<u64> {
    let mut words = Vec::new();
    push_image(&mut words, script);
    let count = words[1] as usize;
    words[2..2 + count].to_vec()
}

const RS_RAISED_WORD: u64 = vmshare::status::RS_RAISED as i64 as u64;

pub fn release(script: &Script) -> Vec<u64> {
    (0..script.below(4))
        .flat_map(|_| [pin(script), 1 + script.below(3) as u64])
        .collect()
}

pub fn evacuation(script: &Script) -> Vec<u64> {
    let mut words = vec![script.number()];
    push_row(&mut words, script);
    words
}

/// Numbers of pins, and a graph whose root has as many elements.
fn push_row(words: &mut Vec<u64>, script: &Script) {
    let numbers: Vec<u8> = (0..script.below(5))
        .flat_map(|_| pin(script).to_ne_bytes())
        .collect();
    push_leaf(words, RS_ITEM_STRING, &numbers);
    push_image(words, script);
}

fn push_leaf(words: &mut Vec<u64>, kind: u32, bytes: &[u8]) {
    words.push((1 + bytes.len().div_ceil(8) as u64) << 3 | LEAF);
    words.push(Head::new(kind, 0, bytes.len() as u64).0);
    push_padded(words, bytes);
}

fn push_value(words: &mut Vec<u64>, script: &Script) {
    match script.below(8) {
        0 => words.extend([
            2 << 3 | LEAF,
            Head::new(RS_ITEM_FLOAT, 0, 0).0,
            script.word(),
        ]),
        1 => push_leaf(words, RS_ITEM_SYMBOL, &script.bytes(12)),
        2 => push_leaf(words, RS_ITEM_STRING, &script.bytes(40)),
        7 => push_image(words, script),
        _ => push_plain(words, script),
    }
}

fn push_plain(words: &mut Vec<u64>, script: &Script) {
    match script.below(4) {
        0 => words.extend(Word::integer(i64::from(script.byte())).map(|word| word.0)),
        1 => words.push(Word::constant(RS_ITEM_NIL).0),
        2 => words.extend([YOURS, pin(script)]),
        _ => {
            words.extend([MINE, pin(script), Head::new(RS_ITEM_CONS, 0, 2).0]);
            push_bytes(words, b"");
        }
    }
}

/// A vector of conses, integers, and opaque values, which follow.
fn push_image(words: &mut Vec<u64>, script: &Script) {
    let count = script.below(6);
    let opaques = script.below(4);
    let first = 5;
    let mut image = vec![MAGIC, 0, Word::node(first).0, 1, opaques as u64];
    image.push(Head::new(RS_ITEM_VECTOR, 0, count as u64).0);
    let mut conses = Vec::new();
    for _ in 0..count {
        let word = match script.below(3) {
            0 => Word::opaque(script.below(opaques.max(1))),
            1 => Word::integer(7).unwrap_or(Word(0)),
            _ => {
                let place = first + 1 + count + conses.len();
                conses.push(Head::new(RS_ITEM_CONS, 0, 2).0);
                conses.extend([Word::node(first).0, Word::constant(RS_ITEM_NIL).0]);
                Word::node(place)
            }
        };
        image.push(word.0);
    }
    image[3] += conses.len() as u64 / 3;
    image.extend(conses);
    image[1] = image.len() as u64;
    words.extend([IMAGE, image.len() as u64]);
    words.extend(image);
    words.push(opaques as u64);
    for _ in 0..opaques {
        push_plain(words, script);
    }
}

/// The code of an operation that a host may ask for.
pub fn code(script: &Script) -> u32 {
    1 + script.below(RS_ADD_ELEMENT as usize) as u32
}
