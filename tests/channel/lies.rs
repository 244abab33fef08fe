//! What a peer can do that keeps to no protocol: end the channel, and nothing else.

use crate::process::*;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use vmshare::shm::channel::{Channel, Options};
use vmshare::shm::deadline::Deadline;
use vmshare::shm::handover::Handover;
use vmshare::shm::hello::Hello;
use vmshare::shm::ring::Part;
use vmshare::shm::segment::{CONSUMED, HEADER, PUBLISHED, SLEEPING, WORDS};
use vmshare::shm::waiting::Wait;
use vmshare::status::*;

const RING: usize = 4096;

/// A peer that writes what it likes: the joiner of a channel, without the library.
struct Liar {
    start: *mut u8,
    socket: OwnedFd,
    written: u64,
}

// SAFETY: the mapping is only accessed atomically.
unsafe impl Sync for Liar {}

impl Liar {
    fn new(handover: Handover) -> Liar {
        // SAFETY: a new mapping of the size that the segment has.
        let start = unsafe {
            let access = libc::PROT_READ | libc::PROT_WRITE;
            let file = handover.segment.as_raw_fd();
            libc::mmap(
                std::ptr::null_mut(),
                SIZE,
                access,
                libc::MAP_SHARED,
                file,
                0,
            )
        };
        assert_ne!(start, libc::MAP_FAILED);
        Liar {
            start: start.cast(),
            socket: handover.socket,
            written: 0,
        }
    }

    fn word(&self, at: usize) -> &AtomicU64 {
        assert!(at + 8 <= SIZE);
        // SAFETY: the word lies in the mapping.
        unsafe { &*self.start.add(at).cast::<AtomicU64>() }
    }

    fn byte(&self, at: usize) -> &AtomicU8 {
        assert!(at < SIZE);
        // SAFETY: the byte lies in the mapping.
        unsafe { &*self.start.add(at).cast::<AtomicU8>() }
    }

    fn set(&self, word: usize, value: u64) {
        self.word(WORDS + word).store(value, Ordering::SeqCst);
    }

    /// Writes a frame whose header says `length`, whatever the payload is.
    fn frame(&mut self, part: Part, length: u64, payload: &[u64]) {
        let ring = HEADER + RING;
        let header = length | (part as u64) << 30 | 1 << 32;
        for word in [header].iter().chain(payload) {
            let place = ring + self.written as usize % RING;
            self.word(place).store(*word, Ordering::SeqCst);
            self.written += 8;
        }
        self.set(PUBLISHED, self.written);
    }

    fn greet(&mut self, hello: Hello) {
        let words: Vec<u64> = hello
            .to_bytes()
            .chunks(8)
            .map(|word| u64::from_ne_bytes(word.try_into().unwrap()))
            .collect();
        self.frame(Part::Whole, 40, &words);
    }

    fn signal(&self, bytes: &[u8]) -> isize {
        let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        let socket = self.socket.as_raw_fd();
        // SAFETY: the bytes are borrowed for the call.
        unsafe { libc::send(socket, bytes.as_ptr().cast(), bytes.len(), flags) }
    }

    /// Sends these descriptors with a message.
    fn signal_with(&self, bytes: &[u8], descriptors: &[i32]) {
        // SAFETY: everything that the message points to is this frame's.
        unsafe {
            let mut control = [0u64; 16];
            let mut text = libc::iovec {
                iov_base: bytes.as_ptr().cast_mut().cast(),
                iov_len: bytes.len(),
            };
            let mut message: libc::msghdr = std::mem::zeroed();
            let size = size_of_val(descriptors) as u32;
            message.msg_iov = &mut text;
            message.msg_iovlen = 1;
            message.msg_control = control.as_mut_ptr().cast();
            message.msg_controllen = libc::CMSG_SPACE(size) as usize;
            let first = libc::CMSG_FIRSTHDR(&message);
            (*first).cmsg_level = libc::SOL_SOCKET;
            (*first).cmsg_type = libc::SCM_RIGHTS;
            (*first).cmsg_len = libc::CMSG_LEN(size) as usize;
            let data = libc::CMSG_DATA(first).cast::<i32>();
            data.copy_from(descriptors.as_ptr(), descriptors.len());
            let sent = libc::sendmsg(self.socket.as_raw_fd(), &message, libc::MSG_NOSIGNAL);
            assert_eq!(sent, bytes.len() as isize);
        }
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        // SAFETY: the mapping is this one's own.
        unsafe { libc::munmap(self.start.cast(), SIZE) };
    }
}

