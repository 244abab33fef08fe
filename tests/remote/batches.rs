//! Many operations in one request.

use crate::end::{End, ok};
use crate::items::{Content, NIL, content, small};
use crate::lies::{receive, request, send};
use crate::pair::{two, two_with_a_liar, with_two};
use crate::requests::Request;
use vmshare::ffi::remote::rs_remote_batch;
use vmshare::host::contract::rs_value;
use vmshare::host::exchange::*;
use vmshare::shm::channel::Channel;
use vmshare::status::*;

/// The code of a batch, in a message.
const BATCH: u32 = 106;

/// One operation on what stands for an object of the peer; on none if that is `NIL`.
fn entry(target: rs_value, request: Request<'_>) -> rs_batch_entry {
    let remote = match target {
        NIL => RS_NO_REMOTE,
        target => match content(target) {
            Content::Remote(remote, _) => remote,
            content => panic!("no remote: {content:?}"),
        },
    };
    rs_batch_entry {
        remote,
        operation: request.operation(),
        result: 7,
        status: 7,
        reserved: 0,
    }
}

impl End {
    fn try_batch(&self, entries: &mut [rs_batch_entry]) -> rs_status {
        let (vm, place) = (self.host.vm, entries.as_mut_ptr());
        // SAFETY: so many entries.
        unsafe { rs_remote_batch(vm, self.link, place, entries.len(), 0) }
    }

