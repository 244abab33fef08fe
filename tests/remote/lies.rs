//! A peer that does not keep to the protocol gets errors, and nobody else anything.

use crate::end::End;
use crate::items::{Content, NIL, small};
use crate::pair::{DEFAULT, two_with, two_with_a_liar};
use std::time::Duration;
use vmshare::host::exchange::*;
use vmshare::host::memory::{HostAllocator, Vec as Buffer};
use vmshare::shm::channel::Channel;
use vmshare::shm::deadline::Deadline;
use vmshare::shm::waiting::Wait;
use vmshare::status::*;

/// Numbers that look random (splitmix64).
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A word as messages have them, or none at all.
    fn word(&mut self) -> u64 {
        match self.next() % 8 {
            0 => self.next(),
            1 => self.next() % 16,
            2 => u64::MAX - self.next() % 4,
            3 => (1 << 32) | (self.next() % 4),
            4 => (self.next() % 8) | ((self.next() % 8) << 3),
            5 => u64::MAX,
            6 => 0,
            _ => 4 + self.next() % 4,
        }
    }
}

pub fn send(channel: &mut Channel, kind: u32, words: &[u64]) -> Result<(), rs_status> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let mut wait = Wait::until(Deadline::after(std::time::Duration::from_secs(5)));
    channel.send(&mut wait, kind, &[&bytes])
}

/// A request of an honest peer, without arguments.
pub fn request(code: u32, pin: u64, index: u64, name: &str) -> Vec<u64> {
    let (serial, deadline, chain, limit, arguments) = (1, u64::MAX, 1, 0, 0);
    let mut bytes = name.as_bytes().to_vec();
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let mut words = vec![serial, deadline, chain, u64::from(code), pin, index, limit];
    words.push(name.len() as u64);
    words.extend(
        bytes
            .chunks(8)
            .map(|word| u64::from_ne_bytes(word.try_into().unwrap())),
    );
    words.push(arguments);
    words
}

/// The words of the next message.
pub fn receive(channel: &mut Channel) -> Vec<u64> {
    let mut buffer = Buffer::new_in(HostAllocator::malloc());
    let mut wait = Wait::until(Deadline::after(Duration::from_secs(20)));
    channel.receive(&mut wait, &mut buffer).unwrap();
    buffer
        .chunks(8)
        .map(|word| u64::from_ne_bytes(word.try_into().unwrap()))
        .collect()
}

/// Requests of a liar: right ones of every kind, with some words changed; and noise.
fn lie(channel: &mut Channel, numbers: &mut Numbers) -> Result<(), rs_status> {
    let mut buffer = Buffer::new_in(HostAllocator::malloc());
    for serial in 1..200 {
        let kind = 1 + (numbers.next() % 4) as u32;
        let codes = [1, 3, 4, 7, 8, 9, 10, 100];
        let code = codes[(numbers.next() % 8) as usize];
        let mut words = vec![serial, u64::MAX, 0, code, 1 << 32, numbers.next() % 3, 0, 3];
        words.push(u64::from_ne_bytes(*b"top\0\0\0\0\0"));
        words.extend([1, 6, (1 << 32) | (numbers.next() % 3), 10, 0]);
        for _ in 0..numbers.next() % 4 {
            let place = numbers.next() as usize % words.len();
            words[place] = numbers.word();
        }
        if numbers.next().is_multiple_of(8) {
            words.truncate(numbers.next() as usize % words.len());
        }
        if numbers.next().is_multiple_of(8) {
            words = (0..numbers.next() % 40).map(|_| numbers.word()).collect();
        }
        send(channel, kind, &words)?;
        while channel.try_receive(&mut buffer)?.is_some() {}
    }
    Ok(())
}

#[test]
fn messages_of_a_liar_end_its_link_or_get_an_error() {
    let rounds = std::env::var("VMSHARE_ROUNDS").map_or(60, |text| text.parse().unwrap());
    for seed in 0..rounds {
        two_with_a_liar(
            |parent: &End| {
                let list = parent.host.make(Content::Cons([small(1), NIL]));
                parent.export("top", list, RS_CAN_ALL);
                parent.serve_until_gone_or_broken();
                assert_eq!(parent.counts().pins, 0);
            },
            move |channel: &mut Channel| {
                // Ends when the other side has closed the link.
                let _ = lie(channel, &mut Numbers(seed));
            },
        );
    }
}

#[test]
fn giving_back_what_one_never_had_ends_the_link() {
    two_with_a_liar(
        |parent: &End| {
            let status = parent.serve_until_gone_or_broken();
            assert_eq!(status, RS_ERR_PEER);
            assert_eq!(parent.variable("anything"), Err(RS_ERR_PEER));
        },
        |channel: &mut Channel| {
            let _ = send(channel, 3, &[1 << 32, 1]);
            std::thread::sleep(std::time::Duration::from_millis(200));
        },
    );
}

#[test]
fn a_peer_that_reads_nothing_stops_nobody() {
    two_with_a_liar(
        |parent: &End| {
            let text = parent.host.make(Content::Text(0, vec![7; 3 << 20]));
            parent.export(
                "top",
                parent.host.make(Content::Vector(vec![text])),
                RS_CAN_ALL,
            );
            // Each serve comes back at once, though the answers do not fit the ring.
            let begin = std::time::Instant::now();
            let mut longest = Duration::ZERO;
            while begin.elapsed() < Duration::from_millis(500) {
                let one = std::time::Instant::now();
                if !parent.serve_for(Duration::from_millis(5)) {
                    break;
                }
                longest = longest.max(one.elapsed());
            }
            assert!(longest < Duration::from_secs(2), "{longest:?}");
            parent.serve_until_gone_or_broken();
            assert_eq!(parent.counts().pins, 0);
        },
        |channel: &mut Channel| {
            for serial in 1..20 {
                let top = u64::from_ne_bytes(*b"top\0\0\0\0\0");
                let copy = [serial, u64::MAX, 0, 100, 0, u64::MAX >> 1, 0, 3, top, 0];
                let _ = send(channel, 1, &copy);
            }
            std::thread::sleep(std::time::Duration::from_millis(700));
        },
    );
}

#[test]
fn a_peer_gets_no_more_pins_than_it_may_have() {
    let fifty = rs_link_options {
        pins: 50,
        ..DEFAULT
    };
    two_with(
        fifty,
        |parent: &End| {
            let all = (0..100)
                .map(|_| parent.host.make(Content::Cons([NIL, NIL])))
                .collect();
            parent.export("all", parent.host.make(Content::Vector(all)), RS_CAN_ALL);
            parent.serve_until_gone();
            assert_eq!(parent.most_pins.get(), 50);
        },
        |child: &End| {
            let all = child.variable("all").unwrap();
            for index in 0..49 {
                child.get(all, index).unwrap();
            }
            assert_eq!(child.get(all, 49), Err(RS_ERR_LIMIT));
            assert_eq!(child.copy_to(all, 0), Err(RS_ERR_LIMIT));
            child.sweep(|value| value == all);
            assert!(child.get(all, 49).is_ok());
        },
    );
}
