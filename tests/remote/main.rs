//! Two processes with a vm each, and a link between them.

#![cfg(target_os = "linux")]

mod batches;
mod company;
mod deaths;
mod end;
#[path = "../items/mod.rs"]
mod items;
mod kind;
mod lies;
mod meeting;
mod pair;
mod quotas;
mod requests;
mod shared;
mod sharing;
mod shortage;
mod steps;
mod tricky;
mod waking;

use end::End;
use items::{Content, Host, NIL, TRUE, content, object, small};
use pair::two;
use vmshare::host::contract::rs_value;
use vmshare::host::exchange::*;
use vmshare::host::item::*;
use vmshare::status::*;

/// The list (1 2 3 4).
fn one_to_four(host: &Host) -> rs_value {
    (1..=4).rev().fold(NIL, |tail, number| {
        host.make(Content::Cons([small(number), tail]))
    })
}

fn car(value: rs_value) -> rs_value {
    match content(value) {
        Content::Cons([car, _]) => car,
        content => panic!("no cons: {content:?}"),
    }
}

fn remote_of(value: rs_value) -> rs_remote {
    match content(value) {
        Content::Remote(remote, _) => remote,
        content => panic!("no remote: {content:?}"),
    }
}

#[test]
fn a_child_works_on_a_list_of_its_parent() {
    two(
        |parent: &End| {
            let foo = one_to_four(&parent.host);
            parent.export("foo", foo, RS_CAN_ALL);
            parent.serve_until_gone();
            // The child has put a list of its own there, and is gone: it has become one of ours.
            let Content::Forward(list) = content(car(foo)) else {
                panic!("it was not replaced: {:?}", content(car(foo)));
            };
            assert_eq!(car(list), small(7));
            assert_eq!(parent.counts().pins, 0);
        },
        |child: &End| {
            let foo = child.variable("foo").unwrap();
            assert!(matches!(content(foo), Content::Remote(_, RS_ITEM_CONS)));
            assert_eq!(
                child.variable("foo"),
                Ok(foo),
                "the same object, the same remote"
            );
            assert_eq!(child.get(foo, RS_CAR), Ok(small(1)));
            let rest = child.get(foo, RS_CDR).unwrap();
            assert_eq!(child.get(rest, RS_CAR), Ok(small(2)));
            let own = child.host.make(Content::Cons([small(7), NIL]));
            assert_eq!(child.set(foo, RS_CAR, own), Ok(()));
            assert_eq!(child.get(foo, RS_CAR), Ok(own), "what comes home is itself");
            let copy = child.copy(foo).unwrap();
            let Content::Cons([first, second]) = content(copy) else {
                panic!("no cons");
            };
            assert_eq!(first, own);
            assert_eq!(car(second), small(2));
            assert_eq!(child.close(true), Ok(()));
        },
    );
}

#[test]
fn what_is_not_exported_is_denied() {
    two(
        |parent: &End| {
            parent
                .host
                .variables
                .borrow_mut()
                .insert(b"secret".to_vec(), TRUE);
            parent.export("read-only", one_to_four(&parent.host), RS_CAN_READ);
            parent.serve_until_gone();
        },
        |child: &End| {
            assert_eq!(child.variable("secret"), Err(RS_ERR_DENIED));
            let list = child.variable("read-only").unwrap();
            assert_eq!(child.set(list, RS_CAR, NIL), Err(RS_ERR_DENIED));
            let rest = child.get(list, RS_CDR).unwrap();
            assert_eq!(child.set(rest, RS_CAR, NIL), Err(RS_ERR_DENIED));
            assert_eq!(child.get(rest, RS_CAR), Ok(small(2)));
        },
    );
}

fn call_back(host: &Host, link: rs_link, arguments: &[rs_value]) -> Result<rs_value, rs_status> {
    let [function, count] = arguments else {
        return Err(RS_ERR_UNSUPPORTED);
    };
    if *count == small(0) {
        return Ok(small(1000));
    }
    let arguments = [*function, small((*count as i64 >> 2) - 1)];
    match content(*function) {
        Content::Remote(..) => end::call(host, link, *function, &arguments),
        // It has come home: the next one is the peer's.
        _ => end::call_by_name(host, link, "call-back", &arguments),
    }
}

fn fails(host: &Host, link: rs_link, _arguments: &[rs_value]) -> Result<rs_value, rs_status> {
    Err(host.raise(link, c"arithmetic", c"division by zero"))
}

#[test]
fn calls_go_both_ways_while_each_side_waits() {
    two(
        |parent: &End| {
            parent.export("call-back", parent.host.function(call_back), RS_CAN_CALL);
            parent.serve_until_gone();
        },
        |child: &End| {
            let there = child.variable("call-back");
            assert_eq!(there, Err(RS_ERR_DENIED), "it may be called, not read");
            let here = child.host.function(call_back);
            // Each call is made inside of the other side's.
            assert_eq!(
                child.call_by_name("call-back", &[here, small(20)]),
                Ok(small(1000))
            );
            assert_eq!(
                child.call_by_name("call-back", &[here, small(200)]),
                Err(RS_ERR_LIMIT)
            );
        },
    );
}