const SIZE: usize = HEADER + 2 * RING;

fn liar() -> (Channel, Liar) {
    let (channel, handover) = Channel::pair(&options(RING)).unwrap();
    (channel, Liar::new(handover))
}

/// After the greeting.
fn acquainted() -> (Channel, Liar) {
    let (mut channel, mut liar) = liar();
    liar.greet(options(RING).hello);
    channel.greet(&mut soon()).unwrap();
    (channel, liar)
}

/// The channel is at its end, and stays there.
fn expect_end(channel: &mut Channel) {
    let mut message = buffer();
    assert_eq!(channel.try_receive(&mut message), Err(RS_ERR_PEER));
    assert_eq!(channel.try_receive(&mut message), Err(RS_ERR_PEER));
    assert_eq!(channel.try_send(1, &[]), Err(RS_ERR_PEER));
    assert_eq!(channel.receive_descriptor().err(), Some(RS_ERR_PEER));
}

#[test]
fn a_cursor_that_lies_ends_the_channel() {
    let _alone = alone();
    // Back, past what the ring holds, not at a word, and as far as can be.
    for lie in [0, 40, 48 + RING as u64 + 8, 52, u64::MAX - 7, u64::MAX] {
        let (mut channel, liar) = acquainted();
        liar.set(PUBLISHED, lie);
        expect_end(&mut channel);
    }
}

#[test]
fn a_reader_that_lies_ends_the_channel() {
    let _alone = alone();
    // More than was published, and back.
    for (first, second) in [(1 << 20, 1 << 20), (u64::MAX, u64::MAX), (48, 40)] {
        let (mut channel, liar) = acquainted();
        let fill = |channel: &mut Channel| {
            while channel.try_send(1, &[&[0; 500]])? {
                channel.flush();
            }
            Ok(())
        };
        liar.set(CONSUMED, first);
        let told = fill(&mut channel);
        liar.set(CONSUMED, second);
        let told = told.and_then(|()| fill(&mut channel));
        assert_eq!(told, Err(RS_ERR_PEER));
        expect_end(&mut channel);
    }
}

#[test]
fn the_own_cursors_of_an_end_are_not_what_a_peer_writes_there() {
    let _alone = alone();
    for lie in [0, 8, 1 << 20, u64::MAX] {
        let (mut channel, mut liar) = acquainted();
        // The words of the maker: this end's.
        for word in [PUBLISHED, CONSUMED, SLEEPING] {
            liar.word(word).store(lie, Ordering::SeqCst);
        }
        for round in 0..3 {
            assert_eq!(channel.try_send(1, &[b"still here"]), Ok(true));
            channel.flush();
            liar.frame(Part::Whole, 8, &[round]);
            let mut message = buffer();
            assert_eq!(channel.try_receive(&mut message), Ok(Some(1)));
            assert_eq!(message[..], round.to_ne_bytes()[..]);
            // What the maker has published is what it has written: a hello, and this, again and again.
            let published = liar.word(PUBLISHED).load(Ordering::SeqCst);
            assert_eq!(published, 48 + 24 * (round + 1));
        }
    }
}

#[test]
fn a_length_that_lies_ends_the_channel() {
    let _alone = alone();
    // More than is published, more than a frame may have, more than any ring.
    for lie in [9, 2048, 4096, (1 << 30) - 1] {
        let (mut channel, mut liar) = acquainted();
        liar.frame(Part::Whole, lie, &[7]);
        expect_end(&mut channel);
    }
}

#[test]
fn frames_that_make_no_message_end_the_channel() {
    let _alone = alone();
    let stories: [&[(Part, u64, &[u64])]; 9] = [
        &[(Part::Piece, 8, &[1])],
        &[(Part::Abandoned, 0, &[])],
        &[(Part::Opening, 4, &[100])],
        &[(Part::Opening, 0, &[])],
        &[(Part::Opening, 8, &[u64::MAX])],
        &[(Part::Opening, 8, &[4]), (Part::Piece, 8, &[1])],
        &[(Part::Opening, 8, &[9]), (Part::Piece, 0, &[])],
        &[(Part::Opening, 8, &[9]), (Part::Whole, 8, &[1])],
        &[(Part::Opening, 8, &[9]), (Part::Abandoned, 8, &[1])],
    ];
    for story in stories {
        let (mut channel, mut liar) = acquainted();
        for (part, length, payload) in story {
            liar.frame(*part, *length, payload);
        }
        expect_end(&mut channel);
    }
}

