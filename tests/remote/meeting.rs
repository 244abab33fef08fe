//! How processes come to a link, and what they can find out about it.

use crate::company::{three, two_by_socket};
use crate::end::{End, call_by_name, copy_of, variable_of};
use crate::items::{Content, Host, NIL, content, object, small};
use crate::pair::two;
use std::cell::Cell;
use std::time::Duration;
use vmshare::ffi::link::rs_link_pins;
use vmshare::host::exchange::*;
use vmshare::status::*;

#[test]
fn two_processes_that_have_met_over_a_socket_work_on_each_others_objects() {
    two_by_socket(
        |server: &End| {
            let list = server.host.make(Content::Cons([small(1), NIL]));
            server.export("foo", list, RS_CAN_ALL);
            server.serve_until_gone();
            assert_eq!(server.counts().pins, 0);
            let Content::Cons([car, _]) = *object(list).content.borrow() else {
                panic!("no cons");
            };
            assert_eq!(car, small(7));
        },
        |client: &End| {
            let foo = client.variable("foo").unwrap();
            assert_eq!(client.set(foo, 0, small(7)), Ok(()));
            assert_eq!(client.get(foo, 0), Ok(small(7)));
        },
    );
}

impl End {
    fn list_pins(&self) -> Vec<rs_pin> {
        let mut count = 0;
        // SAFETY: valid pointers, and then room for as many as there are.
        unsafe {
            rs_link_pins(self.host.vm, self.link, std::ptr::null_mut(), 0, &mut count);
            let mut pins = Vec::with_capacity(count);
            rs_link_pins(
                self.host.vm,
                self.link,
                pins.as_mut_ptr(),
                count,
                &mut count,
            );
            pins.set_len(count);
            pins
        }
    }
}

#[test]
fn a_link_says_what_its_peer_refers_to() {
    two(
        |parent: &End| {
            let inner = parent.host.make(Content::Cons([NIL, NIL]));
            let list = parent.host.make(Content::Cons([inner, NIL]));
            parent.export("foo", list, RS_CAN_READ);
            let wait = parent.host.function(|_, _, _| Ok(NIL));
            parent.export("wait", wait, RS_CAN_CALL);
            while parent.counts().pins < 2 {
                parent.serve();
            }
            let mut pins = parent.list_pins();
            pins.sort_by_key(|pin| pin.number);
            assert_eq!((pins[0].object, pins[1].object), (list, inner));
            assert_eq!(
                (pins[0].code, pins[1].code),
                (RS_READ_VARIABLE, RS_READ_ELEMENT)
            );
            assert_eq!((pins[0].rights, pins[1].rights), (RS_CAN_READ, RS_CAN_READ));
            assert!(pins[0].references >= 1 && pins[0].site.file.is_null());
            parent.serve_until_gone();
        },
        |child: &End| {
            let foo = child.variable("foo").unwrap();
            child.get(foo, 0).unwrap();
            child.call_by_name("wait", &[]).unwrap();
        },
    );
}

std::thread_local! {
    /// The link over which a function of this process asks.
    static OTHER: Cell<rs_link> = const { Cell::new(0) };
}

#[test]
fn a_call_that_comes_back_over_another_link_is_carried_out() {
    // The parent calls its first child, which calls the second one, which calls the parent.
    three(
        |parent: &End, second: rs_link| {
            let seven = parent.host.function(|_, _, _| Ok(small(7)));
            parent.export_over(second, "seven", seven, RS_CAN_CALL);
            assert_eq!(parent.call_by_name("ask the other", &[]), Ok(small(7)));
        },
        |first: &End, second: rs_link| {
            OTHER.set(second);
            let ask = |host: &Host, _, _: &[_]| call_by_name(host, OTHER.get(), "ask parent", &[]);
            first.export("ask the other", first.host.function(ask), RS_CAN_CALL);
            first.serve_until_gone();
        },
        |second: &End, first: rs_link| {
            OTHER.set(second.link);
            let ask = |host: &Host, _, _: &[_]| call_by_name(host, OTHER.get(), "seven", &[]);
            second.export_over(first, "ask parent", second.host.function(ask), RS_CAN_CALL);
            second.serve_over(first);
        },
    );
}

#[test]
fn a_copy_of_what_a_third_process_has_is_a_copy() {
    three(
        |parent: &End, second: rs_link| {
            let list = variable_of(&parent.host, second, "list").unwrap();
            parent.export("list", list, RS_CAN_ALL);
            assert_eq!(parent.call_by_name("second of a copy", &[]), Ok(small(2)));
        },
        |first: &End, _| {
            let second_of_a_copy = |host: &Host, link, _: &[_]| {
                let list = variable_of(host, link, "list")?;
                let Content::Cons([_, rest]) = content(copy_of(host, list)?) else {
                    panic!("no copy");
                };
                let Content::Cons([second, _]) = content(rest) else {
                    panic!("no copy");
                };
                Ok(second)
            };
            let function = first.host.function(second_of_a_copy);
            first.export("second of a copy", function, RS_CAN_CALL);
            first.serve_until_gone();
        },
        |second: &End, _| {
            let list = [3, 2, 1].iter().fold(NIL, |tail, &number| {
                second.host.make(Content::Cons([small(number), tail]))
            });
            second.export("list", list, RS_CAN_ALL);
            second.serve_until_gone();
        },
    );
}

#[test]
fn a_wait_in_a_circle_ends_with_an_error() {
    // Each of the three asks the next one, in a chain of its own, and none of them serves.
    let waits_for_ever = |own: &End, next: rs_link| {
        // Until all are there.
        std::thread::sleep(Duration::from_millis(100));
        call_by_name(&own.host, next, "anything", &[])
    };
    three(
        |parent: &End, _| {
            let outcome = waits_for_ever(parent, parent.link);
            assert!(matches!(
                outcome,
                Err(RS_ERR_DEADLOCK | RS_ERR_DENIED | RS_ERR_DEAD)
            ));
        },
        |first: &End, second: rs_link| {
            let outcome = waits_for_ever(first, second);
            assert!(matches!(
                outcome,
                Err(RS_ERR_DEADLOCK | RS_ERR_DENIED | RS_ERR_DEAD)
            ));
        },
        |second: &End, _| {
            let outcome = waits_for_ever(second, second.link);
            assert!(matches!(
                outcome,
                Err(RS_ERR_DEADLOCK | RS_ERR_DENIED | RS_ERR_DEAD)
            ));
        },
    );
}