#[test]
fn an_error_of_the_peer_s_program_is_told_with_its_text() {
    two(
        |parent: &End| {
            parent.export("fails", parent.host.function(fails), RS_CAN_CALL);
            parent.serve_until_gone();
        },
        |child: &End| {
            assert_eq!(child.call_by_name("fails", &[]), Err(RS_RAISED));
            let error = child.error();
            assert_eq!(error, ("arithmetic".into(), "division by zero".into()));
        },
    );
}

#[test]
fn references_that_are_dropped_are_given_back() {
    two(
        |parent: &End| {
            let all: Vec<rs_value> = (0..100)
                .map(|_| parent.host.make(Content::Vector(Vec::new())))
                .collect();
            parent.export("all", parent.host.make(Content::Vector(all)), RS_CAN_ALL);
            parent.serve_until_gone();
            assert_eq!(parent.most_pins.get(), 101);
        },
        |child: &End| {
            let all = child.variable("all").unwrap();
            for round in 0..3 {
                for index in 0..100 {
                    child.get(all, index).unwrap();
                }
                assert_eq!(child.counts().remotes, 101);
                assert_eq!(child.pins_of_peer(), 101);
                child.sweep(|value| value == all);
                assert_eq!(child.counts().remotes, 1);
                assert_eq!(child.pins_of_peer(), 1, "round {round}");
            }
        },
    );
}

#[test]
fn a_parent_that_is_busy_does_not_hold_its_child_for_ever() {
    two(
        |parent: &End| {
            parent.export("foo", one_to_four(&parent.host), RS_CAN_ALL);
            std::thread::sleep(std::time::Duration::from_millis(300));
            parent.serve_until_gone();
        },
        |child: &End| {
            child.host.cancels.set(true);
            assert_eq!(child.variable("foo"), Err(RS_CANCELLED));
            child.host.cancels.set(false);
            // The late answer is passed over, and the next one is the right one.
            let foo = child.variable("foo").unwrap();
            assert_eq!(child.get(foo, RS_CAR), Ok(small(1)));
            assert_eq!(child.pins_of_peer(), 1);
        },
    );
}

#[test]
fn a_peer_that_dies_ends_every_wait() {
    two(
        |parent: &End| {
            parent.export("foo", one_to_four(&parent.host), RS_CAN_ALL);
            while parent.counts().pins == 0 {
                parent.serve();
            }
            parent.kill_peer();
            let begin = std::time::Instant::now();
            parent.serve_until_gone();
            assert!(begin.elapsed().as_millis() < 1000);
            assert_eq!(parent.counts().pins, 0);
        },
        |child: &End| {
            let _foo = child.variable("foo").unwrap();
            loop {
                std::thread::sleep(std::time::Duration::from_secs(1));
            }
        },
    );
}

#[test]
fn a_graph_of_every_kind_is_copied_into_the_other_process() {
    two(
        |parent: &End| {
            let host = &parent.host;
            let text = host.make(Content::Text(3, b"raw \xff bytes".to_vec()));
            let float = host.make(Content::Float(0x7ff8_dead_beef_0001));
            let file = host.make(Content::File);
            let map = host.make(Content::Map(0, vec![text, float]));
            let record = host.make(Content::Record(b"point".to_vec(), vec![map, file]));
            let top = host.make(Content::Vector(vec![record, map, NIL, small(-9)]));
            if let Content::Vector(elements) = &mut *object(top).content.borrow_mut() {
                elements.push(top);
            }
            parent.export("top", top, RS_CAN_ALL);
            parent.serve_until_gone();
        },
        |child: &End| {
            let top = child.variable("top").unwrap();
            let copy = child.copy(top).unwrap();
            let Content::Vector(elements) = content(copy) else {
                panic!("no vector");
            };
            assert_eq!(elements[2..], [NIL, small(-9), copy]);
            let Content::Record(name, fields) = content(elements[0]) else {
                panic!("no record");
            };
            assert_eq!(name, b"point");
            assert_eq!(fields[0], elements[1]);
            assert!(matches!(
                content(fields[1]),
                Content::Remote(_, RS_ITEM_OPAQUE)
            ));
            let Content::Map(_, pairs) = content(elements[1]) else {
                panic!("no map");
            };
            assert!(
                matches!(content(pairs[0]), Content::Text(3, bytes) if bytes == b"raw \xff bytes")
            );
            assert!(matches!(
                content(pairs[1]),
                Content::Float(0x7ff8_dead_beef_0001)
            ));
            let _ = remote_of(top);
        },
    );
}

