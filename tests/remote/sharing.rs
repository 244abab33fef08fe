//! Shareable graphs that a peer reads in place.

use crate::end::End;
use crate::items::{Content, Host, Moment, NIL, content, object, small};
use crate::lies::send;
use crate::pair::{two, two_with_a_liar};
use std::ffi::c_void;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::time::Duration;
use vmshare::ffi::gc::rs_gc_update;
use vmshare::ffi::graph::rs_image;
use vmshare::ffi::remote::{rs_image_object, rs_remote_share, rs_remote_watch};
use vmshare::graph::image::{Image, Meaning, Word};
use vmshare::host::contract::rs_value;
use vmshare::host::exchange::*;
use vmshare::host::memory::{HostAllocator, Vec as Buffer};
use vmshare::shm::channel::Channel;
use vmshare::status::*;

/// A vector of so many conses (index . "text"), shareable.
pub fn shareable_vector(host: &Host, length: i64) -> rs_value {
    let text = host.make(Content::Text(0, b"text".to_vec()));
    let pair = |index| host.make(Content::Cons([small(index), text]));
    let vector = host.make(Content::Vector((0..length).map(pair).collect()));
    // SAFETY: the host's own vm.
    let status = unsafe { vmshare::ffi::autoshare::rs_make_shareable(host.vm, host.main, vector) };
    assert_eq!(status, RS_OK);
    vector
}

impl End {
    pub fn share(&self, target: rs_value) -> Result<rs_image, rs_status> {
        let Content::Remote(remote, _) = content(target) else {
            panic!("no remote");
        };
        let mut image = 0;
        // SAFETY: a valid pointer.
        match unsafe { rs_remote_share(self.host.vm, remote, &mut image) } {
            RS_OK => Ok(image),
            status => Err(status),
        }
    }

    fn watch(&self, target: rs_value) -> Result<(), rs_status> {
        let Content::Remote(remote, _) = content(target) else {
            panic!("no remote");
        };
        // SAFETY: any id may be given.
        match unsafe { rs_remote_watch(self.host.vm, remote) } {
            RS_OK => Ok(()),
            status => Err(status),
        }
    }

    fn object_of(&self, image: rs_image, node: u64) -> Result<rs_value, rs_status> {
        let mut value = 0;
        // SAFETY: a valid pointer.
        match unsafe { rs_image_object(self.host.vm, image, node, &mut value) } {
            RS_OK => Ok(value),
            status => Err(status),
        }
    }
}

/// Element `index` of the vector at the root.
fn element(words: &[u64], index: usize) -> u64 {
    let image = Image::of_valid(words);
    match image.root().meaning() {
        Some(Meaning::Node(root)) => image.node(root).elements()[index],
        root => panic!("no vector: {root:?}"),
    }
}

fn read_in_place(length: i64) {
    two(
        |parent: &End| {
            let vector = shareable_vector(&parent.host, length);
            parent.export("top", vector, RS_CAN_READ);
            parent.serve_until_gone();
            assert_eq!(parent.counts().pins, 0);
        },
        |child: &End| {
            let top = child.variable("top").unwrap();
            let image = child.share(top).unwrap();
            let asked = child.counts().requests;
            let words = child.host.words(image);
            for index in 0..length as usize {
                let Some(Meaning::Node(pair)) = Word(element(&words, index)).meaning() else {
                    panic!("no cons");
                };
                let car = Image::of_valid(&words).node(pair).elements()[0];
                assert_eq!(Word(car), Word::integer(index as i64).unwrap());
            }
            assert_eq!(child.counts().requests, asked, "nobody was asked");
            // However it is reached, an object is the same one.
            let last = child.object_of(image, element(&words, length as usize - 1));
            assert_eq!(last, child.get(top, length as u64 - 1));
            assert_eq!(child.object_of(image, 8), Err(RS_ERR_ARGUMENT));
            assert_eq!(child.host.free(image), RS_OK);
        },
    );
}

#[test]
fn a_large_shareable_graph_is_read_without_asking() {
    read_in_place(20_000);
}

#[test]
fn a_small_shareable_graph_is_read_without_asking() {
    read_in_place(3);
}

#[test]
fn what_may_change_is_not_read_in_place() {
    two(
        |parent: &End| {
            let list = parent.host.make(Content::Cons([small(1), NIL]));
            parent.export("top", list, RS_CAN_ALL);
            parent.serve_until_gone();
        },
        |child: &End| {
            let top = child.variable("top").unwrap();
            assert_eq!(child.share(top), Err(RS_ERR_UNSUPPORTED));
            assert_eq!(child.get(top, 0), Ok(small(1)));
        },
    );
}

#[test]
fn what_may_not_be_read_is_not_read_in_place() {
    two(
        |parent: &End| {
            let vector = shareable_vector(&parent.host, 3);
            parent.export("top", vector, RS_CAN_CALL);
            parent.export(
                "read",
                parent
                    .host
                    .function(|host, _, _| Ok(shareable_vector(host, 3))),
                RS_CAN_CALL,
            );
            parent.serve_until_gone();
        },
        |child: &End| {
            assert_eq!(child.variable("top"), Err(RS_ERR_DENIED));
            // What a function returns has the rights that the function was exported with.
            let vector = child.call_by_name("read", &[]).unwrap();
            assert_eq!(child.share(vector), Err(RS_ERR_DENIED));
        },
    );
}

