//! What is easily got wrong: each test is named after its case.

use crate::end::{End, copy_of};
use crate::items::{Body, Content, Host, Moment, NIL, TRUE, content, object, small};
use crate::lies::{self, receive};
use crate::pair::{
    DEFAULT, expect_end, fork_to, join_link, new_link, two, two_with_a_liar, with_two,
};
use crate::requests::Request;
use crate::shared::{Shared, wait_until};
use crate::sharing::shareable_vector;
use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};
use vmshare::ffi::link::rs_link_spawned;
use vmshare::host::contract::rs_value;
use vmshare::host::exchange::*;
use vmshare::host::item::*;
use vmshare::shm::channel::Channel;
use vmshare::status::*;

/// A number given from outside, for longer runs.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn a_release_that_crosses_a_re_send_leaves_the_object_where_it_is() {
    with_two(|owner, asker| {
        let list = owner.host.make(Content::Cons([small(1), NIL]));
        owner.export("list", list, RS_CAN_ALL);
        let first = asker.served_by(owner, |asker| asker.begin_variable("list"));
        // It is sent again, and on its way, when what stands for it here is found dead.
        let request = asker.begin_variable("list").unwrap();
        owner.serve();
        asker.sweep(|_| false);
        let second = asker.finish(request).unwrap();
        assert_ne!(Ok(second), first, "a new object stands for it");
        asker.serve();
        owner.serve();
        assert_eq!(
            owner.counts().pins,
            1,
            "one reference of two was given back"
        );
        let car = asker.served_by(owner, |asker| Ok(asker.begin_get(second, RS_CAR)));
        assert_eq!(car, Ok(small(1)));
        asker.sweep(|_| false);
        asker.serve();
        owner.serve();
        assert_eq!(owner.counts().pins, 0);
    });
}

/// Asks for a variable, which is an object: the number of its pin.
fn pin_of(channel: &mut Channel, name: &str) -> u64 {
    lies::send(channel, 1, &lies::request(RS_READ_VARIABLE, 0, 0, name)).unwrap();
    let answer = receive(channel);
    assert_eq!(answer[1..3], [RS_OK as u64, 6]);
    answer[3]
}

#[test]
fn a_slot_that_is_used_again_is_stale_for_who_has_given_it_back() {
    two_with_a_liar(
        |parent: &End| {
            for (name, number) in [("one", 1), ("two", 2)] {
                let list = parent.host.make(Content::Cons([small(number), NIL]));
                parent.export(name, list, RS_CAN_ALL);
            }
            parent.serve_until_gone();
        },
        |channel: &mut Channel| {
            let one = pin_of(channel, "one");
            let read = |pin| lies::request(RS_READ_ELEMENT, pin, RS_CAR, "");
            lies::send(channel, 1, &read(one)).unwrap();
            assert_eq!(receive(channel)[1..], [RS_OK as u64, 1 << 3 | 1]);
            lies::send(channel, 3, &[one, 1]).unwrap();
            let two = pin_of(channel, "two");
            assert_eq!(two as u32, one as u32, "the same place");
            lies::send(channel, 1, &read(one)).unwrap();
            assert_eq!(receive(channel)[1], RS_ERR_STALE as i64 as u64);
            lies::send(channel, 1, &read(two)).unwrap();
            assert_eq!(receive(channel)[1..], [RS_OK as u64, 2 << 3 | 1]);
        },
    );
}

#[test]
fn a_grandchild_that_inherits_a_link_is_refused() {
    two(
        |parent: &End| {
            let list = parent.host.make(Content::Cons([small(1), NIL]));
            parent.export("list", list, RS_CAN_ALL);
            parent.serve_until_gone();
        },
        |child: &End| {
            let list = child.variable("list").unwrap();
            // Whether it tells the library of the fork (main.rs) or not.
            expect_end(fork_to(|| {
                assert_eq!(child.get(list, RS_CAR), Err(RS_ERR_FORKED));
                assert_eq!(child.try_serve(Duration::ZERO), Err(RS_ERR_FORKED));
                assert_eq!(child.close(true), Err(RS_ERR_FORKED));
            }));
            assert_eq!(child.get(list, RS_CAR), Ok(small(1)));
        },
    );
}

/// What a child found whose parent has died.
#[derive(Default)]
struct Orphan {
    status: AtomicI32,
    nanoseconds: AtomicU64,
    was_unknown: AtomicBool,
    is_done: AtomicBool,
}

