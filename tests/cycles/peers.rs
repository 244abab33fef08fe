//! Peers that do not answer, end, or lie: nobody else loses anything.

use crate::heap::{Name, object};
use crate::histories::{Beginning, begin, beginning, collect_all};
use crate::joining::duplicate;
use crate::shape::{HUB, STAR};
use crate::tree::{Tree, star};
use proptest::prelude::*;
use std::time::Duration;
use vmshare::ffi::link::*;
use vmshare::host::exchange::*;
use vmshare::host::memory::{HostAllocator, Vec as Buffer, words_of};
use vmshare::remote::cycles::FEATURE;
use vmshare::shm::channel::{Channel, Options};
use vmshare::shm::handover::Handover;
use vmshare::status::*;

const REQUEST: u32 = 1;
const ANSWER: u32 = 2;
const MARKER: u32 = 8;
const SUMMARY: u32 = 9;

/// Objects of two processes that refer to each other, and to which nobody else refers.
fn cycle(star: &Tree, one: Name, other: Name) {
    star.refer(one, 0, other);
    star.refer(other, 0, one);
    star.drop_all(one);
    star.drop_all(other);
    star.heaps.iter().for_each(|heap| heap.collect());
    star.drain();
}

fn collect_some(star: &Tree, processes: &[usize]) {
    for _ in 0..4 {
        for &process in processes {
            star.heaps[process].collect();
            star.serve_all_of(process);
        }
    }
}

#[test]
fn a_child_that_answers_too_late_loses_nothing_and_the_others_garbage_is_found() {
    let star = star([true; 3]);
    cycle(&star, (HUB, 0), (1, 0));
    cycle(&star, (HUB, 1), (2, 0));
    assert_eq!(star.heaps[HUB].begin_round(1_000_000), RS_OK);
    star.serve_all_of(1);
    star.serve_all_of(HUB);
    std::thread::sleep(Duration::from_millis(2));
    assert_eq!(star.heaps[HUB].finish_round(false), Some(1));
    collect_some(&star, &[HUB, 1, HUB]);
    assert!(star.is_freed((HUB, 0)) && star.is_freed((1, 0)));
    assert!(!star.is_freed((HUB, 1)) && !star.is_freed((2, 0)));
    // The late summary is of a round that is over, even while another one is under way.
    star.begin_round(HUB);
    star.serve_all_of(2);
    star.end_rounds();
    collect_all(&star);
    assert!(star.is_freed((HUB, 1)) && star.is_freed((2, 0)));
    star.expect_no_garbage();
}

#[test]
fn a_round_waits_for_summaries_and_serves_meanwhile() {
    let star = star([true; 3]);
    cycle(&star, (HUB, 0), (1, 0));
    star.begin_round(HUB);
    assert_eq!(star.heaps[HUB].finish_round(true), Some(1));
    star.forget_round(HUB);
    collect_all(&star);
    star.expect_no_garbage();
}

#[test]
fn one_round_at_a_time() {
    let star = star([true; 3]);
    star.begin_round(HUB);
    assert_eq!(star.heaps[HUB].begin_round(0), RS_BUSY);
    assert_eq!(star.heaps[HUB].finish_round(false), None);
    star.end_rounds();
    star.begin_round(HUB);
    star.end_rounds();
}

#[test]
fn a_child_that_ends_in_the_middle_of_a_round_does_not_hold_it() {
    let star = star([true; 3]);
    cycle(&star, (HUB, 0), (1, 0));
    star.begin_round(HUB);
    star.serve_all_of(1);
    let link = star.links_of(2)[0];
    // SAFETY: any id may be given.
    let status = unsafe { rs_link_close(star.heaps[2].vm, link, 0, 0) };
    assert_eq!(status, RS_OK);
    star.serve_all_of(HUB);
    assert_eq!(star.heaps[HUB].finish_round(false), Some(1));
    collect_some(&star, &[HUB, 1, HUB]);
    assert!(star.is_freed((HUB, 0)) && star.is_freed((1, 0)));
    star.expect_well();
}

