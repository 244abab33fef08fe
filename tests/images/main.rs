//! Images: what goes in comes out, whatever its shape; and bytes that are none are refused.

#[path = "../items/mod.rs"]
mod items;

use items::{Content, FALSE, Host, NIL, TRUE, content, object, small};
use proptest::prelude::*;
use std::collections::HashMap;
use vmshare::ffi::graph::RS_WHOLE;
use vmshare::host::contract::rs_value;
use vmshare::status::*;

/// How an object is met again: by its identity, or, if it is a number as an image keeps it in a word, by
/// that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Itself(rs_value),
    Integer(i64),
}

fn key(value: rs_value) -> Key {
    if value & 3 == 3 {
        return Key::Integer(value as i64 >> 2);
    }
    if value <= TRUE {
        return Key::Itself(value);
    }
    match content(value) {
        Content::Integer(integer) if integer << 3 >> 3 == integer => Key::Integer(integer),
        _ => Key::Itself(value),
    }
}

/// What stands in a graph in the place of one object.
#[derive(Debug, PartialEq)]
enum Written {
    /// An immediate, or what is not looked into.
    Leaf(Key),
    /// What it holds, less its elements; and the numbers of those.
    Object(Content, Vec<usize>),
}

/// A graph, written down in the order in which it is first met, with numbers instead of values: two
/// graphs are the same if this is. `leaves` are not looked into.
fn written(root: rs_value, leaves: &[rs_value]) -> Vec<Written> {
    let mut numbers = HashMap::from([(key(root), 0)]);
    let mut queue = vec![root];
    let mut result = Vec::new();
    while result.len() < queue.len() {
        let value = queue[result.len()];
        let key = key(value);
        if value <= TRUE || leaves.contains(&value) || matches!(key, Key::Integer(_)) {
            result.push(Written::Leaf(key));
            continue;
        }
        let mut content = content(value);
        let elements: &mut [rs_value] = match &mut content {
            Content::Cons(elements) => elements,
            Content::Vector(elements)
            | Content::Map(_, elements)
            | Content::Record(_, elements) => elements,
            _ => &mut [],
        };
        let mut references = Vec::new();
        for element in elements {
            references.push(*numbers.entry(self::key(*element)).or_insert_with(|| {
                queue.push(*element);
                queue.len() - 1
            }));
            *element = 0;
        }
        result.push(Written::Object(content, references));
    }
    result
}

fn round_trip(host: &Host, root: rs_value) -> rs_value {
    let image = host.encode(root, RS_WHOLE, 0).unwrap();
    let words = host.words(image);
    assert_eq!(host.free(image), RS_OK);
    let image = host.read(&words).unwrap();
    let copy = host.decode(image, Some(&[])).unwrap();
    assert_eq!(host.free(image), RS_OK);
    copy
}

/// A graph of random shape: what each object holds, by numbers of objects.
fn graph() -> impl Strategy<Value = Vec<(u8, u64, Vec<usize>)>> {
    let object = (
        0..11_u8,
        any::<u64>(),
        prop::collection::vec(0..40_usize, 0..9),
    );
    prop::collection::vec(object, 1..30)
}

fn make(host: &Host, graph: &[(u8, u64, Vec<usize>)]) -> rs_value {
    let values: Vec<rs_value> = graph
        .iter()
        .map(|(kind, bits, _)| {
            let bytes = bits.to_le_bytes()[..*bits as usize % 9].to_vec();
            host.make(match kind {
                0 => Content::Integer(*bits as i64),
                1 => Content::BigInteger(bits % 2 == 0, bytes),
                2 => Content::Float(*bits),
                3 => Content::Symbol(bytes),
                4 => Content::Uninterned(bytes),
                5 => Content::Text(*bits as u32 & 0xffff, bytes),
                6 => Content::Cons([NIL, NIL]),
                7 | 8 => Content::Vector(Vec::new()),
                9 => Content::Map(*bits as u32 & 3, Vec::new()),
                _ => Content::Record(bytes, Vec::new()),
            })
        })
        .collect();
    let value = |number: usize| match number {
        30.. => [NIL, TRUE, FALSE, small(7), small(-1)][number % 5],
        number => values[number % values.len()],
    };
    for (place, (_, _, references)) in graph.iter().enumerate() {
        let elements: Vec<rs_value> = references.iter().copied().map(value).collect();
        match &mut *object(values[place]).content.borrow_mut() {
            Content::Cons(own) => {
                for (place, element) in own.iter_mut().zip(elements) {
                    *place = element;
                }
            }
            Content::Vector(own) | Content::Record(_, own) => *own = elements,
            Content::Map(_, own) => *own = elements[..elements.len() / 2 * 2].to_vec(),
            _ => {}
        }
    }
    values[0]
}

