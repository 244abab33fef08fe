//! No wake-up is lost between links: whoever sleeps, in a call or in an event loop of its own, is woken.
//!
//! If one were, a request would run into its time limit, or a poll into its own.

use crate::end::End;
use crate::items::{Content, NIL, small};
use crate::lies::Numbers;
use crate::pair::{DEFAULT, two_with};
use std::time::{Duration, Instant};
use vmshare::host::contract::rs_value;
use vmshare::host::exchange::*;

/// Long enough for anything but a wake-up that was lost.
const PATIENT: rs_link_options = rs_link_options {
    timeout: 20_000_000_000,
    ..DEFAULT
};

/// Writes and reads, each a round trip; 5,000,000 are a soak.
fn wake_ups() -> u64 {
    std::env::var("VMSHARE_WAKE_UPS").map_or(5_000, |text| text.parse().expect("a number"))
}

/// Wastes up to 40 µs, twice as long as a waiting link looks before it sleeps: so that it is about to sleep,
/// asleep, or not there yet when the other end has done its part.
fn dawdle(numbers: &mut Numbers) {
    let begin = Instant::now();
    let time = Duration::from_nanos(numbers.next() % 40_000);
    while begin.elapsed() < time {
        std::hint::spin_loop();
    }
}

fn export_list(owner: &End) {
    let list = owner.host.make(Content::Cons([small(0), NIL]));
    owner.export("list", list, RS_CAN_ALL);
}

/// An event loop, which is not always quick.
fn serve_slowly(owner: &End) {
    let mut numbers = Numbers(1);
    while owner.serve() {
        dawdle(&mut numbers);
        owner.poll_descriptor();
        dawdle(&mut numbers);
    }
}

/// Writes a number, and reads it, over and over.
fn write_and_read(asker: &End, read: impl Fn(rs_value) -> rs_value) {
    let list = asker.variable("list").unwrap();
    let mut numbers = Numbers(2);
    for round in 0..wake_ups() as i64 {
        assert_eq!(asker.set(list, RS_CAR, small(round)), Ok(()));
        dawdle(&mut numbers);
        assert_eq!(read(list), small(round));
        dawdle(&mut numbers);
    }
}

#[test]
fn a_caller_and_an_event_loop_wake_each_other() {
    two_with(
        PATIENT,
        |parent: &End| {
            export_list(parent);
            serve_slowly(parent);
        },
        |child: &End| write_and_read(child, |list| child.get(list, RS_CAR).unwrap()),
    );
}

#[test]
fn two_event_loops_wake_each_other() {
    two_with(
        PATIENT,
        |parent: &End| {
            export_list(parent);
            serve_slowly(parent);
        },
        |child: &End| {
            write_and_read(child, |list| {
                let request = child.begin_get(list, RS_CAR);
                loop {
                    assert!(child.serve());
                    if let Some(value) = child.poll(request) {
                        return value;
                    }
                    child.poll_descriptor();
                }
            });
        },
    );
}

#[test]
fn two_callers_wake_each_other() {
    two_with(
        PATIENT,
        |parent: &End| {
            export_list(parent);
            let mut numbers = Numbers(3);
            while parent.wait().is_ok() {
                dawdle(&mut numbers);
            }
        },
        |child: &End| write_and_read(child, |list| child.get(list, RS_CAR).unwrap()),
    );
}