/// A third peer of the hub, which says what it likes.
struct Liar {
    channel: Channel,
    /// The hub's end.
    link: rs_link,
    serial: u64,
}

impl Liar {
    fn new(star: &Tree) -> Liar {
        let hub = &star.heaps[HUB];
        let (mut link, mut end) = (0, rs_link_end::default());
        // SAFETY: valid pointers; the copies of the descriptors are given away.
        let handover = unsafe {
            let status = rs_link_new(hub.vm, hub.main, std::ptr::null(), &mut link, &mut end);
            assert_eq!(status, RS_OK);
            let (segment, socket) = (duplicate(end.segment), duplicate(end.socket));
            assert_eq!(rs_link_spawned(hub.vm, link, libc::getpid()), RS_OK);
            Handover::of_descriptors(segment, socket).unwrap()
        };
        let mut options = Options::new(HostAllocator::malloc());
        options.hello.features = FEATURE;
        let channel = Channel::adopt(handover, &options).unwrap();
        let mut liar = Liar {
            channel,
            link,
            serial: 0,
        };
        liar.receive(star);
        liar
    }

    fn send(&mut self, kind: u32, words: &[u64]) {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        // Once the link has ended, nobody listens.
        let _ = self.channel.try_send(kind, &[&bytes]);
        self.channel.flush();
    }

    /// The hub does what it was asked for; what it has sent.
    fn receive(&mut self, star: &Tree) -> Vec<(u32, Vec<u64>)> {
        let status = star.heaps[HUB].serve(self.link, 0);
        let is_known = matches!(status, RS_OK | RS_MORE | RS_ERR_PEER | RS_ERR_DEAD);
        assert!(is_known, "{status}");
        let mut received = Vec::new();
        let mut bytes = Buffer::new_in(HostAllocator::malloc());
        while let Ok(Some(kind)) = self.channel.try_receive(&mut bytes) {
            received.push((kind, words_of(&bytes).unwrap().to_vec()));
        }
        received
    }

    /// Asks for an operation; the answer's words behind the status, or none.
    fn ask(&mut self, star: &Tree, code: u64, rest: &[u64]) -> Option<Vec<u64>> {
        self.serial += 1;
        let mut words = vec![self.serial, u64::MAX, 0, code];
        words.extend(rest);
        self.send(REQUEST, &words);
        let mut received = self.receive(star).into_iter().rev();
        let (_, answer) = received.find(|(kind, _)| *kind == ANSWER)?;
        (answer[1] == 0).then(|| answer[2..].to_vec())
    }

    /// Gets a reference to an object of the hub, and puts one to an object of its own there.
    fn get_and_put(&mut self, star: &Tree, of: Name, own: u64) -> Option<u64> {
        let hub = &star.heaps[HUB];
        hub.export(self.link, c"thing".as_ptr(), star.root_of(HUB, of));
        let name = u64::from_ne_bytes(*b"thing\0\0\0");
        let found = self.ask(star, u64::from(RS_READ_VARIABLE), &[0, 0, 0, 5, name, 0]);
        hub.export(self.link, c"thing".as_ptr(), crate::heap::NIL);
        let pin = found?[1];
        let text = u64::from_ne_bytes(*b"9:0\0\0\0\0\0");
        let code = u64::from(RS_WRITE_ELEMENT);
        self.ask(star, code, &[pin, 2, 0, 0, 1, 6, own, 10, 3, text]);
        Some(pin)
    }
}

/// What a liar answers to a marker.
#[derive(Clone, Debug)]
enum Lie {
    /// It needs nothing.
    Nothing,
    /// It needs these pins, and has some of its own that lead there.
    Something(Vec<u64>, Vec<u64>),
    /// Words of no meaning.
    Noise(Vec<u64>),
    /// Another round, or the same one twice.
    Round(u64),
}