#[test]
fn a_greeting_that_is_none_ends_the_channel() {
    let _alone = alone();
    let greetings: [(Part, u64, &[u64]); 4] = [
        (Part::Whole, 0, &[]),
        (Part::Whole, 40, &[1, 2, 3, 4, 5]),
        (Part::Opening, 8, &[0]),
        (Part::Opening, 8, &[1 << 40]),
    ];
    for (part, length, payload) in greetings {
        let (mut channel, mut liar) = liar();
        liar.frame(part, length, payload);
        assert_eq!(channel.greet(&mut soon()), Err(RS_ERR_PEER));
        expect_end(&mut channel);
    }
}

#[test]
fn a_greeting_that_never_ends_moves_no_deadline() {
    let _alone = alone();
    let (mut channel, mut liar) = liar();
    liar.frame(Part::Opening, 8, &[1000]);
    liar.frame(Part::Piece, 8, &[1]);
    let wait = &mut within(Duration::from_millis(20));
    assert_eq!(channel.greet(wait), Err(RS_ERR_TIMEOUT));
}

#[test]
fn a_word_that_changes_after_the_look_changes_nothing() {
    let _alone = alone();
    let (mut channel, mut liar) = acquainted();
    liar.frame(Part::Whole, 16, &[5, 6]);
    assert_eq!(channel.try_begin().unwrap().unwrap().length, 16);
    // The header, now that it has been read, and the cursor.
    liar.word(HEADER + RING + 48)
        .store(u64::MAX, Ordering::SeqCst);
    liar.set(PUBLISHED, u64::MAX);
    let mut message = buffer();
    assert_eq!(channel.try_receive(&mut message), Ok(Some(1)));
    assert_eq!(message[..8], 5u64.to_ne_bytes());
    expect_end(&mut channel);
}

#[test]
fn a_message_that_is_none_ends_the_channel() {
    let _alone = alone();
    let before = open_descriptors();
    for text in [&b"x"[..], b"d", b"ww", &[0; 5000]] {
        let (mut channel, liar) = acquainted();
        assert_eq!(liar.signal(text), text.len() as isize);
        assert_eq!(channel.woken(), Err(RS_ERR_PEER));
        expect_end(&mut channel);
    }
    for (text, descriptors) in [(&b"w"[..], &[0][..]), (b"d", &[0, 0, 0]), (b"d", &[0; 20])] {
        let (mut channel, liar) = acquainted();
        liar.signal_with(text, descriptors);
        assert_eq!(channel.woken(), Err(RS_ERR_PEER));
        expect_end(&mut channel);
    }
    assert_eq!(open_descriptors(), before);
}

#[test]
fn a_storm_of_wake_ups_moves_no_deadline() {
    let _alone = alone();
    let (mut channel, liar) = acquainted();
    let storm = || {
        liar.signal(b"w");
        liar.set(SLEEPING, 1);
        liar.word(SLEEPING).store(0, Ordering::Relaxed);
    };
    in_a_storm(storm, || {
        for _ in 0..5 {
            waits_as_long_as_it_may(&mut channel);
            // Nor does it keep this end from sending, or fill its memory.
            assert_eq!(channel.try_send(1, &[b"into the storm"]), Ok(true));
            channel.flush();
        }
    });
}

#[test]
fn cursors_that_never_rest_move_no_deadline() {
    let _alone = alone();
    let (mut channel, liar) = acquainted();
    // Back and forth, where a receiver does not look.
    let storm = || {
        liar.set(CONSUMED, 8);
        liar.set(CONSUMED, 16);
    };
    in_a_storm(storm, || waits_as_long_as_it_may(&mut channel));
}

/// Receives nothing, and not much later than its deadline.
fn waits_as_long_as_it_may(channel: &mut Channel) {
    let begin = Instant::now();
    let time = Duration::from_millis(100);
    let received = channel.receive(&mut within(time), &mut buffer());
    assert_eq!(received, Err(RS_ERR_TIMEOUT));
    assert!(begin.elapsed() < time + Duration::from_millis(500));
}

/// Runs `body` while another thread does `storm` over and over.
fn in_a_storm(storm: impl Fn() + Sync, body: impl FnOnce()) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                storm();
            }
        });
        let _over = Over(&over);
        body();
    });
}