proptest! {
    #[test]
    fn what_goes_in_comes_out(graph in graph(), immediates: bool) {
        let host = Host::new(immediates);
        let root = make(&host, &graph);
        host.collects.set(true);
        let copy = round_trip(&host, root);
        prop_assert_eq!(written(root, &[]), written(copy, &[]));
    }

    #[test]
    fn a_limit_leaves_references_to_the_rest(graph in graph(), depth in 0..4_u64, bytes in 0..400_u64) {
        let host = Host::new(true);
        let root = make(&host, &graph);
        let image = host.encode(root, depth, bytes).unwrap();
        prop_assert!(bytes == 0 || host.words(image).len() as u64 * 8 <= bytes.max(40) + 200);
        let opaques = host.opaques(image);
        let unique: std::collections::HashSet<_> = opaques.iter().collect();
        prop_assert_eq!(unique.len(), opaques.len(), "each object is referred to once");
        // With the objects themselves in their places: the same graph as far as it was copied, and
        // from there on the very objects.
        let copy = host.decode(image, None).unwrap();
        prop_assert_eq!(written(root, &opaques), written(copy, &opaques));
        prop_assert_eq!(host.free(image), RS_OK);
    }

    #[test]
    fn bytes_that_are_no_image_are_refused_or_harmless(
        graph in graph(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u64>(), 0..3_u8), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let host = Host::new(true);
        let image = host.encode(make(&host, &graph), RS_WHOLE, 0).unwrap();
        let mut words = host.words(image);
        for (place, bits, how) in changes {
            let length = words.len();
            let word = &mut words[place.index(length)];
            match how {
                0 => *word = bits,
                1 => *word ^= 1 << (bits % 64),
                _ => *word = bits % (8 * length as u64),
            }
        }
        if let Some(cut) = cut {
            words.truncate(cut.index(words.len()));
        }
        match host.read(&words) {
            Err(status) => prop_assert!(matches!(status, RS_ERR_IMAGE | RS_ERR_ARGUMENT)),
            Ok(image) => {
                let opaques = vec![NIL; words[4].min(100) as usize];
                let _ = host.decode(image, Some(&opaques));
                prop_assert_eq!(host.free(image), RS_OK);
            }
        }
    }
}

#[test]
fn every_bit_of_a_number_counts() {
    let host = Host::new(true);
    let floats = [
        0x8000_0000_0000_0000,
        0x7ff8_dead_beef_0001,
        0xfff4_0000_0000_0002,
        0,
    ];
    let integers = [
        i64::MIN,
        i64::MAX,
        1 << 60,
        -(1 << 60),
        (1 << 60) - 1,
        -(1 << 60) - 1,
    ];
    let objects: Vec<rs_value> = floats
        .iter()
        .map(|&bits| host.make(Content::Float(bits)))
        .chain(integers.iter().map(|&i| host.make(Content::Integer(i))))
        .chain([host.make(Content::BigInteger(true, vec![1; 100]))])
        .collect();
    let copy = round_trip(&host, host.make(Content::Vector(objects.clone())));
    let Content::Vector(copies) = content(copy) else {
        panic!("no vector");
    };
    for (object, copy) in objects.iter().zip(copies) {
        match content(*object) {
            Content::Integer(integer) if copy & 3 == 3 => {
                assert_eq!(integer, copy as i64 >> 2);
            }
            content_before => assert_eq!(content_before, content(copy)),
        }
    }
}

#[test]
fn raw_bytes_and_flags_are_kept() {
    let host = Host::new(true);
    let bytes: Vec<u8> = (0..=255).chain([0, 0, 0]).collect();
    let text = host.make(Content::Text(0xabcd, bytes.clone()));
    assert_eq!(
        content(round_trip(&host, text)),
        Content::Text(0xabcd, bytes)
    );
    let empty = host.make(Content::Text(0, Vec::new()));
    assert_eq!(
        content(round_trip(&host, empty)),
        Content::Text(0, Vec::new())
    );
}

#[test]
fn an_uninterned_symbol_is_one_object_and_no_other() {
    let host = Host::new(true);
    let one = host.make(Content::Uninterned(b"x".to_vec()));
    let other = host.make(Content::Uninterned(b"x".to_vec()));
    let copy = round_trip(&host, host.make(Content::Vector(vec![one, other, one])));
    let Content::Vector(copies) = content(copy) else {
        panic!("no vector");
    };
    assert_eq!(copies[0], copies[2]);
    assert_ne!(copies[0], copies[1]);
}