#[test]
fn many_requests_cost_one_round_trip() {
    two(
        |parent: &End| {
            let all = (0..1000).map(small).collect();
            parent.export("all", parent.host.make(Content::Vector(all)), RS_CAN_ALL);
            parent.serve_until_gone();
        },
        |child: &End| {
            let all = child.variable("all").unwrap();
            let requests: Vec<u64> = (0..1000).map(|index| child.begin_get(all, index)).collect();
            // In any order, and some not at all.
            for (index, &request) in requests.iter().enumerate().rev() {
                match index % 10 {
                    0 => child.forget(request),
                    _ => assert_eq!(child.finish(request), Ok(small(index as i64))),
                }
            }
            assert_eq!(child.finish(requests[5]), Err(RS_ERR_ARGUMENT));
            let late = child.begin_get(all, 7);
            while child.poll(late).is_none() {}
        },
    );
}

#[test]
fn a_path_is_followed_by_the_owner() {
    two(
        |parent: &End| {
            parent.export("foo", one_to_four(&parent.host), RS_CAN_ALL);
            parent.serve_until_gone();
        },
        |child: &End| {
            let foo = child.variable("foo").unwrap();
            let third = child.path(foo, &[RS_CDR, RS_CDR, RS_CAR]);
            assert_eq!(third, Ok(small(3)));
            assert_eq!(child.path(foo, &[]), Ok(foo));
            assert_eq!(child.path(foo, &[RS_CDR, 2]), Err(RS_RAISED));
            let before = child.counts().requests;
            child.path(foo, &[RS_CDR, RS_CDR, RS_CDR]).unwrap();
            assert_eq!(child.counts().requests, before + 1);
        },
    );
}

fn revoke(host: &Host, link: rs_link, arguments: &[rs_value]) -> Result<rs_value, rs_status> {
    // SAFETY: any value may be given.
    match unsafe { vmshare::ffi::link::rs_link_revoke(host.vm, link, arguments[0]) } {
        RS_OK => Ok(NIL),
        status => Err(status),
    }
}

#[test]
fn what_was_revoked_is_stale() {
    two(
        |parent: &End| {
            parent.export("foo", one_to_four(&parent.host), RS_CAN_ALL);
            parent.export("revoke", parent.host.function(revoke), RS_CAN_CALL);
            parent.serve_until_gone();
        },
        |child: &End| {
            let foo = child.variable("foo").unwrap();
            assert_eq!(child.call_by_name("revoke", &[foo]), Ok(NIL));
            assert_eq!(child.get(foo, RS_CAR), Err(RS_ERR_STALE));
            assert_eq!(child.pins_of_peer(), 0);
            let again = child.variable("foo").unwrap();
            assert_ne!(again, foo);
            assert_eq!(child.get(again, RS_CAR), Ok(small(1)));
            // The stale one is given back like any other.
            child.sweep(|value| value == again);
            assert_eq!(child.pins_of_peer(), 1);
        },
    );
}

#[test]
fn both_may_part_with_copies_of_each_other_s_objects() {
    two(
        |parent: &End| {
            let foo = one_to_four(&parent.host);
            let file = parent.host.make(Content::File);
            parent.export("foo", foo, RS_CAN_ALL);
            parent.export("file", file, RS_CAN_ALL);
            parent.serve_until_gone();
            let Content::Forward(theirs) = content(car(foo)) else {
                panic!("it was not replaced");
            };
            // It referred to what was ours, which has come home.
            assert_eq!(car(theirs), foo);
        },
        |child: &End| {
            let foo = child.variable("foo").unwrap();
            let file = child.variable("file").unwrap();
            let own = child.host.make(Content::Cons([foo, NIL]));
            child.set(foo, RS_CAR, own).unwrap();
            let flags = RS_LINK_EVACUATE | RS_LINK_FETCH;
            assert_eq!(child.close_with(flags), Ok(()));
            let Content::Forward(copy) = content(foo) else {
                panic!("it was not replaced");
            };
            // What the parent had got in its place was copied with it.
            assert_eq!(car(car(copy)), copy);
            assert!(
                matches!(content(file), Content::Remote(..)),
                "it can't be copied"
            );
        },
    );
}

#[test]
fn a_forked_child_leaves_the_links_of_its_parent_alone() {
    two(
        |parent: &End| {
            parent.export("foo", one_to_four(&parent.host), RS_CAN_ALL);
            parent.serve_until_gone();
        },
        |child: &End| {
            let foo = child.variable("foo").unwrap();
            let grandchild = child.fork(|| {
                assert_eq!(child.get(foo, RS_CAR), Err(RS_ERR_FORKED));
                assert_eq!(child.close(false), Err(RS_ERR_FORKED));
            });
            assert_eq!(grandchild, 0);
            assert_eq!(child.get(foo, RS_CAR), Ok(small(1)));
        },
    );
}
