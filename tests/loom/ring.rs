//! Rings and wake-ups: two ends of one direction, with memory and a socket that are loom's.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;
use std::mem::MaybeUninit;
use vmshare::shm::doorbell::{must_wake, sleep_unless};
use vmshare::shm::ring::{Memory, Part, Reader, Writer};
use vmshare::sync::{Cell, Condvar, Mutex, lock, wait};

/// Room for two frames of 8 bytes.
const CAPACITY: usize = 32;
const WORD: usize = size_of::<u64>();

/// What the two ends share. Loom reports a race if one writes a word of a frame that the other reads at the same
/// time, whatever the values.
struct World {
    published: Cell,
    consumed: Cell,
    frames: Vec<UnsafeCell<u64>>,
    sleeping: Cell,
    socket: Socket,
}

/// Wake-ups that were sent and not read.
struct Socket {
    messages: Mutex<u32>,
    arrived: Condvar,
}

impl Socket {
    fn send(&self) {
        *lock(&self.messages) += 1;
        self.arrived.notify_one();
    }

    /// Waits for a wake-up, if it shall, and reads one, if there is one.
    fn receive(&self, shall_wait: bool) {
        let mut messages = lock(&self.messages);
        while shall_wait && *messages == 0 {
            messages = wait(&self.arrived, messages);
        }
        *messages = messages.saturating_sub(1);
    }
}

impl World {
    fn new() -> Arc<World> {
        Arc::new(World {
            published: Cell::new(0),
            consumed: Cell::new(0),
            frames: (0..CAPACITY / WORD).map(|_| UnsafeCell::new(0)).collect(),
            sleeping: Cell::new(0),
            socket: Socket {
                messages: Mutex::new(0),
                arrived: Condvar::new(),
            },
        })
    }

    /// After a cursor was changed.
    fn ring(&self) {
        if must_wake(&self.sleeping) {
            self.socket.send();
        }
    }

    fn sleep(&self, has_news: impl FnOnce() -> bool) {
        sleep_unless(&self.sleeping, has_news, |has_news| {
            self.socket.receive(!has_news);
        });
    }

    /// Pushes a number and shows it, if there is room.
    fn send(&self, writer: &mut Writer, number: u64) -> bool {
        let sent = writer
            .try_push(self, Part::Whole, 0, &[&number.to_ne_bytes()])
            .expect("the reader is honest");
        writer.publish(self);
        sent
    }

    /// The next number, if there is one.
    fn receive(&self, reader: &mut Reader) -> Option<u64> {
        let header = reader.try_next(self).expect("the writer is honest")?;
        assert_eq!(header.length, WORD);
        let mut bytes = [MaybeUninit::new(0); WORD];
        reader.read(self, &mut bytes);
        reader.release(self);
        // SAFETY: all of it was initialised.
        Some(u64::from_ne_bytes(
            bytes.map(|byte| unsafe { byte.assume_init() }),
        ))
    }
}

impl Memory for World {
    fn capacity(&self) -> usize {
        CAPACITY
    }

    fn published(&self) -> &Cell {
        &self.published
    }

    fn consumed(&self) -> &Cell {
        &self.consumed
    }

    fn write(&self, at: usize, bytes: &[u8]) {
        let word = u64::from_ne_bytes(bytes.try_into().expect("payloads are words"));
        self.write_word(at, word);
    }

    fn read(&self, at: usize, bytes: &mut [MaybeUninit<u8>]) {
        let word = self.read_word(at).to_ne_bytes();
        for (byte, read) in bytes.iter_mut().zip(word) {
            byte.write(read);
        }
    }

    fn write_word(&self, at: usize, word: u64) {
        // SAFETY: loom checks that nobody else accesses the word meanwhile.
        self.frames[at / WORD].with_mut(|place| unsafe { *place = word });
    }

    fn read_word(&self, at: usize) -> u64 {
        // SAFETY: loom checks that nobody writes the word meanwhile.
        self.frames[at / WORD].with(|place| unsafe { *place })
    }

    fn prefetch(&self, _at: usize) {}
}

fn model(preemptions: usize, body: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(body);
}

#[test]
fn what_is_published_arrives_and_room_is_used_again() {
    model(4, || {
        let world = World::new();
        let theirs = world.clone();
        let sender = thread::spawn(move || {
            let mut writer = Writer::default();
            for number in 1..=4 {
                while !theirs.send(&mut writer, number) {
                    thread::yield_now();
                }
            }
        });
        let mut reader = Reader::default();
        for number in 1..=4 {
            let received = loop {
                match world.receive(&mut reader) {
                    Some(received) => break received,
                    None => thread::yield_now(),
                }
            };
            assert_eq!(received, number);
        }
        sender.join().unwrap();
    });
}

/// If a wake-up were lost, the reader would sleep for ever, which loom reports.
#[test]
fn a_reader_that_sleeps_is_woken_by_each_message() {
    model(4, || {
        let world = World::new();
        let theirs = world.clone();
        let sender = thread::spawn(move || {
            let mut writer = Writer::default();
            for number in 1..=2 {
                assert!(theirs.send(&mut writer, number));
                theirs.ring();
            }
        });
        let mut reader = Reader::default();
        for number in 1..=2 {
            let received = loop {
                if let Some(received) = world.receive(&mut reader) {
                    break received;
                }
                world.sleep(|| reader.has_news(&*world));
            };
            assert_eq!(received, number);
        }
        sender.join().unwrap();
    });
}

#[test]
fn a_writer_that_sleeps_is_woken_when_there_is_room() {
    model(4, || {
        let world = World::new();
        let mut writer = Writer::default();
        assert!(world.send(&mut writer, 1));
        assert!(world.send(&mut writer, 2));
        let theirs = world.clone();
        let receiver = thread::spawn(move || {
            let mut reader = Reader::default();
            for number in 1..=2 {
                assert_eq!(theirs.receive(&mut reader), Some(number));
                theirs.ring();
            }
        });
        for number in 3..=4 {
            while !world.send(&mut writer, number) {
                world.sleep(|| writer.has_news(&*world));
            }
        }
        receiver.join().unwrap();
    });
}