fn lie() -> impl Strategy<Value = Lie> {
    let number = || prop_oneof![(0..8_u64).prop_map(|place| 1 << 32 | place), any::<u64>()];
    let numbers = move || proptest::collection::vec(number(), 0..6);
    prop_oneof![
        2 => Just(Lie::Nothing),
        3 => (numbers(), numbers()).prop_map(|(remotes, pins)| Lie::Something(remotes, pins)),
        2 => proptest::collection::vec(prop_oneof![0..9_u64, any::<u64>()], 0..20)
            .prop_map(Lie::Noise),
        1 => (0..4_u64).prop_map(Lie::Round),
    ]
}

fn answer(liar: &mut Liar, round: u64, lie: &Lie) {
    let mut words = vec![round, 1];
    match lie {
        Lie::Nothing => words.extend([0; 4]),
        Lie::Something(remotes, pins) => {
            let live = remotes.len() as u64 / 2;
            words.extend([remotes.len() as u64, live, 0, pins.len() as u64]);
            words.extend(remotes);
            for (index, pin) in pins.iter().enumerate() {
                let target = match remotes.len() {
                    0 => 0,
                    count => 2 * (index % count) as u64 + 1,
                };
                words.extend([*pin, target]);
            }
        }
        Lie::Noise(noise) => words.extend(noise),
        Lie::Round(other) => {
            words[0] = *other;
            words.extend([0; 4]);
        }
    }
    liar.send(SUMMARY, &words);
}

fn lie_in_a_round(star: &Tree, liar: &mut Liar, lie: &Lie) {
    assert_eq!(star.heaps[HUB].begin_round(50_000_000), RS_OK);
    // A child has no say in what its maker does.
    liar.send(MARKER, &[7]);
    for (kind, words) in liar.receive(star) {
        match kind {
            MARKER => answer(liar, words[0], lie),
            SUMMARY => assert_eq!(words, [7, 0], "the maker takes no part"),
            _ => {}
        }
    }
    star.drain();
    liar.receive(star);
    while star.heaps[HUB].finish_round(false).is_none() {
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn tell_lies(beginning: &Beginning, lies: &[Lie]) {
    let star = begin(beginning, STAR, &[true; 3]);
    let mut liar = Liar::new(&star);
    for number in 0..3 {
        if object(star.root_of(HUB, (HUB, number))).is_some() {
            liar.get_and_put(&star, (HUB, number), number as u64 % 2 + 7);
        }
    }
    for lie in lies {
        lie_in_a_round(&star, &mut liar, lie);
        star.heaps.iter().for_each(|heap| heap.collect());
        star.drain();
        star.expect_well();
    }
    // Without the liar all is as if it had never been.
    // SAFETY: any id may be given.
    unsafe { rs_link_close(star.heaps[HUB].vm, liar.link, 0, 0) };
    collect_all(&star);
    star.expect_all_usable();
    star.expect_well();
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_liar_can_only_lose_what_is_its_own(
        beginning in beginning(STAR),
        lies in proptest::collection::vec(lie(), 1..4),
    ) {
        tell_lies(&beginning, &lies);
    }
}

#[test]
fn a_liar_that_denies_what_it_needs_gets_errors_for_it() {
    let star = star([true; 3]);
    let mut liar = Liar::new(&star);
    let pin = liar.get_and_put(&star, (HUB, 0), 7).unwrap();
    let read = [pin, 0, 0, 0, 0];
    let code = u64::from(RS_READ_ELEMENT);
    assert!(liar.ask(&star, code, &read).is_some());
    star.drop_all((HUB, 0));
    lie_in_a_round(&star, &mut liar, &Lie::Nothing);
    assert_eq!(liar.ask(&star, code, &read), None);
    assert_eq!(star.heaps[HUB].counts(liar.link).collected, 1);
    collect_all_with(&star, &mut liar);
    assert!(star.is_freed((HUB, 0)));
}

fn collect_all_with(star: &Tree, liar: &mut Liar) {
    lie_in_a_round(star, liar, &Lie::Nothing);
    for _ in 0..4 {
        star.heaps.iter().for_each(|heap| heap.collect());
        star.drain();
    }
    star.expect_well();
}