#[test]
fn a_parent_dies_during_its_childs_setcar() {
    let _alone = crate::pair::alone();
    let orphan = Shared::<Orphan>::new();
    let killed_at = Rc::new(Shared::<AtomicU64>::new());
    let parent = fork_to(|| {
        let host = Host::new(true);
        let (link, end) = new_link(&host, &DEFAULT);
        let child = fork_to(|| {
            let host = Host::new(true);
            let link = join_link(&host, &DEFAULT, end);
            let child = End::new(host, link, 0);
            let list = child.variable("list").unwrap();
            let outcome = child.set(list, RS_CAR, small(7));
            let late = vmshare::shm::deadline::now() - killed_at.load(SeqCst);
            orphan.status.store(outcome.unwrap_err(), SeqCst);
            orphan.nanoseconds.store(late, SeqCst);
            let is_unknown = child.error().1.starts_with("unknown");
            orphan.was_unknown.store(is_unknown, SeqCst);
            orphan.is_done.store(true, SeqCst);
        });
        // SAFETY: the child has not been waited for.
        assert_eq!(unsafe { rs_link_spawned(host.vm, link, child) }, RS_OK);
        let list = host.make(Content::Cons([small(1), NIL]));
        let parent = End::new(host, link, child);
        parent.export("list", list, RS_CAN_ALL);
        let killed_at = killed_at.clone();
        *parent.host.observer.borrow_mut() = Some(Box::new(move |moment| {
            if matches!(moment, Moment::Operates(_)) {
                killed_at.store(vmshare::shm::deadline::now(), SeqCst);
                // SAFETY: ends this process.
                unsafe { libc::raise(libc::SIGKILL) };
            }
        }));
        parent.serve_until_gone();
    });
    expect_end(parent);
    wait_until(|| orphan.is_done.load(SeqCst));
    assert_eq!(orphan.status.load(SeqCst), RS_ERR_DEAD);
    assert!(orphan.was_unknown.load(SeqCst));
    let late = Duration::from_nanos(orphan.nanoseconds.load(SeqCst));
    assert!(late < Duration::from_secs(2), "{late:?}");
}

/// Two seconds, or as many milliseconds as VMSHARE_BUSY says.
fn busy_for() -> Duration {
    Duration::from_millis(setting("VMSHARE_BUSY", 2_000))
}

fn be_busy(_: &Host, _: rs_link, _: &[rs_value]) -> Result<rs_value, rs_status> {
    std::thread::sleep(busy_for());
    Ok(NIL)
}

#[test]
fn a_child_need_not_wait_for_a_parent_that_is_busy() {
    two(
        |parent: &End| {
            let list = parent.host.make(Content::Cons([small(1), NIL]));
            parent.export("list", list, RS_CAN_ALL);
            parent.export("be busy", parent.host.function(be_busy), RS_CAN_CALL);
            let operations = Rc::new(Cell::new(0));
            let seen = operations.clone();
            *parent.host.observer.borrow_mut() = Some(Box::new(move |moment| {
                if matches!(moment, Moment::Operates(_)) {
                    seen.set(seen.get() + 1);
                }
            }));
            parent.serve_until_gone();
            // The call, what was cancelled, and the last one; but not what nobody waited for any more.
            assert_eq!(operations.get(), 3);
        },
        |child: &End| {
            let list = child.variable("list").unwrap();
            let begin = Instant::now();
            let busy = child.begin_by_name(Request::named(RS_CALL, "be busy", &[]));
            let patience = busy_for() / 10;
            let request = Request {
                timeout: patience.as_nanos() as u64,
                ..Request::new(RS_READ_ELEMENT, RS_CAR, &[])
            };
            let request = child.begin(list, request).unwrap();
            assert_eq!(child.finish(request), Err(RS_ERR_TIMEOUT));
            assert!(begin.elapsed() >= patience);
            child.host.cancels.set(true);
            assert_eq!(child.get(list, RS_CAR), Err(RS_CANCELLED));
            assert!(begin.elapsed() < busy_for(), "it has not waited");
            child.host.cancels.set(false);
            assert_eq!(child.finish(busy.unwrap()), Ok(NIL));
            assert_eq!(child.get(list, RS_CAR), Ok(small(1)));
        },
    );
}

/// A vector of conses, vectors and maps, which a collector's thread could not shake more.
fn changing_graph(host: &Host) -> rs_value {
    let element = |number| match number % 3 {
        0 => host.make(Content::Cons([small(number), NIL])),
        1 => host.make(Content::Vector((0..number).map(small).collect())),
        _ => host.make(Content::Map(0, vec![small(number), small(0)])),
    };
    host.make(Content::Vector((0..600).map(element).collect()))
}

