//! Sequences of calls on two vms and the links between them, with handles that are valid, closed, of the other vm,
//! of another kind, or none at all.

#![no_main]

#[path = "../../tests/items/mod.rs"]
mod items;
mod requests;
mod script;
mod world;

use libfuzzer_sys::fuzz_target;
use script::Script;
use world::World;

/// Most calls of a run.
const MOST: usize = 80;

fuzz_target!(|bytes: &[u8]| {
    let script = Script::new(bytes);
    let mut world = World::new(&script);
    for _ in 0..MOST {
        if script.is_over() {
            break;
        }
        world.call();
    }
    world.end();
});
