//! One of the two is killed, at any moment: the other one goes on, and nothing is left.

use crate::end::End;
use crate::items::{Content, NIL, small};
use crate::pair::{two, two_and_a_kill};
use std::time::{Duration, Instant};
use vmshare::host::contract::rs_value;
use vmshare::host::exchange::*;
use vmshare::status::*;

/// Rounds, given from outside for a soak.
fn rounds() -> u64 {
    std::env::var("VMSHARE_ROUNDS").map_or(100, |text| text.parse().expect("a number"))
}

/// Microseconds until a kill, spread over what a request takes.
fn delay(round: u64) -> Duration {
    Duration::from_micros(round.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52)
}

fn vector(end: &End, length: usize) -> rs_value {
    let elements = (0..length)
        .map(|_| end.host.make(Content::Cons([NIL, NIL])))
        .collect();
    end.host.make(Content::Vector(elements))
}

/// Every kind of request, over and over.
fn work(end: &End, top: rs_value) -> Result<(), rs_status> {
    for index in 0.. {
        let element = end.get(top, index % 100)?;
        let own = end.host.make(Content::Cons([NIL, NIL]));
        end.set(element, RS_CAR, own)?;
        end.set(element, RS_CDR, element)?;
        if end.get(element, RS_CAR)? != own {
            return Err(RS_ERR_HOST);
        }
        end.copy(element)?;
        end.call_by_name("pins", &[])?;
        end.sweep(|value| value == top);
    }
    Ok(())
}

#[test]
fn a_child_is_killed_at_any_moment() {
    for round in 0..rounds() {
        two_and_a_kill(
            delay(round),
            |parent: &End| {
                parent.export("top", vector(parent, 100), RS_CAN_ALL);
                parent.serve_until_gone();
                assert_eq!(parent.counts().pins, 0);
                parent.sweep(|_| false);
                assert_eq!(parent.counts().remotes, 0);
            },
            |child: &End| {
                let top = child.variable("top").unwrap();
                let _ = work(child, top);
            },
        );
    }
}

#[test]
fn an_owner_is_killed_at_any_moment() {
    for round in 0..rounds() {
        two_and_a_kill(
            delay(round),
            |asker: &End| {
                let Ok(top) = asker.variable("top") else {
                    return;
                };
                let outcome = work(asker, top);
                assert_eq!(outcome, Err(RS_ERR_DEAD));
                let (_, text) = asker.error();
                assert!(
                    text.starts_with("not executed") || text.starts_with("unknown"),
                    "{text}"
                );
                let begin = Instant::now();
                assert_eq!(asker.get(top, 0), Err(RS_ERR_DEAD));
                assert!(begin.elapsed() < Duration::from_millis(5));
                assert!(asker.error().1.starts_with("not executed"));
                assert_eq!(asker.counts().pins, 0);
            },
            |owner: &End| {
                owner.export("pins", owner.host.function(crate::end::pins), RS_CAN_CALL);
                owner.export("top", vector(owner, 100), RS_CAN_ALL);
                owner.serve_until_gone();
            },
        );
    }
}

#[test]
fn a_wait_for_a_dead_owner_ends_within_milliseconds() {
    two(
        |parent: &End| {
            let killed = parent.kill_peer_after(Duration::from_millis(50));
            // The child never serves.
            assert_eq!(parent.variable("anything"), Err(RS_ERR_DEAD));
            let now = Instant::now();
            let late = now.duration_since(killed.join().unwrap());
            assert!(late < Duration::from_millis(200), "{late:?}");
        },
        |_child: &End| {
            std::thread::sleep(Duration::from_secs(20));
        },
    );
}

#[test]
fn a_million_references_of_a_dead_child_are_let_go_at_once() {
    let count = 200_000;
    two(
        |parent: &End| {
            parent.export("top", vector(parent, count), RS_CAN_ALL);
            while parent.counts().pins < count as u64 {
                parent.serve();
            }
            parent.kill_peer();
            let begin = Instant::now();
            parent.serve_until_gone();
            assert_eq!(parent.counts().pins, 0);
            println!("{count} pins were let go in {:?}", begin.elapsed());
        },
        |child: &End| {
            let top = child.variable("top").unwrap();
            // A copy to the depth of one: references to all elements.
            child.copy_to(top, 0).unwrap();
            let _ = small(0);
            loop {
                std::thread::sleep(Duration::from_secs(1));
            }
        },
    );
}