/// Ends a storm, also when what it is about has failed.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Writes anything anywhere, more often where it matters.
fn scribble(liar: &Liar, numbers: &mut Numbers) {
    let at = match numbers.below(4) {
        0 => numbers.below(SIZE as u64) as usize,
        1 => HEADER + numbers.below(2 * RING as u64) as usize,
        2 => numbers.below(1024) as usize,
        _ => {
            let word = [PUBLISHED, CONSUMED, SLEEPING][numbers.below(3) as usize];
            word + WORDS * numbers.below(2) as usize
        }
    };
    match numbers.below(3) {
        0 => liar.byte(at).store(numbers.next() as u8, Ordering::Relaxed),
        // A cursor that may well be true, or a header.
        1 => liar
            .word(at & !7)
            .store(numbers.below(3 * RING as u64) & !7, Ordering::Relaxed),
        _ => liar.word(at & !7).store(
            numbers.below(100) | numbers.below(4) << 30,
            Ordering::Relaxed,
        ),
    }
    if numbers.below(64) == 0 {
        liar.signal(if numbers.below(64) == 0 { b"?" } else { b"w" });
    }
}

/// Sends and receives until the channel ends; returns how many messages it has received.
fn carry_on(mut channel: Channel, until: Instant) -> usize {
    let mut message = buffer();
    let mut received = 0;
    while Instant::now() < until {
        let wait = &mut Wait::until(Deadline::after(Duration::from_micros(50)));
        let outcomes = [
            channel.send(wait, 1, &[&[1; 300]]),
            channel.send(wait, 2, &[&[2; 6000]]),
            channel.receive(wait, &mut message).map(|_| received += 1),
        ];
        for outcome in outcomes {
            match outcome {
                Ok(()) | Err(RS_ERR_TIMEOUT) => assert!(message.len() <= 1 << 16),
                Err(status) => {
                    // A hello may have been scribbled over before it was read.
                    let honest = [RS_ERR_PEER, RS_ERR_LIMIT, RS_ERR_UNSUPPORTED, RS_ERR_DEAD];
                    assert!(honest.contains(&status), "{status}");
                    return received;
                }
            }
        }
    }
    received
}

/// 3 seconds, or as many as VMSHARE_SCRIBBLES says. Two honest ends, so that there is something to spoil, and
/// somebody who spoils it.
#[test]
fn a_peer_that_writes_anything_anywhere_does_no_harm() {
    let _alone = alone();
    let time = Duration::from_secs(setting("VMSHARE_SCRIBBLES", 3));
    let until = Instant::now() + time;
    let mut numbers = Numbers(setting("VMSHARE_SEED", 1));
    let (mut channels, mut received) = (0, 0);
    let limited = Options {
        hello: Hello {
            longest_message: 1 << 16,
            ..options(RING).hello
        },
        ..options(RING)
    };
    while Instant::now() < until {
        let (channel, handover) = Channel::pair(&limited).unwrap();
        let copy = Handover {
            segment: handover.segment.try_clone().unwrap(),
            socket: handover.socket.try_clone().unwrap(),
        };
        let liar = Liar::new(copy);
        let other = Channel::adopt(handover, &limited).unwrap();
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // Rarely enough at times for something to arrive in between.
                let pause = 1 << numbers.below(16);
                while !over.load(Ordering::Relaxed) {
                    for _ in 0..numbers.below(pause) {
                        std::hint::spin_loop();
                    }
                    scribble(&liar, &mut numbers);
                }
            });
            let _over = Over(&over);
            let other = scope.spawn(|| carry_on(other, until));
            let mine = carry_on(channel, until);
            received += mine + other.join().expect("it does the other end no harm either");
        });
        channels += 1;
    }
    println!("{channels} channels ended, {received} messages received");
    assert!(channels > 10 && received > channels);
}

#[test]
fn descriptors_that_are_no_channel_are_refused() {
    let _alone = alone();
    let (_channel, handover) = Channel::pair(&options(RING)).unwrap();
    // SAFETY: a new descriptor.
    let file = unsafe { OwnedFd::from_raw_fd(libc::memfd_create(c"test".as_ptr(), 0)) };
    let unsealed = Handover {
        segment: file,
        socket: handover.socket,
    };
    let adopted = Channel::adopt(unsealed, &options(RING));
    assert_eq!(adopted.err(), Some(RS_ERR_PEER));
}
