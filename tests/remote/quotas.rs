//! What a peer may have is limited: beyond that it gets an error, and this side is as before.

use crate::end::End;
use crate::items::{Content, NIL};
use crate::lies;
use crate::pair::{DEFAULT, two_with_a_channel, with_two, with_two_of};
use crate::requests::Request;
use vmshare::host::contract::rs_value;
use vmshare::host::exchange::*;
use vmshare::host::item::RS_ITEM_BY_VALUE;
use vmshare::host::memory::HostAllocator;
use vmshare::shm::channel::{Channel, Options};
use vmshare::shm::hello::Hello;
use vmshare::status::*;

const FIFTY: rs_link_options = rs_link_options {
    pins: 50,
    ..DEFAULT
};

/// A vector of so many conses, which the peer may name.
fn export_conses(owner: &End, count: usize) {
    let conses = (0..count).map(|_| owner.host.make(Content::Cons([NIL, NIL])));
    let conses = Content::Vector(conses.collect());
    owner.export("conses", owner.host.make(conses), RS_CAN_ALL);
}

/// The result of a request, for which the owner works in this process.
fn finish(asker: &End, owner: &End, request: u64) -> Result<rs_value, rs_status> {
    loop {
        match asker.try_poll(request) {
            Err(RS_MORE) => owner.serve(),
            outcome => return outcome,
        };
    }
}

#[test]
fn a_storm_of_requests_for_pins_is_answered_by_the_quota() {
    with_two_of(&FIFTY, &DEFAULT, |owner, asker| {
        export_conses(owner, 1000);
        let conses = asker.served_by(owner, |asker| asker.begin_variable("conses"));
        let conses = conses.unwrap();
        let mut refused = 0;
        for round in 0..30_000 {
            let request = asker.begin_get(conses, round % 1000);
            match asker.served_by(owner, |_| Ok(request)) {
                Ok(_) => assert!(round % 1000 < 49),
                status => {
                    assert_eq!(status, Err(RS_ERR_LIMIT));
                    refused += 1;
                }
            }
        }
        assert_eq!(refused, 30 * (1000 - 49));
        assert_eq!(owner.counts().pins, 50);
        // However often an object was sent, one release gives all of that back.
        let before = asker.counts().messages;
        asker.sweep(|_| false);
        asker.serve();
        assert!(asker.counts().messages < before + 10);
        owner.serve();
        assert_eq!(owner.counts().pins, 0);
    });
}

#[test]
fn who_may_refer_to_no_more_gives_back_what_it_is_sent() {
    with_two_of(&DEFAULT, &FIFTY, |owner, asker| {
        export_conses(owner, 100);
        let conses = asker.served_by(owner, |asker| asker.begin_variable("conses"));
        let conses = conses.unwrap();
        for round in 0..3 {
            for index in 0..100 {
                let cons = asker.served_by(owner, |asker| Ok(asker.begin_get(conses, index)));
                match index {
                    0..49 => assert!(cons.is_ok()),
                    _ => assert_eq!(cons, Err(RS_ERR_LIMIT)),
                }
            }
            asker.serve();
            owner.serve();
            assert_eq!(owner.counts().pins, 50, "round {round}");
            asker.sweep(|value| value == conses);
            asker.serve();
            owner.serve();
            assert_eq!(owner.counts().pins, 1);
        }
    });
}

/// Most requests of a link that wait for an answer.
const WAITING: usize = 1 << 16;

#[test]
fn only_so_many_requests_are_under_way() {
    with_two(|owner, asker| {
        export_conses(owner, 1);
        let conses = asker.served_by(owner, |asker| asker.begin_variable("conses"));
        let conses = conses.unwrap();
        let mine = [asker.host.make(Content::Cons([NIL, NIL]))];
        let write = Request::new(RS_WRITE_ELEMENT, 0, &mine);
        let requests: Vec<u64> = (0..WAITING)
            .map(|_| asker.begin(conses, write).unwrap())
            .collect();
        let other = [asker.host.make(Content::Cons([NIL, NIL]))];
        let one_more = Request::new(RS_WRITE_ELEMENT, 0, &other);
        for _ in 0..3 {
            assert_eq!(asker.begin(conses, one_more), Err(RS_ERR_LIMIT));
            assert!(asker.error().1.starts_with("not executed"));
            assert_eq!(asker.counts().pins, 1, "what was not sent holds nothing");
        }
        for request in requests {
            assert!(finish(asker, owner, request).is_ok());
        }
        let request = asker.begin(conses, one_more).unwrap();
        assert_eq!(finish(asker, owner, request), Ok(mine[0]));
    });
}

#[test]
fn what_is_too_long_for_the_peer_is_not_sent() {
    let small_messages = Options {
        hello: Hello {
            longest_message: 1 << 16,
            ..Options::new(HostAllocator::malloc()).hello
        },
        ..Options::new(HostAllocator::malloc())
    };
    two_with_a_channel(
        small_messages,
        |parent: &End| {
            let text = parent
                .host
                .make(Content::Text(RS_ITEM_BY_VALUE, vec![7; 1 << 17]));
            let list = parent.host.make(Content::Cons([NIL, NIL]));
            // The peer's limit is known when its greeting has been read.
            while parent.counts().served == 0 {
                parent.serve();
            }
            let arguments = [list, text];
            let request = Request::named(RS_CALL, "anything", &arguments);
            assert_eq!(parent.begin_by_name(request), Err(RS_ERR_LIMIT));
            assert_eq!(parent.counts().pins, 0);
            let request = Request::named(RS_CALL, "anything", &arguments[..1]);
            assert!(parent.begin_by_name(request).is_ok());
            assert_eq!(parent.counts().pins, 1);
            parent.serve_until_gone();
        },
        |channel: &mut Channel| {
            let request = lies::request(RS_READ_VARIABLE, 0, 0, "anything");
            lies::send(channel, 1, &request).unwrap();
            lies::receive(channel);
        },
    );
}

/// Most bytes that wait for a peer that takes none.
const OUTGOING: usize = 1 << 30;

#[test]
fn only_so_much_waits_for_a_peer_that_takes_nothing() {
    with_two(|owner, asker| {
        let texts = [("long", OUTGOING - 4096), ("short", 8192)];
        for (name, length) in texts {
            let text = Content::Text(RS_ITEM_BY_VALUE, vec![7; length]);
            owner.export(name, owner.host.make(text), RS_CAN_ALL);
        }
        for name in ["long", "short", "short", "short"] {
            asker.begin_variable(name).unwrap();
        }
        owner.serve();
        let sent = owner.counts().bytes as usize;
        assert!((OUTGOING - 4096..OUTGOING + 4096).contains(&sent), "{sent}");
    });
}
