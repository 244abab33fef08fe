//! No wake-up is lost, and none is needed to keep a host's event loop going.

use crate::process::*;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};
use vmshare::shm::channel::{Channel, Options};
use vmshare::status::*;

/// Ends that sleep whenever they can.
fn sleepy(ring_bytes: usize) -> Options {
    Options {
        spin: Duration::ZERO,
        ..options(ring_bytes)
    }
}

/// Wastes up to some hundred nanoseconds: enough to be early here and late there.
fn dawdle(numbers: &mut Numbers) {
    for _ in 0..numbers.below(400) {
        std::hint::spin_loop();
    }
}

/// 100,000 round trips, or as many as VMSHARE_WAKE_UPS says.
#[test]
fn no_wake_up_is_lost() {
    let _alone = alone();
    let rounds = setting("VMSHARE_WAKE_UPS", 100_000);
    let (mut channel, child) = with_child(&sleepy(4096), |mut channel| {
        let mut numbers = Numbers(1);
        let mut message = buffer();
        while channel.receive(&mut soon(), &mut message).is_ok() {
            dawdle(&mut numbers);
            if channel.send(&mut soon(), 1, &[&message]).is_err() {
                break;
            }
        }
    });
    let mut numbers = Numbers(2);
    let mut answer = buffer();
    for round in 0..rounds {
        channel
            .send(&mut soon(), 1, &[&round.to_ne_bytes()])
            .unwrap();
        dawdle(&mut numbers);
        assert_eq!(channel.receive(&mut soon(), &mut answer), Ok(1));
        assert_eq!(answer[..], round.to_ne_bytes()[..]);
    }
    drop(channel);
    child.join();
}

#[test]
fn no_wake_up_is_lost_when_the_ring_is_full() {
    let _alone = alone();
    let messages = setting("VMSHARE_WAKE_UPS", 100_000);
    let (mut channel, child) = with_child(&sleepy(4096), move |mut channel| {
        let mut numbers = Numbers(3);
        let mut message = buffer();
        for number in 0..messages {
            channel.receive(&mut soon(), &mut message).unwrap();
            assert_eq!(message[..8], number.to_ne_bytes());
            if numbers.below(16) == 0 {
                dawdle(&mut numbers);
            }
        }
    });
    let mut numbers = Numbers(4);
    for number in 0..messages {
        let rest = vec![0; numbers.below(1000) as usize];
        channel
            .send(&mut soon(), 1, &[&number.to_ne_bytes(), &rest])
            .unwrap();
    }
    child.join();
}

/// What a host's loop does, with nothing but poll.
fn serve_from_an_event_loop(mut channel: Channel) -> u64 {
    let mut served = 0;
    let mut message = buffer();
    while !channel.peer_is_gone() {
        if channel.prepare_to_sleep().unwrap() {
            let mut polled = libc::pollfd {
                fd: channel.descriptor().unwrap().as_raw_fd(),
                events: libc::POLLIN,
                revents: 0,
            };
            // SAFETY: the array of one is this frame's.
            let count = unsafe { libc::poll(&mut polled, 1, 20_000) };
            assert_eq!(count, 1, "a wake-up was lost");
        }
        channel.woken().unwrap();
        while let Some(kind) = channel.try_receive(&mut message).unwrap() {
            served += 1;
            while !channel.try_send(kind, &[&message]).unwrap() {}
        }
    }
    served
}

#[test]
fn an_event_loop_serves_by_polling_one_descriptor() {
    let _alone = alone();
    let rounds = setting("VMSHARE_WAKE_UPS", 10_000);
    let (mut channel, child) = with_child(&sleepy(4096), |channel| {
        assert_eq!(serve_from_an_event_loop(channel), rounds);
    });
    let mut numbers = Numbers(5);
    let mut answer = buffer();
    for round in 0..rounds as u32 {
        channel.send(&mut soon(), round, &[b"ping"]).unwrap();
        dawdle(&mut numbers);
        assert_eq!(channel.receive(&mut soon(), &mut answer), Ok(round));
    }
    drop(channel);
    child.join();
}

#[test]
fn an_event_loop_does_not_sleep_on_what_has_arrived() {
    let _alone = alone();
    let (mut maker, mut joiner) = both(&options(4096));
    let mut message = buffer();
    maker.greet(&mut soon()).unwrap();
    joiner.greet(&mut soon()).unwrap();
    assert_eq!(joiner.prepare_to_sleep(), Ok(true));
    maker.send(&mut soon(), 1, &[]).unwrap();
    joiner.woken().unwrap();
    assert_eq!(joiner.prepare_to_sleep(), Ok(false));
    assert_eq!(joiner.try_receive(&mut message), Ok(Some(1)));
    assert_eq!(joiner.prepare_to_sleep(), Ok(true));
    joiner.woken().unwrap();

    // Nor when there is room again for what could not be sent.
    while joiner.try_send(1, &[&[0; 100]]).unwrap() {}
    assert_eq!(joiner.prepare_to_sleep(), Ok(true));
    joiner.woken().unwrap();
    for _ in 0..20 {
        assert_eq!(maker.try_receive(&mut message), Ok(Some(1)));
    }
    assert_eq!(joiner.prepare_to_sleep(), Ok(false));
    assert_eq!(joiner.try_send(1, &[&[0; 100]]), Ok(true));
}

#[test]
fn an_event_loop_learns_of_a_death() {
    let _alone = alone();
    let (channel, child) = with_child(&options(4096), |mut channel| {
        channel.greet(&mut soon()).unwrap();
    });
    let begin = Instant::now();
    serve_from_an_event_loop(channel);
    assert!(begin.elapsed() < Duration::from_secs(5));
    child.join();
}

#[test]
fn a_deadline_is_kept_to_the_millisecond() {
    let _alone = alone();
    let (mut maker, _joiner) = both(&sleepy(4096));
    for milliseconds in [0, 1, 10, 50] {
        let time = Duration::from_millis(milliseconds);
        let begin = Instant::now();
        let received = maker.receive(&mut within(time), &mut buffer());
        assert_eq!(received, Err(RS_ERR_TIMEOUT));
        assert!(begin.elapsed() >= time);
        assert!(begin.elapsed() < time + Duration::from_millis(500));
    }
}
