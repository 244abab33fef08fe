//! Messages arrive, whatever their size, and waits end.

use crate::process::*;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use vmshare::host::memory::{HostAllocator, Vec as Buffer};
use vmshare::shm::channel::{Channel, Options};
use vmshare::shm::deadline::Deadline;
use vmshare::shm::hello::Hello;
use vmshare::shm::message::{Announcement, Progress};
use vmshare::shm::waiting::Wait;
use vmshare::status::*;

#[test]
fn a_message_goes_there_and_back() {
    let _alone = alone();
    let (mut channel, child) = with_child(&options(4096), echo);
    let mut answer = buffer();
    for round in 0..1000u32 {
        let text = pattern(round as usize, u64::from(round));
        channel.send(&mut soon(), round, &[&text]).unwrap();
        assert_eq!(channel.receive(&mut soon(), &mut answer), Ok(round));
        assert_eq!(answer[..], text[..]);
    }
    drop(channel);
    child.join();
}

#[test]
fn sixty_four_megabytes_pass_through_a_small_ring_and_back() {
    let _alone = alone();
    let (mut channel, child) = with_child(&options(1 << 16), echo);
    let text = pattern(64 << 20, 1);
    let mut answer = buffer();
    channel.send(&mut soon(), 7, &[&text]).unwrap();
    assert_eq!(channel.receive(&mut soon(), &mut answer), Ok(7));
    assert!(answer[..] == text[..]);
    drop(channel);
    child.join();
}

#[test]
fn a_message_is_the_same_in_however_many_parts() {
    let _alone = alone();
    let (mut maker, mut joiner) = both(&options(4096));
    let mut message = buffer();
    // So many that they go around the end of the ring at every place.
    for round in 0..2000 {
        let text = pattern(1 + round % 131, round as u64);
        let (first, rest) = text.split_at(text.len() / 3);
        let (second, third) = rest.split_at(rest.len() / 2);
        assert_eq!(maker.try_send(1, &[first, &[], second, third]), Ok(true));
        maker.flush();
        assert_eq!(joiner.try_receive(&mut message), Ok(Some(1)));
        assert_eq!(message[..], text[..]);
    }
}

#[test]
fn a_batch_is_seen_when_it_is_flushed() {
    let _alone = alone();
    let (mut maker, mut joiner) = both(&options(4096));
    let mut message = buffer();
    for kind in 0..10 {
        assert_eq!(maker.try_send(kind, &[b"one of ten"]), Ok(true));
    }
    assert_eq!(joiner.try_receive(&mut message), Ok(None));
    maker.flush();
    for kind in 0..10 {
        assert_eq!(joiner.try_receive(&mut message), Ok(Some(kind)));
    }
    assert_eq!(joiner.try_receive(&mut message), Ok(None));
}

#[test]
fn both_ends_may_send_long_messages_at_once() {
    let _alone = alone();
    let text = pattern(8 << 20, 3);
    let converse = |mut channel: Channel| {
        let mut arrived = None;
        let mut message = buffer();
        let mut take_in = |channel: &mut Channel| {
            if arrived.is_none() {
                arrived = channel.try_receive(&mut message)?;
            }
            Ok(false)
        };
        let mut wait = Wait {
            meanwhile: Some(&mut take_in),
            ..soon()
        };
        channel.send(&mut wait, 5, &[&text]).unwrap();
        if arrived.is_none() {
            arrived = Some(channel.receive(&mut soon(), &mut message).unwrap());
        }
        assert_eq!(arrived, Some(5));
        assert!(message[..] == text[..]);
        // Not before the other end has everything.
        channel.send(&mut soon(), 6, &[]).unwrap();
        assert_eq!(channel.receive(&mut soon(), &mut message), Ok(6));
    };
    let (channel, child) = with_child(&options(1 << 16), converse);
    converse(channel);
    child.join();
}

#[test]
fn what_is_sent_during_a_long_message_is_refused_and_does_not_spoil_it() {
    let _alone = alone();
    let (mut maker, mut joiner) = both(&options(4096));
    let text = pattern(100_000, 1);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut refusals = 0;
            let mut nested = |channel: &mut Channel| {
                let refused = Err(RS_ERR_REENTRANT);
                assert_eq!(channel.send(&mut soon(), 2, &[b"short"]), refused);
                assert_eq!(channel.send(&mut soon(), 2, &[&[0; 5000]]), refused);
                refusals += 1;
                Ok(false)
            };
            let mut wait = Wait {
                meanwhile: Some(&mut nested),
                ..soon()
            };
            maker.send(&mut wait, 1, &[&text]).unwrap();
            assert!(refusals > 0);
        });
        // It must wait for this end.
        std::thread::sleep(Duration::from_millis(20));
        let mut message = buffer();
        assert_eq!(joiner.receive(&mut soon(), &mut message), Ok(1));
        assert!(message[..] == text[..]);
    });
}

