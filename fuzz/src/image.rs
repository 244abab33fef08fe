//! Arbitrary bytes as an image: refused, or read in place to every corner, and made into objects whose
//! own image says the same.

#![no_main]

#[path = "../../tests/items/mod.rs"]
mod items;
mod readers;

use items::{Content, Host};
use libfuzzer_sys::fuzz_target;
use readers::InPlace;
use vmshare::ffi::graph::RS_WHOLE;
use vmshare::host::contract::rs_value;
use vmshare::status::*;

/// More opaque values than this are not made.
const MOST_OPAQUES: u64 = 1000;

fuzz_target!(|bytes: &[u8]| {
    let words: Vec<u64> = bytes
        .chunks_exact(8)
        .map(|word| u64::from_le_bytes(word.try_into().unwrap()))
        .collect();
    let host = Host::new(bytes.len().is_multiple_of(2));
    let Ok(image) = host.read(&words) else {
        return;
    };
    let first = host.words(image);
    assert_eq!(first, words);
    readers::read_everything(&first);
    let opaques = make_opaques(&host, first[4].min(MOST_OPAQUES));
    match host.decode(image, Some(&opaques)) {
        Ok(root) => expect_same_again(&host, &first, &opaques, root),
        Err(status) => assert!(first[4] > MOST_OPAQUES, "status {status}"),
    }
    assert_eq!(host.free(image), RS_OK);
});

fn make_opaques(host: &Host, count: u64) -> Vec<rs_value> {
    (0..count).map(|_| host.make(Content::File)).collect()
}

/// The image of what was made of an image says the same, and the image of what is made of that, word by word.
fn expect_same_again(host: &Host, first: &[u64], opaques: &[rs_value], root: rs_value) {
    let (second, second_opaques) = encode(host, root);
    let names = |word: u64| opaques[readers::opaque(word) as usize];
    let second_names = |word: u64| second_opaques[readers::opaque(word) as usize];
    InPlace::new(first, &names).expect_same(&InPlace::new(&second, &second_names));
    let image = host.read(&second).expect("what was encoded is valid");
    let again = host.decode(image, Some(&second_opaques)).unwrap();
    assert_eq!(host.free(image), RS_OK);
    assert_eq!(encode(host, again), (second, second_opaques));
}

fn encode(host: &Host, root: rs_value) -> (Vec<u64>, Vec<rs_value>) {
    let image = host.encode(root, RS_WHOLE, 0).unwrap();
    let encoded = (host.words(image), host.opaques(image));
    assert_eq!(host.free(image), RS_OK);
    encoded
}