    /// What comes of each.
    pub fn batch(
        &self,
        target: rs_value,
        requests: &[Request<'_>],
    ) -> Vec<Result<rs_value, rs_status>> {
        let mut entries: Vec<rs_batch_entry> = requests
            .iter()
            .map(|&request| entry(target, request))
            .collect();
        let status = self.try_batch(&mut entries);
        entries
            .iter()
            .map(|entry| {
                assert!(status == RS_OK || entry.status == status);
                assert!(entry.status == RS_OK || entry.result == 0);
                ok(entry.status, entry.result)
            })
            .collect()
    }
}

/// Two conses and a number, and a function.
fn export_all(owner: &End) {
    let cons = owner.host.make(Content::Cons([small(1), NIL]));
    let other = owner.host.make(Content::Cons([small(2), NIL]));
    let vector = Content::Vector(vec![cons, other, small(3), cons]);
    owner.export("vector", owner.host.make(vector), RS_CAN_ALL);
    owner.export("fails", owner.host.function(fails), RS_CAN_CALL);
    owner.export(
        "sealed",
        owner.host.make(Content::Cons([NIL, NIL])),
        RS_CAN_READ,
    );
}

/// Runs a child whose parent has exported all of that.
fn with_owner(child: impl FnOnce(&End)) {
    two(
        |parent| {
            export_all(parent);
            parent.serve_until_gone();
        },
        child,
    );
}

fn fails(
    host: &crate::items::Host,
    link: rs_link,
    arguments: &[rs_value],
) -> Result<rs_value, rs_status> {
    let text = match arguments {
        [] => c"the first",
        _ => c"another",
    };
    Err(host.raise(link, c"failure", text))
}

#[test]
fn results_stand_in_the_order_of_their_operations() {
    with_owner(|child| {
        let vector = child.variable("vector").unwrap();
        let cons = child.get(vector, 0).unwrap();
        let own = child.host.make(Content::Cons([NIL, NIL]));
        let before = child.counts().messages;
        let results = child.batch(
            vector,
            &[
                Request::new(RS_READ_ELEMENT, 0, &[]),
                Request::new(RS_READ_ELEMENT, 2, &[]),
                Request::new(RS_WRITE_ELEMENT, 2, &[own]),
                Request::new(RS_READ_ELEMENT, 2, &[]),
                Request::new(RS_READ_ELEMENT, 3, &[]),
                Request::new(RS_READ_LENGTH, 0, &[]),
                Request::new(RS_EXCHANGE_ELEMENT, 2, &[own, small(9)]),
            ],
        );
        let results: Vec<rs_value> = results.into_iter().map(Result::unwrap).collect();
        // The same object is the same reference, and an own one comes home.
        assert_eq!(results[0], cons);
        assert_eq!(results[1], small(3));
        assert_eq!(results[3], own);
        assert_eq!(results[4], cons);
        assert_eq!(results[5], small(4));
        assert_eq!(child.counts().messages, before + 1);
        assert_eq!(child.get(vector, 2), Ok(small(9)));
    });
}

#[test]
fn operations_of_a_batch_may_have_different_targets_or_names() {
    with_owner(|child| {
        let vector = child.variable("vector").unwrap();
        let [one, two] = [0, 1].map(|index| child.get(vector, index).unwrap());
        let car = Request::new(RS_READ_ELEMENT, RS_CAR, &[]);
        let mut entries = [
            entry(one, car),
            entry(NIL, Request::named(RS_READ_VARIABLE, "vector", &[])),
            entry(two, car),
            entry(NIL, Request::named(RS_CALL, "pins", &[])),
            entry(NIL, Request::named(RS_READ_VARIABLE, "nothing", &[])),
        ];
        assert_eq!(child.try_batch(&mut entries), RS_OK);
        let results = entries.map(|entry| ok(entry.status, entry.result));
        assert_eq!(results[0], Ok(small(1)));
        assert_eq!(results[1], Ok(vector));
        assert_eq!(results[2], Ok(small(2)));
        assert_eq!(results[3], Ok(small(3)));
        assert_eq!(results[4], Err(RS_ERR_DENIED));
    });
}

#[test]
fn one_that_fails_stops_no_other_and_the_first_error_is_told() {
    with_owner(|child| {
        let vector = child.variable("vector").unwrap();
        let sealed = child.variable("sealed").unwrap();
        let (one, five) = ([small(1)], [small(5)]);
        let mut entries = [
            entry(sealed, Request::new(RS_WRITE_ELEMENT, RS_CAR, &one)),
            entry(NIL, Request::named(RS_CALL, "fails", &[])),
            entry(vector, Request::new(RS_WRITE_ELEMENT, 2, &five)),
            entry(NIL, Request::named(RS_CALL, "fails", &one)),
            entry(vector, Request::new(RS_READ_ELEMENT, 2, &[])),
        ];
        assert_eq!(child.try_batch(&mut entries), RS_OK);
        let statuses = entries.map(|entry| entry.status);
        assert_eq!(
            statuses,
            [RS_ERR_DENIED, RS_RAISED, RS_OK, RS_RAISED, RS_OK]
        );
        assert_eq!(entries[4].result, small(5));
        let error = child.error();
        assert_eq!(error, ("failure".into(), "the first".into()));
        // A batch without an error of the host says what else is known.
        let refused = child.batch(sealed, &[Request::new(RS_WRITE_ELEMENT, 0, &[NIL])]);
        assert_eq!(refused, [Err(RS_ERR_DENIED)]);
        assert_eq!(
            child.error(),
            (String::new(), "the peer has refused it".into())
        );
    });
}

#[test]
fn a_batch_that_is_none_is_not_sent() {
    with_two(|owner, asker| {
        export_all(owner);
        let vector = asker.served_by(owner, |asker| asker.begin_variable("vector"));
        let vector = vector.unwrap();
        let read = Request::new(RS_READ_ELEMENT, 0, &[]);
        let before = asker.counts().messages;
        assert_eq!(asker.try_batch(&mut []), RS_OK);
        let refused = |change: fn(&mut rs_batch_entry), status| {
            let mut entries = [entry(vector, read); 3];
            change(&mut entries[2]);
            assert_eq!(asker.try_batch(&mut entries), status);
            assert_eq!(entries.map(|entry| entry.status), [status; 3]);
        };
        refused(
            |entry| entry.operation.flags = RS_REQUEST_MORE,
            RS_ERR_ARGUMENT,
        );
        refused(|entry| entry.operation.timeout = 1, RS_ERR_ARGUMENT);
        refused(|entry| entry.operation.code = 100, RS_ERR_ARGUMENT);
        refused(|entry| entry.remote = RS_NO_REMOTE, RS_ERR_ARGUMENT);
        refused(|entry| entry.remote = 12345, RS_ERR_FOREIGN);
        let mut many = vec![entry(vector, read); (1 << 16) + 1];
        assert_eq!(asker.try_batch(&mut many), RS_ERR_LIMIT);
        // SAFETY: NULL is an error.
        let status =
            unsafe { rs_remote_batch(asker.host.vm, asker.link, std::ptr::null_mut(), 1, 0) };
        assert_eq!(status, RS_ERR_ARGUMENT);
        assert_eq!(asker.counts().messages, before);
        assert_eq!(owner.counts().pins, 1);
    });
}

#[test]
fn very_many_operations_are_one_message() {
    with_owner(|child| {
        let vector = child.variable("vector").unwrap();
        let own = child.host.make(Content::Cons([NIL, NIL]));
        let arguments = [own];
        let write = Request::new(RS_WRITE_ELEMENT, 0, &arguments);
        let results = child.batch(vector, &vec![write; 1 << 16]);
        assert_eq!(results.len(), 1 << 16);
        assert!(results.iter().all(Result::is_ok));
        assert_eq!(child.get(vector, 0), Ok(own));
        assert_eq!(child.counts().pins, 1);
    });
}

/// What a parent finds that gets this batch of so many operations, and does not know it for none.
fn a_lie(count: u64, heads: &[u64], arguments: u64) {
    let bytes: Vec<u8> = heads.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let mut words = request(BATCH, 0, count, "");
    words.truncate(7);
    words.push(bytes.len() as u64);
    words.extend(heads);
    words.push(arguments);
    words.extend((0..arguments).map(|_| 1));
    two_with_a_liar(
        |parent: &End| {
            export_all(parent);
            assert_eq!(parent.serve_until_gone_or_broken(), RS_ERR_PEER);
            assert_eq!(parent.counts().pins, 0);
        },
        move |channel: &mut Channel| {
            let _ = send(channel, 1, &words);
            std::thread::sleep(std::time::Duration::from_millis(100));
        },
    );
}

#[test]
fn batches_of_a_liar_end_its_link() {
    let read = u64::from(RS_READ_LENGTH);
    a_lie(2, &[read, 1, 0, 0], 0);
    a_lie(0, &[read, 1, 0, 0], 0);
    a_lie(1, &[read, 1, 0], 0);
    a_lie(1, &[read, 1, 0, 9], 0);
    a_lie(1, &[read, 1, 0, u64::MAX], 0);
    a_lie(1, &[2 << 32 | read, 1, 0, 0], 1);
    a_lie(1, &[read, 1, 0, 0], 1);
}

#[test]
fn a_batch_of_too_many_operations_is_refused_unread() {
    two_with_a_liar(
        |parent: &End| {
            parent.serve_until_gone_or_broken();
        },
        |channel: &mut Channel| {
            send(channel, 1, &request(BATCH, 0, u64::MAX, "")).unwrap();
            assert_eq!(receive(channel), [1, RS_ERR_LIMIT as i64 as u64]);
        },
    );
}

#[test]
fn answers_of_a_liar_to_a_batch_end_its_link() {
    // Three strings and values; the first string holds the statuses.
    let string = |words: &[u64]| {
        let mut own = vec![
            (words.len() as u64 + 1) << 3 | 4,
            9 | (words.len() as u64) << 27,
        ];
        own.extend(words);
        own
    };
    let answers: [(&[u64], &[u64]); 4] = [
        (&[0], &[1]),
        (&[0, 0, 0], &[1, 1, 1]),
        (&[0, 0], &[1]),
        (&[3, 0], &[1]),
    ];
    for (statuses, values) in answers {
        let mut words = vec![1, RS_OK as u64];
        words.extend(string(statuses));
        words.extend(string(&[]).repeat(2));
        words.extend(values);
        two_with_a_liar(
            |parent: &End| {
                let length = Request::named(RS_READ_VARIABLE, "any", &[]);
                assert_eq!(parent.batch(NIL, &[length; 2]), [Err(RS_ERR_PEER); 2]);
            },
            move |channel: &mut Channel| {
                let serial = receive(channel)[0];
                words[0] = serial;
                let _ = send(channel, 2, &words);
                std::thread::sleep(std::time::Duration::from_millis(100));
            },
        );
    }
}