/// Vectors become longer and shorter, and the memory of all elements another.
fn change(elements: &[rs_value], round: i64) {
    for value in elements {
        match &mut *object(*value).content.borrow_mut() {
            Content::Cons(own) => own[0] = small(round),
            Content::Vector(own) => {
                let length = (own.len() as i64 * 7 + round) % 50;
                *own = (0..length).map(small).collect();
            }
            Content::Map(_, own) => *own = vec![small(round), small(round)],
            _ => {}
        }
    }
}

#[test]
fn a_graph_changes_while_it_is_copied() {
    two(
        |parent: &End| {
            let graph = changing_graph(&parent.host);
            parent.export("graph", graph, RS_CAN_ALL);
            let Content::Vector(elements) = content(graph) else {
                panic!("no vector");
            };
            let round = Cell::new(0);
            *parent.host.observer.borrow_mut() = Some(Box::new(move |moment| {
                if moment == Moment::Reads {
                    round.set(round.get() + 1);
                    change(&elements, round.get());
                }
            }));
            parent.serve_until_gone();
        },
        |child: &End| {
            let graph = child.variable("graph").unwrap();
            for _ in 0..5 {
                // Each part as it was when it was read.
                let copy = child.copy(graph).unwrap();
                let Content::Vector(elements) = content(copy) else {
                    panic!("no vector");
                };
                assert_eq!(elements.len(), 600);
            }
        },
    );
}

/// 10^5, or as many as VMSHARE_DEPTH says.
#[test]
fn deep_nesting_and_circular_lists_are_copied() {
    let depth = setting("VMSHARE_DEPTH", 100_000);
    two(
        |parent: &End| {
            let host = &parent.host;
            let deep = (0..depth).fold(NIL, |inner, _| host.make(Content::Cons([inner, NIL])));
            let ring = host.make(Content::Cons([small(1), NIL]));
            *object(ring).content.borrow_mut() = Content::Cons([small(1), ring]);
            parent.export("deep", deep, RS_CAN_ALL);
            parent.export("ring", ring, RS_CAN_ALL);
            parent.serve_until_gone();
        },
        |child: &End| {
            let deep = child.variable("deep").unwrap();
            let mut inner = child.copy(deep).unwrap();
            for _ in 0..depth {
                inner = match *object(inner).content.borrow() {
                    Content::Cons([car, NIL]) => car,
                    ref content => panic!("no cons: {content:?}"),
                };
            }
            assert_eq!(inner, NIL);
            let ring = child.variable("ring").unwrap();
            let copy = child.copy(ring).unwrap();
            assert_eq!(content(copy), Content::Cons([small(1), copy]));
        },
    );
}

fn identity(_: &Host, _: rs_link, arguments: &[rs_value]) -> Result<rs_value, rs_status> {
    Ok(arguments[0])
}

fn copied(host: &Host, _: rs_link, arguments: &[rs_value]) -> Result<rs_value, rs_status> {
    copy_of(host, arguments[0])
}

fn is_same(_: &Host, _: rs_link, arguments: &[rs_value]) -> Result<rs_value, rs_status> {
    Ok(if arguments[0] == arguments[1] {
        TRUE
    } else {
        NIL
    })
}

#[test]
fn raw_bytes_nan_payloads_and_uninterned_symbols_cross_unchanged() {
    two(
        |parent: &End| {
            let functions: [(&str, Body); 3] = [
                ("identity", identity),
                ("same", is_same),
                ("copied", copied),
            ];
            for (name, body) in functions {
                parent.export(name, parent.host.function(body), RS_CAN_ALL);
            }
            parent.serve_until_gone();
        },
        |child: &End| {
            let raw = b"\xff\x00 not utf-8 \xc3".to_vec();
            let there = child.host.make(Content::Text(3, raw.clone()));
            let back = child.call_by_name("copied", &[there]).unwrap();
            assert_eq!(content(child.copy(back).unwrap()), Content::Text(3, raw));
            let values = [
                Content::Float(0x7ff8_dead_beef_0001),
                Content::Float(0xfff0_0000_0000_0001),
                Content::Float(1 << 63),
                Content::Symbol(b"na\x00me\xff".to_vec()),
                Content::Integer(i64::MIN),
                Content::BigInteger(true, vec![0xff; 40]),
            ];
            for value in values {
                let there = child.host.make(value.clone());
                let back = child.call_by_name("identity", &[there]).unwrap();
                assert_eq!(content(back), value);
                assert_ne!(back, there, "a copy");
            }
            // A symbol without a home is what it is by its identity.
            let mine = child.host.make(Content::Uninterned(b"name".to_vec()));
            let other = child.host.make(Content::Uninterned(b"name".to_vec()));
            assert_eq!(child.call_by_name("identity", &[mine]), Ok(mine));
            assert_eq!(child.call_by_name("same", &[mine, mine]), Ok(TRUE));
            assert_eq!(child.call_by_name("same", &[mine, other]), Ok(NIL));
        },
    );
}