/// Answers the next request: with these words behind its number, and a descriptor, if there is one.
fn answer(channel: &mut Channel, words: &[u64], descriptor: Option<OwnedFd>) {
    let mut buffer = Buffer::new_in(HostAllocator::malloc());
    while channel.try_receive(&mut buffer) != Ok(Some(1)) {
        std::thread::sleep(Duration::from_micros(100));
    }
    let serial = u64::from_ne_bytes(buffer[..8].try_into().unwrap());
    let words: Vec<u64> = [&[serial, 0], words].concat();
    match descriptor {
        None => send(channel, 2, &words).unwrap(),
        Some(descriptor) => {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
            let sent = channel.try_send_descriptor(descriptor.as_fd(), 1 << 31 | 2, &[&bytes]);
            assert_eq!(sent, Ok(true));
            channel.flush();
        }
    }
}

#[test]
fn memory_that_its_sender_can_still_write_is_no_image() {
    two_with_a_liar(
        |parent: &End| {
            let top = parent.variable("top").unwrap();
            assert_eq!(parent.share(top), Err(RS_ERR_PEER));
            assert_eq!(
                parent.variable("top"),
                Err(RS_ERR_PEER),
                "the link has ended"
            );
        },
        |channel: &mut Channel| {
            // A reference: the sender's pin, the head of a cons, no name.
            answer(channel, &[6, 1 << 32 | 5, 10, 0], None);
            // SAFETY: a new file, which belongs to nobody else.
            let file = unsafe {
                let file = libc::memfd_create(c"unsealed".as_ptr(), libc::MFD_ALLOW_SEALING);
                assert_eq!(libc::ftruncate(file, 4096), 0);
                OwnedFd::from_raw_fd(file)
            };
            // A graph: no words of it here, no references, and 512 words in the file.
            answer(channel, &[7, 0, 0, 512 << 3 | 1], Some(file));
            std::thread::sleep(Duration::from_millis(200));
        },
    );
}

#[test]
fn who_watches_an_object_is_told_of_its_next_change() {
    two(
        |parent: &End| {
            let list = parent.host.make(Content::Cons([small(1), NIL]));
            parent.export("foo", list, RS_CAN_ALL);
            let write = |host: &Host, _, arguments: &[rs_value]| {
                // The owner's own program.
                *object(arguments[0]).content.borrow_mut() = Content::Cons([small(2), NIL]);
                // SAFETY: the host's own vm.
                let status = unsafe { vmshare::ffi::link::rs_link_changed(host.vm, arguments[0]) };
                assert_eq!(status, RS_OK);
                Ok(NIL)
            };
            parent.export("write", parent.host.function(write), RS_CAN_CALL);
            parent.serve_until_gone();
        },
        |child: &End| {
            let foo = child.variable("foo").unwrap();
            let told = || child.host.changed.borrow().len();
            assert_eq!(child.watch(foo), Ok(()));
            assert_eq!(child.get(foo, 0), Ok(small(1)));
            assert_eq!(told(), 0, "reading is no change");
            child.call_by_name("write", &[foo]).unwrap();
            assert_eq!(*child.host.changed.borrow(), [foo]);
            child.call_by_name("write", &[foo]).unwrap();
            assert_eq!(told(), 1, "one change for each watch");
            assert_eq!(child.watch(foo), Ok(()));
            assert_eq!(child.add(foo, 0, 5), Ok(small(7)));
            assert_eq!(child.get(foo, 0), Ok(small(7)));
            assert_eq!(told(), 2, "what a peer writes counts too");
        },
    );
}

/// Two places of one object: where it is, and where it moves to.
struct Move {
    from: rs_value,
    to: rs_value,
}

unsafe extern "C" fn forward(data: *mut c_void, value: rs_value) -> rs_value {
    // SAFETY: the only data that it is given.
    let &Move { from, to } = unsafe { &*data.cast() };
    if value == from { to } else { value }
}

#[test]
fn a_watch_tells_of_a_write_during_which_the_object_has_moved() {
    two(
        |parent: &End| {
            let make = || parent.host.make(Content::Cons([small(1), NIL]));
            let (from, to) = (make(), make());
            parent.export("foo", from, RS_CAN_ALL);
            let vm = parent.host.vm;
            *parent.host.observer.borrow_mut() = Some(Box::new(move |moment| {
                if moment == Moment::HasOperated {
                    let mut places = Move { from, to };
                    let data = (&raw mut places).cast();
                    // SAFETY: as a collector's call, from the only thread.
                    let status = unsafe { rs_gc_update(vm, Some(forward), data) };
                    assert_eq!(status, RS_OK);
                }
            }));
            parent.serve_until_gone();
        },
        |child: &End| {
            let foo = child.variable("foo").unwrap();
            assert_eq!(child.watch(foo), Ok(()));
            assert_eq!(child.set(foo, 0, small(2)), Ok(()));
            assert_eq!(*child.host.changed.borrow(), [foo]);
        },
    );
}
