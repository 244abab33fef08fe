//! How fast it is, beside the least that the machine must do for the same. Prints; expects nothing.
//!
//! `cargo bench --bench channel`. What links make of it is measured by `make bench`.

#[allow(dead_code)]
mod process;

use process::*;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use vmshare::shm::channel::{Channel, Options};
use vmshare::shm::socket::Socket;

/// What a small request and its answer carry.
const PAYLOAD: usize = 40;

/// How often each thing is measured: the machine does other things too, so the best time counts.
const BATCHES: usize = 200;

/// Runs on one processor.
fn pin(processor: usize) {
    // SAFETY: the set is this frame's.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(processor, &mut set);
        libc::sched_setaffinity(0, size_of_val(&set), &set);
    }
}

fn unpin() {
    // SAFETY: the set is this frame's.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        (0..64).for_each(|processor| libc::CPU_SET(processor, &mut set));
        libc::sched_setaffinity(0, size_of_val(&set), &set);
    }
}

/// Best and middle time of one round, in nanoseconds, of so many.
fn measure(rounds: usize, mut body: impl FnMut(usize)) -> (f64, f64) {
    let mut times: Vec<f64> = (0..BATCHES)
        .map(|_| {
            let begin = Instant::now();
            body(rounds);
            begin.elapsed().as_nanos() as f64 / rounds as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    (times[0], times[BATCHES / 2])
}

fn tell(name: &str, (best, middle): (f64, f64)) {
    println!("{name:44} best {best:9.0} ns   median {middle:9.0} ns");
}

fn round_trips(channel: &mut Channel, rounds: usize) {
    let wait = &mut soon();
    let mut answer = buffer();
    for _ in 0..rounds {
        channel.send(wait, 1, &[&[7; PAYLOAD]]).unwrap();
        channel.receive(wait, &mut answer).unwrap();
    }
}

/// As `echo`, on a processor of its own.
fn pinned_echo(processor: usize) -> impl FnOnce(Channel) {
    move |channel| {
        pin(processor);
        echo(channel);
    }
}

/// Two lines of memory, one for each direction: a sequence number and what it brings.
#[repr(C, align(128))]
struct Mailbox {
    sequence: AtomicU64,
    payload: [AtomicU64; PAYLOAD / 8],
}

impl Mailbox {
    fn put(&self, sequence: u64) {
        for word in &self.payload {
            word.store(sequence, Ordering::Relaxed);
        }
        self.sequence.store(sequence, Ordering::Release);
    }

    fn take(&self, sequence: u64) {
        while self.sequence.load(Ordering::Acquire) != sequence {
            std::hint::spin_loop();
        }
        for word in &self.payload {
            assert_eq!(word.load(Ordering::Relaxed), sequence);
        }
    }
}

fn mailboxes() -> (f64, f64) {
    const ROUNDS: usize = 500;
    // SAFETY: a new mapping, zero, which stays.
    let boxes: &[Mailbox; 2] = unsafe {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        &*libc::mmap(std::ptr::null_mut(), 4096, access, flags, -1, 0).cast()
    };
    let all = (ROUNDS * BATCHES) as u64;
    let child = Child::new(|| {
        pin(1);
        for sequence in 1..=all {
            boxes[0].take(sequence);
            boxes[1].put(sequence);
        }
    });
    let mut sequence = 0;
    let times = measure(ROUNDS, |rounds| {
        for _ in 0..rounds {
            sequence += 1;
            boxes[0].put(sequence);
            boxes[1].take(sequence);
        }
    });
    child.join();
    times
}

fn a_round_trip_awake() {
    let _alone = alone();
    pin(0);
    tell("two mailboxes", mailboxes());
    let awake = Options {
        spin: Duration::from_millis(100),
        ..options(1 << 20)
    };
    for ring_bytes in [1 << 12, 1 << 16, 1 << 18, 1 << 20] {
        let options = Options {
            ring_bytes,
            ..awake
        };
        let (mut channel, child) = with_child(&options, pinned_echo(1));
        tell(
            &format!("channel, both looking, {} KiB", ring_bytes >> 10),
            measure(500, |rounds| round_trips(&mut channel, rounds)),
        );
        drop((channel, child));
    }
    unpin();
}

/// Waits for a token or the end of the process, as cheaply as can be, and takes it.
fn take_token(descriptor: &OwnedFd, process: i32, token: &mut [u8; 8]) {
    let poll_for = |fd| libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    let mut polled = [poll_for(descriptor.as_raw_fd()), poll_for(process)];
    let none = std::ptr::null();
    // SAFETY: array and token are borrowed for the calls.
    unsafe {
        libc::ppoll(polled.as_mut_ptr(), 2, std::ptr::null(), none);
        libc::read(descriptor.as_raw_fd(), token.as_mut_ptr().cast(), 8);
    }
}

/// Passes a token to and fro through what the descriptors are; the child has a pair of its own.
fn tokens(mine: [OwnedFd; 2], theirs: [OwnedFd; 2], size: usize, processor: usize) -> (f64, f64) {
    const ROUNDS: usize = 100;
    let put = |descriptor: &OwnedFd| {
        let token = 1u64.to_ne_bytes();
        // SAFETY: the token is borrowed for the call.
        unsafe { libc::write(descriptor.as_raw_fd(), token.as_ptr().cast(), size) };
    };
    // SAFETY: no memory is passed.
    let open = |process: i32| unsafe { libc::syscall(libc::SYS_pidfd_open, process, 0) as i32 };
    // SAFETY: no preconditions.
    let parent = open(unsafe { libc::getpid() });
    let child = Child::new(|| {
        pin(processor);
        for _ in 0..ROUNDS * BATCHES {
            take_token(&theirs[0], parent, &mut [0; 8]);
            put(&theirs[1]);
        }
    });
    let process = open(child.process());
    let times = measure(ROUNDS, |rounds| {
        for _ in 0..rounds {
            put(&mine[1]);
            take_token(&mine[0], process, &mut [0; 8]);
        }
    });
    child.join();
    for descriptor in [parent, process] {
        // SAFETY: this function's own.
        unsafe { libc::close(descriptor) };
    }
    times
}

fn eventfds(processor: usize) -> (f64, f64) {
    // SAFETY: new descriptors.
    let [there, back] = [(); 2].map(|()| unsafe { OwnedFd::from_raw_fd(libc::eventfd(0, 0)) });
    let copy = |descriptor: &OwnedFd| descriptor.try_clone().unwrap();
    let theirs = [copy(&there), copy(&back)];
    tokens([back, there], theirs, 8, processor)
}

fn sockets(processor: usize) -> (f64, f64) {
    let (mine, theirs) = Socket::pair().unwrap();
    let twice = |socket: Socket| {
        let copy = socket.descriptor().try_clone_to_owned().unwrap();
        [socket.into_descriptor(), copy]
    };
    tokens(twice(mine), twice(theirs), 1, processor)
}

fn a_round_trip_asleep() {
    let _alone = alone();
    pin(0);
    let asleep = Options {
        spin: Duration::ZERO,
        ..options(1 << 20)
    };
    for (where_, processor) in [("on one processor", 0), ("across processors", 1)] {
        tell(
            &format!("eventfd and process, {where_}"),
            eventfds(processor),
        );
        tell(&format!("socket and process, {where_}"), sockets(processor));
        let (mut channel, child) = with_child(&asleep, pinned_echo(processor));
        tell(
            &format!("channel, both sleeping, {where_}"),
            measure(100, |rounds| round_trips(&mut channel, rounds)),
        );
        drop((channel, child));
    }
    unpin();
}

fn a_string_of_64_megabytes() {
    const SIZE: usize = 64 << 20;
    let _alone = alone();
    let text = pattern(SIZE, 1);
    let mut middle = vec![1u8; SIZE];
    let mut end = vec![2u8; SIZE];
    let mut best = f64::MAX;
    for _ in 0..10 {
        let begin = Instant::now();
        middle.copy_from_slice(&text);
        end.copy_from_slice(std::hint::black_box(&middle));
        std::hint::black_box(&end);
        best = best.min(begin.elapsed().as_secs_f64());
    }
    println!("two memcpys of 64 MiB: {:.1} ms", best * 1e3);
    for ring_bytes in [1 << 16, 1 << 20, 4 << 20] {
        let ours = stream(&text, ring_bytes);
        println!(
            "through a ring of {:4} KiB: {:.1} ms, {:.2} of two memcpys' speed",
            ring_bytes >> 10,
            ours * 1e3,
            best / ours
        );
    }
}

/// The best time until the peer has said that it has all of it.
fn stream(text: &[u8], ring_bytes: usize) -> f64 {
    let (mut channel, child) = with_child(&options(ring_bytes), |mut channel| {
        let mut message = buffer();
        while channel.receive(&mut soon(), &mut message).is_ok() {
            if channel.send(&mut soon(), 1, &[]).is_err() {
                break;
            }
        }
    });
    let mut answer = buffer();
    let mut best = f64::MAX;
    for _ in 0..10 {
        let begin = Instant::now();
        channel.send(&mut soon(), 1, &[text]).unwrap();
        channel.receive(&mut soon(), &mut answer).unwrap();
        best = best.min(begin.elapsed().as_secs_f64());
    }
    drop((channel, child));
    best
}

fn a_batch_of_small_messages() {
    let _alone = alone();
    let (mut maker, mut joiner) = both(&options(1 << 20));
    let mut message = buffer();
    tell(
        "a small message, one of 64 in a batch",
        measure(1000, |rounds| {
            for _ in 0..rounds / 64 + 1 {
                for _ in 0..64 {
                    maker.try_send(1, &[&[7; PAYLOAD]]).unwrap();
                }
                maker.flush();
                for _ in 0..64 {
                    joiner.try_receive(&mut message).unwrap();
                }
            }
        }),
    );
}

fn main() {
    a_round_trip_awake();
    a_round_trip_asleep();
    a_string_of_64_megabytes();
    a_batch_of_small_messages();
}