#[test]
fn a_list_of_a_million_needs_no_stack() {
    let host = Host::new(true);
    let mut list = NIL;
    for i in 0..1_000_000 {
        list = host.make(Content::Cons([small(i), list]));
    }
    let thread = std::thread::Builder::new().stack_size(128 * 1024);
    let (vm, list) = (&raw const *host as usize, list);
    let copy = thread.spawn(move || {
        // SAFETY: the host outlives the thread, which alone uses it.
        let host = unsafe { &*(vm as *const Host) };
        round_trip(host, list)
    });
    let mut copy = copy.unwrap().join().unwrap();
    for i in (0..1_000_000).rev() {
        let Content::Cons([head, tail]) = content(copy) else {
            panic!("the list ends early");
        };
        assert_eq!(head, small(i));
        copy = tail;
    }
    assert_eq!(copy, NIL);
}

#[test]
fn a_graph_with_2_to_the_40_paths_is_40_objects() {
    let host = Host::new(true);
    let mut top = host.make(Content::Cons([NIL, NIL]));
    for _ in 0..40 {
        top = host.make(Content::Cons([top, top]));
    }
    let before = host.count();
    round_trip(&host, top);
    assert_eq!(host.count() - before, 41);
}

#[test]
fn a_map_is_filled_when_its_keys_are_whole() {
    let host = Host::new(true);
    let key = host.make(Content::Vector(vec![small(1)]));
    let inner = host.make(Content::Map(0, vec![key, TRUE]));
    let outer = host.make(Content::Map(0, vec![inner, key]));
    let copy = round_trip(&host, outer);
    assert_eq!(written(outer, &[]), written(copy, &[]));
}

#[test]
fn what_is_never_copied_is_referred_to() {
    let host = Host::new(true);
    let file = host.make(Content::File);
    let root = host.make(Content::Vector(vec![file, small(1), file]));
    let image = host.encode(root, RS_WHOLE, 0).unwrap();
    assert_eq!(host.opaques(image), [file]);
    assert_eq!(host.decode(image, Some(&[])), Err(RS_ERR_IMAGE));
    let copy = host.decode(image, Some(&[TRUE])).unwrap();
    assert_eq!(content(copy), Content::Vector(vec![TRUE, small(1), TRUE]));
    assert_eq!(host.free(image), RS_OK);
    assert_eq!(host.free(image), RS_ERR_CLOSED);
    assert_eq!(host.decode(image, None), Err(RS_ERR_CLOSED));
}

#[test]
fn an_immediate_may_be_the_root() {
    let host = Host::new(false);
    for value in [NIL, TRUE, FALSE] {
        assert_eq!(round_trip(&host, value), value);
    }
    assert_eq!(content(round_trip(&host, small(-5))), Content::Integer(-5));
    let host = Host::new(true);
    assert_eq!(round_trip(&host, small(-5)), small(-5));
}

/// Fails every allocation, and every callback, in turn: each time the call says so, and all that the
/// library took is given back (which the host checks when it ends).
#[test]
fn running_out_of_memory_is_an_error() {
    let host = Host::new(true);
    let leaf = host.make(Content::Text(0, vec![7; 100]));
    let record = host.make(Content::Record(b"point".to_vec(), vec![leaf, NIL]));
    let map = host.make(Content::Map(0, vec![leaf, record]));
    let root = host.make(Content::Vector(vec![record, map, leaf, small(4)]));
    let image = host.encode(root, RS_WHOLE, 0).unwrap();
    let words = host.words(image);
    let mut failures = 0;
    for (left, expected) in [
        (&host.allocations_left, RS_ERR_MEMORY),
        (&host.callbacks_left, RS_ERR_HOST),
    ] {
        for count in 0.. {
            left.set(count);
            let results = [
                host.encode(root, RS_WHOLE, 0)
                    .map(|image| assert_eq!(host.free(image), RS_OK)),
                host.read(&words)
                    .map(|image| assert_eq!(host.free(image), RS_OK)),
                host.decode(image, None).map(drop),
            ];
            left.set(-1);
            let failed = results.iter().filter(|result| result.is_err()).count();
            for result in results {
                assert!(result.is_ok() || result == Err(expected), "{result:?}");
            }
            failures += failed;
            if failed == 0 {
                break;
            }
        }
    }
    assert!(failures > 20, "only {failures} failures");
    let copy = host.decode(image, None).unwrap();
    assert_eq!(written(root, &[]), written(copy, &[]));
    assert_eq!(host.free(image), RS_OK);
}