#[test]
fn a_message_can_be_read_straight_to_its_place() {
    let _alone = alone();
    let (mut maker, mut joiner) = both(&options(4096));
    maker.send(&mut soon(), 3, &[b"to its place"]).unwrap();
    let announced = Announcement {
        kind: 3,
        length: 12,
    };
    assert_eq!(joiner.try_begin(), Ok(Some(announced)));
    assert_eq!(joiner.try_begin(), Ok(Some(announced)));
    let mut place = [MaybeUninit::new(0u8); 12];
    assert_eq!(joiner.try_read(&mut place[..2]), Ok(Progress::More(2)));
    assert_eq!(joiner.try_read(&mut place[2..]), Ok(Progress::Done(10)));
    // SAFETY: all of it was initialised before.
    let place = place.map(|byte| unsafe { byte.assume_init() });
    assert_eq!(&place, b"to its place");
    assert_eq!(joiner.try_begin(), Ok(None));
}

#[test]
fn a_message_that_was_half_collected_can_be_passed_over() {
    let _alone = alone();
    let (mut maker, mut joiner) = both(&options(4096));
    let mut message = buffer();
    assert_eq!(maker.try_open(1, 3000), Ok(true));
    assert_eq!(maker.try_write(&[1; 1500]), Ok(1500));
    assert_eq!(joiner.try_receive(&mut message), Ok(None));
    assert_eq!(maker.try_write(&[1; 1500]), Ok(1500));
    while !matches!(joiner.try_skip().unwrap(), Progress::Done(_)) {}
    maker.send(&mut soon(), 2, &[b"next"]).unwrap();
    assert_eq!(joiner.receive(&mut soon(), &mut message), Ok(2));
    assert_eq!(message[..], b"next"[..]);
}

#[test]
fn a_receiver_that_stops_costs_the_sender_its_deadline_and_no_memory() {
    let _alone = alone();
    let (mut maker, _joiner) = both(&options(4096));
    let mut sent = 0;
    while maker.try_send(1, &[&[0; 100]]).unwrap() {
        sent += 1;
    }
    assert!((30..=37).contains(&sent), "a ring of 4096 bytes: {sent}");
    let begin = Instant::now();
    let wait = &mut within(Duration::from_millis(30));
    assert_eq!(maker.send(wait, 1, &[&[0; 100]]), Err(RS_ERR_TIMEOUT));
    let waited = begin.elapsed();
    assert!(waited >= Duration::from_millis(30) && waited < Duration::from_secs(1));
    // A host that never waits is told so at once.
    assert_eq!(maker.try_send(1, &[&[0; 100]]), Ok(false));
    let now = &mut Wait::until(Deadline::NOW);
    assert_eq!(maker.send(now, 1, &[&[0; 100]]), Err(RS_ERR_TIMEOUT));
}

#[test]
fn a_long_message_that_is_given_up_leaves_the_channel_whole() {
    let _alone = alone();
    let (mut maker, mut joiner) = both(&options(4096));
    let mut message = buffer();
    let wait = &mut within(Duration::from_millis(10));
    let text = pattern(100_000, 1);
    assert_eq!(maker.send(wait, 1, &[&text]), Err(RS_ERR_TIMEOUT));
    assert_eq!(joiner.try_receive(&mut message), Ok(None));
    maker.send(&mut soon(), 2, &[b"and now this"]).unwrap();
    assert_eq!(joiner.try_receive(&mut message), Ok(Some(2)));
    assert_eq!(message[..], b"and now this"[..]);
}

#[test]
fn a_wait_ends_when_the_caller_wants() {
    let _alone = alone();
    let (mut maker, _joiner) = both(&options(4096));
    let (reader, writer) = std::io::pipe().unwrap();
    let mut message = buffer();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(20));
            std::io::Write::write_all(&mut &writer, b"C-g").unwrap();
        });
        let mut wait = Wait {
            cancel: Some(reader.as_fd()),
            ..soon()
        };
        assert_eq!(maker.receive(&mut wait, &mut message), Err(RS_CANCELLED));
    });
}