#[test]
fn an_unsupported_leaf_in_a_big_graph_stays_a_reference() {
    two(
        |parent: &End| {
            let host = &parent.host;
            let file = host.make(Content::File);
            let element = |number| match number {
                7_777 => host.make(Content::Cons([file, file])),
                _ => host.make(Content::Cons([small(number), NIL])),
            };
            let big = host.make(Content::Vector((0..20_000).map(element).collect()));
            parent.export("big", big, RS_CAN_ALL);
            parent.export("identity", host.function(identity), RS_CAN_CALL);
            parent.serve_until_gone();
        },
        |child: &End| {
            let big = child.variable("big").unwrap();
            let copy = child.copy(big).unwrap();
            let Content::Vector(elements) = content(copy) else {
                panic!("no vector");
            };
            let Content::Cons([file, again]) = content(elements[7_777]) else {
                panic!("no cons");
            };
            assert_eq!(file, again);
            assert!(matches!(content(file), Content::Remote(_, RS_ITEM_OPAQUE)));
            assert_eq!(child.call_by_name("identity", &[file]), Ok(file));
            assert_eq!(child.pins_of_peer(), 2, "the vector and the file");
        },
    );
}

/// 10^5, or as many as VMSHARE_OBJECTS says.
#[test]
fn a_child_exits_with_very_many_objects_referred_to() {
    let count = setting("VMSHARE_OBJECTS", 100_000) as usize;
    two(
        |parent: &End| {
            let box_ = parent.host.make(Content::Vector(vec![NIL]));
            parent.export("box", box_, RS_CAN_ALL);
            while content(box_) == Content::Vector(vec![NIL]) {
                parent.serve();
            }
            let Content::Vector(held) = content(box_) else {
                panic!("no vector");
            };
            let theirs = parent.copy_to(held[0], 0).unwrap();
            assert_eq!(parent.counts().remotes, 1 + count as u64);
            parent.serve_until_gone();
            let Content::Vector(elements) = content(theirs) else {
                panic!("no vector");
            };
            for (number, element) in elements.into_iter().enumerate() {
                let Content::Forward(own) = content(element) else {
                    panic!("it was not replaced");
                };
                assert_eq!(content(own), Content::Cons([small(number as i64), NIL]));
            }
        },
        |child: &End| {
            let cons = |number| child.host.make(Content::Cons([small(number), NIL]));
            let all = child
                .host
                .make(Content::Vector((0..count as i64).map(cons).collect()));
            let box_ = child.variable("box").unwrap();
            child.set(box_, 0, all).unwrap();
            // The parent takes its references.
            while child.counts().pins < 1 + count as u64 {
                child.serve();
            }
            assert_eq!(child.close(true), Ok(()));
        },
    );
}

#[test]
fn a_late_image_is_passed_over() {
    with_two(|owner, asker| {
        for (name, length) in [("small", 3), ("large", 1500)] {
            let file = owner.host.make(Content::File);
            let graph = shareable_vector(&owner.host, length);
            let Content::Vector(elements) = &mut *object(graph).content.borrow_mut() else {
                panic!("no vector");
            };
            // It refers to something that is not in the image.
            elements[1] = file;
            owner.export(name, graph, RS_CAN_READ);
        }
        for (number, name) in [(1, "small"), (2, "large")] {
            let graph = asker.served_by(owner, |asker| asker.begin_variable(name));
            asker.host.cancels.set(true);
            assert_eq!(asker.share(graph.unwrap()), Err(RS_CANCELLED));
            asker.host.cancels.set(false);
            owner.serve();
            assert_eq!(owner.counts().pins, number + 1, "the file is on its way");
            asker.serve();
            owner.serve();
            assert_eq!(owner.counts().pins, number, "it was given back");
        }
        let again = asker.served_by(owner, |asker| asker.begin_variable("small"));
        assert!(again.is_ok());
    });
}
