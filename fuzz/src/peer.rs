//! A peer that may do anything at any time, against an end that runs the whole session layer.

#![no_main]

#[path = "../../tests/items/mod.rs"]
mod items;
mod liar;
mod messages;
mod owner;
mod requests;
mod script;

use libfuzzer_sys::fuzz_target;
use owner::Owner;
use script::Script;
use std::rc::Rc;

/// Most things that happen in a run, which waits for each of them for some time.
const MOST: usize = 60;

fuzz_target!(|bytes: &[u8]| {
    let script = Rc::new(Script::new(bytes));
    let owner = Owner::new(&script);
    for _ in 0..MOST {
        if script.is_over() || owner.is_closed() {
            break;
        }
        match script.below(2) {
            0 => owner.liar.act(&script),
            _ => owner.act(&script),
        }
    }
    owner.end();
});