#[test]
fn ends_that_can_not_agree_refuse() {
    let _alone = alone();
    let old = options(4096);
    let new = Options {
        hello: Hello {
            oldest: 2,
            newest: 3,
            ..old.hello
        },
        ..old
    };
    let (mut maker, handover) = Channel::pair(&old).unwrap();
    let mut joiner = Channel::adopt(handover, &new).unwrap();
    assert_eq!(joiner.greet(&mut soon()), Err(RS_ERR_UNSUPPORTED));
    assert_eq!(maker.greet(&mut soon()), Err(RS_ERR_UNSUPPORTED));
    // It stays so.
    assert_eq!(maker.try_send(1, &[]), Err(RS_ERR_UNSUPPORTED));
    assert_eq!(maker.try_receive(&mut buffer()), Err(RS_ERR_UNSUPPORTED));
}

#[test]
fn nobody_is_sent_more_than_it_accepts() {
    let _alone = alone();
    let large = options(4096);
    let small = Options {
        hello: Hello {
            longest_message: 1000,
            ..large.hello
        },
        ..large
    };
    let (mut maker, handover) = Channel::pair(&large).unwrap();
    let mut joiner = Channel::adopt(handover, &small).unwrap();
    assert_eq!(maker.greet(&mut soon()).unwrap().longest_message, 1000);
    assert_eq!(joiner.greet(&mut soon()).unwrap().longest_message, 1 << 30);
    assert_eq!(maker.try_send(1, &[&[0; 1001]]), Err(RS_ERR_LIMIT));
    assert_eq!(maker.try_send(1, &[&[0; 1000]]), Ok(true));
    // A whole message is less than a ring; the rest must be sent in pieces.
    let whole = joiner.longest_whole();
    assert_eq!(
        joiner.try_send(1, &[&vec![0; whole + 1]]),
        Err(RS_ERR_LIMIT)
    );
}

#[test]
fn sizes_that_are_no_ring_are_refused() {
    let _alone = alone();
    for bytes in [0, 1, 4095, 5000, 1 << 31] {
        assert_eq!(Channel::pair(&options(bytes)).err(), Some(RS_ERR_ARGUMENT));
    }
}

/// How many more allocations a test's host grants.
static GRANTED: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" fn allocate(_ctx: *mut c_void, size: usize) -> *mut c_void {
    let granted = GRANTED.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
        left.checked_sub(1)
    });
    match granted {
        // SAFETY: malloc takes any size.
        Ok(_) => unsafe { libc::malloc(size) },
        Err(_) => std::ptr::null_mut(),
    }
}

unsafe extern "C" fn release(_ctx: *mut c_void, memory: *mut c_void, _size: usize) {
    // SAFETY: it came from `allocate`.
    unsafe { libc::free(memory) };
}

#[test]
fn without_memory_no_message_is_lost() {
    let _alone = alone();
    let (mut maker, handover) = Channel::pair(&options(4096)).unwrap();
    let poor = HostAllocator::new(std::ptr::null_mut(), Some(allocate), Some(release));
    let poor = Options {
        allocator: poor,
        ..options(4096)
    };
    let mut joiner = Channel::adopt(handover, &poor).unwrap();
    let mut message = Buffer::new_in(poor.allocator);
    let text = pattern(10_000, 1);

    // The hello.
    assert_eq!(joiner.try_greet().err(), Some(RS_ERR_MEMORY));
    GRANTED.store(1, Ordering::Relaxed);
    assert!(joiner.try_greet().unwrap().is_some());

    maker.send(&mut soon(), 1, &[b"short"]).unwrap();
    let received = joiner.try_receive(&mut message);
    assert_eq!(received, Err(RS_ERR_MEMORY));
    GRANTED.store(1, Ordering::Relaxed);
    assert_eq!(joiner.try_receive(&mut message), Ok(Some(1)));
    assert_eq!(message[..], b"short"[..]);

    std::thread::scope(|scope| {
        scope.spawn(|| maker.send(&mut soon(), 2, &[&text]).unwrap());
        let received = joiner.receive(&mut soon(), &mut message);
        assert_eq!(received, Err(RS_ERR_MEMORY));
        GRANTED.store(1, Ordering::Relaxed);
        assert_eq!(joiner.receive(&mut soon(), &mut message), Ok(2));
        assert!(message[..] == text[..]);
    });
}
