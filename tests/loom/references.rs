//! References between two processes: how they are counted where they are sent and where they are received, while
//! finalisers of another thread let go of them.

use loom::sync::Arc;
use loom::thread;
use vmshare::host::callbacks::NO_SITE;
use vmshare::host::contract::rs_value;
use vmshare::host::exchange::{RS_CAN_ALL, rs_link, rs_remote};
use vmshare::host::memory::HostAllocator;
use vmshare::remote::pins::Pins;
use vmshare::remote::remotes::{Release, Remotes};
use vmshare::status::{RS_ERR_CLOSED, RS_ERR_STALE};
use vmshare::sync::{Mutex, lock};

const LINK: rs_link = 1;

/// Objects of the owner.
const LIST: rs_value = 16;
const OTHER: rs_value = 32;

/// An object of the asker that stands for one of the owner's.
const WRAPPER: rs_value = 48;

/// The owner's table and the asker's, and what is on its way between them, in order.
struct World {
    pins: Mutex<Pins>,
    remotes: Mutex<Remotes>,
    to_asker: Mutex<Vec<u64>>,
    to_owner: Mutex<Vec<Release>>,
}

impl World {
    fn new() -> Arc<World> {
        let allocator = HostAllocator::malloc();
        Arc::new(World {
            pins: Mutex::new(Pins::new(10, false, allocator)),
            remotes: Mutex::new(Remotes::new(1, allocator)),
            to_asker: Mutex::new(Vec::new()),
            to_owner: Mutex::new(Vec::new()),
        })
    }

    /// The owner sends a reference to an object; returns its number.
    fn send(&self, object: rs_value) -> u64 {
        let sent = lock(&self.pins).send(object, RS_CAN_ALL, 0, NO_SITE);
        let number = sent.expect("there is room");
        lock(&self.to_asker).push(number);
        number
    }

    /// The thread of the asker's link receives what has arrived; returns the last reference.
    fn receive(&self) -> Option<rs_remote> {
        let arrived = core::mem::take(&mut *lock(&self.to_asker));
        let mut last = None;
        for number in arrived {
            let received = lock(&self.remotes).receive(LINK, number, 10);
            let (id, remote) = received.expect("there is room");
            if remote.value == 0 {
                lock(&self.remotes)
                    .set_value(id, WRAPPER)
                    .expect("it is there");
            }
            last = Some(id);
        }
        last
    }

    /// It gives back what stands for nothing any more.
    fn give_back(&self) {
        let mut releases = [Release::NONE; 4];
        let taken = lock(&self.remotes).take_releases(LINK, &mut releases);
        lock(&self.to_owner).extend_from_slice(&releases[..taken]);
    }

    /// The owner takes it back.
    fn take_back(&self) {
        let arrived = core::mem::take(&mut *lock(&self.to_owner));
        for Release { pin, count, .. } in arrived {
            let taken = lock(&self.pins).release(pin, count);
            taken.expect("nobody gives back more than there was");
        }
    }

    /// Everything that is on its way arrives.
    fn settle(&self) -> Option<rs_remote> {
        let last = self.receive();
        self.give_back();
        self.take_back();
        last
    }
}

fn model(body: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(4);
    builder.check(body);
}

fn spawn<R: 'static>(
    world: &Arc<World>,
    body: impl FnOnce(&World) -> R + 'static,
) -> thread::JoinHandle<R> {
    let world = world.clone();
    thread::spawn(move || body(&world))
}

#[test]
fn a_release_that_crosses_a_re_send_leaves_the_pin() {
    model(|| {
        let world = World::new();
        let number = world.send(LIST);
        let first = world.receive().expect("a reference");
        let owner = spawn(&world, |world| {
            let number = world.send(LIST);
            world.take_back();
            number
        });
        // What stands for it is gone, while it is sent again.
        lock(&world.remotes).release(first).expect("it was there");
        world.give_back();
        // The same pin if that is still there, else a new one, under a number that was never used.
        let again = owner.join().unwrap();
        let second = world.settle().expect("it was sent again");
        assert_ne!(second, first);
        assert_eq!(lock(&world.pins).get(again).expect("pinned").object, LIST);
        assert_eq!(lock(&world.pins).get(number).is_ok(), again == number);
        assert_eq!(lock(&world.pins).len(), 1);
        // With the last reference the pin goes.
        lock(&world.remotes).release(second).expect("it is there");
        world.settle();
        assert!(lock(&world.pins).is_empty());
    });
}

#[test]
fn a_finaliser_and_the_same_reference_once_more_lose_no_count() {
    model(|| {
        let world = World::new();
        let number = world.send(LIST);
        let first = world.receive().expect("a reference");
        world.send(LIST);
        let finaliser = spawn(&world, move |world| {
            lock(&world.remotes).release(first).expect("it is there");
            // It comes once only; a second call hits nothing, least of all a new object.
            assert_eq!(lock(&world.remotes).release(first), Err(RS_ERR_CLOSED));
        });
        let second = world.receive().expect("a reference");
        world.give_back();
        finaliser.join().unwrap();
        world.settle();
        let stands_for_it = lock(&world.remotes).find(LINK, number);
        match second == first {
            // It was received before its object was gone, and went with that.
            true => {
                assert_eq!(stands_for_it, None);
                assert!(lock(&world.pins).is_empty());
            }
            false => {
                assert_eq!(stands_for_it, Some(second));
                assert!(lock(&world.pins).get(number).is_ok());
                lock(&world.remotes).release(second).expect("it is there");
                world.settle();
                assert!(lock(&world.pins).is_empty());
            }
        }
    });
}

#[test]
fn a_place_that_is_used_again_is_never_taken_for_the_object_before() {
    model(|| {
        let world = World::new();
        let number = world.send(LIST);
        let first = world.receive().expect("a reference");
        lock(&world.remotes).release(first).expect("it is there");
        world.give_back();
        // A request on its way, which names what is given back meanwhile.
        let late = spawn(&world, move |world| {
            let pins = lock(&world.pins);
            pins.get(number).map(|pin| pin.object)
        });
        world.take_back();
        let other = world.send(OTHER);
        assert_ne!(other, number);
        assert!(matches!(late.join().unwrap(), Ok(LIST) | Err(RS_ERR_STALE)));
        assert_eq!(lock(&world.pins).get(number), Err(RS_ERR_STALE));
        assert_eq!(lock(&world.pins).get(other).expect("pinned").object, OTHER);
    });
}

#[test]
fn a_finaliser_that_comes_after_the_end_of_its_link_gives_nothing_back() {
    model(|| {
        let world = World::new();
        world.send(LIST);
        let first = world.receive().expect("a reference");
        let finaliser = spawn(&world, move |world| {
            lock(&world.remotes).release(first).expect("it is there");
        });
        lock(&world.remotes).forget_link(LINK);
        finaliser.join().unwrap();
        assert!(!lock(&world.remotes).has_releases());
        assert_eq!(lock(&world.remotes).count(LINK), 0);
    });
}
