//! The end of a peer ends every wait, soon, and what it had said before still arrives.

use crate::process::*;
use std::time::{Duration, Instant};
use vmshare::shm::channel::Channel;
use vmshare::status::*;

/// How soon a death must be noticed, on a machine that has other things to do.
const AT_ONCE: Duration = Duration::from_millis(500);

#[test]
fn a_sleeper_is_woken_when_its_peer_is_killed() {
    let _alone = alone();
    let (mut channel, child) = with_child(&options(4096), |mut channel| {
        channel.greet(&mut soon()).unwrap();
        loop {
            std::thread::park();
        }
    });
    channel.greet(&mut soon()).unwrap();
    assert!(!channel.peer_is_gone());
    let killer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        let killed = Instant::now();
        drop(child);
        killed
    });
    let received = channel.receive(&mut soon(), &mut buffer());
    let noticed = Instant::now();
    assert_eq!(received, Err(RS_ERR_DEAD));
    assert!(noticed - killer.join().unwrap() < AT_ONCE);
    assert!(channel.peer_is_gone());
    assert_eq!(channel.try_send(1, &[]), Err(RS_ERR_DEAD));
}

#[test]
fn a_peer_that_is_killed_while_it_writes_leaves_whole_messages_only() {
    let _alone = alone();
    for round in 0..30 {
        let (mut channel, child) = with_child(&options(4096), move |mut channel| {
            let mut numbers = Numbers(round);
            loop {
                let seed = numbers.below(2000);
                let text = pattern(seed as usize, seed);
                channel.send(&mut soon(), seed as u32, &[&text]).unwrap();
            }
        });
        let mut message = buffer();
        let mut expected = Numbers(round);
        let mut received = 0;
        let failure = loop {
            match channel.receive(&mut soon(), &mut message) {
                Ok(kind) => {
                    assert_eq!(u64::from(kind), expected.below(2000));
                    assert!(message[..] == pattern(kind as usize, u64::from(kind))[..]);
                }
                Err(status) => break status,
            }
            received += 1;
            if received == 1 + round * 7 {
                child.kill(libc::SIGKILL);
            }
        };
        assert_eq!(failure, RS_ERR_DEAD);
    }
}

#[test]
fn a_child_is_told_of_its_parents_death() {
    let _alone = alone();
    let (told, tell) = std::io::pipe().unwrap();
    let parent = Child::new(|| {
        // The grandchild of this test outlives its parent, and tells what it saw.
        let (channel, child) = with_child(&options(4096), |mut channel| {
            let status = channel.receive(&mut soon(), &mut buffer()).unwrap_err();
            std::io::Write::write_all(&mut &tell, &status.to_ne_bytes()).unwrap();
        });
        std::thread::sleep(Duration::from_millis(20));
        std::mem::forget((channel, child));
        // SAFETY: kills this process.
        unsafe { libc::raise(libc::SIGKILL) };
    });
    drop(tell);
    let mut status = [0; 4];
    std::io::Read::read_exact(&mut &told, &mut status).unwrap();
    assert_eq!(rs_status::from_ne_bytes(status), RS_ERR_DEAD);
    drop(parent);
}

#[test]
fn a_grandchild_that_holds_the_socket_does_not_hide_a_death() {
    let _alone = alone();
    let (mut channel, child) = with_child(&options(4096), |mut channel| {
        channel.greet(&mut soon()).unwrap();
        // It inherits everything, and lives on.
        std::mem::forget(Child::new(|| std::thread::sleep(Duration::from_secs(2))));
        std::mem::forget(channel);
    });
    let begin = Instant::now();
    assert_eq!(
        channel.receive(&mut soon(), &mut buffer()),
        Err(RS_ERR_DEAD)
    );
    assert!(begin.elapsed() < AT_ONCE);
    child.join();
}

#[test]
fn hanging_up_tells_where_the_process_is_not_known() {
    let _alone = alone();
    let (mut channel, handover) = Channel::pair(&options(4096)).unwrap();
    let child = Child::new(|| std::thread::sleep(Duration::from_millis(30)));
    drop(handover);
    assert!(!channel.watches_process());
    assert_eq!(
        channel.receive(&mut soon(), &mut buffer()),
        Err(RS_ERR_DEAD)
    );
    child.join();
}

#[test]
fn what_a_peer_said_before_its_end_still_arrives() {
    let _alone = alone();
    let (mut channel, child) = with_child(&options(4096), |mut channel| {
        channel.send(&mut soon(), 1, &[b"first"]).unwrap();
        channel.send(&mut soon(), 2, &[b"last words"]).unwrap();
    });
    child.join();
    channel.woken().unwrap();
    assert!(channel.peer_is_gone());
    let mut message = buffer();
    assert_eq!(channel.receive(&mut soon(), &mut message), Ok(1));
    assert_eq!(channel.receive(&mut soon(), &mut message), Ok(2));
    assert_eq!(message[..], b"last words"[..]);
    assert_eq!(channel.receive(&mut soon(), &mut message), Err(RS_ERR_DEAD));
}
