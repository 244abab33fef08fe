//! One of the two is killed at each step of each request: the tests step it through, instruction by
//! instruction, and kill it after so many.
//!
//! VMSHARE_STRIDE says how many instructions lie between two trials: with 1 there is one for each, which
//! takes a day. If nothing says, there are some for each phase.

mod board;
mod tracer;
mod trial;

use crate::kind::{Kind, Phase};
use crate::pair::alone;
use std::collections::HashMap;
use std::time::Duration;
use tracer::{Place, Until};
use trial::{AT_ONCE, Found, Role, Trial};

/// Trials of a phase, spread over what was stepped through.
const TRIALS: usize = 8;

/// How far a phase is stepped through. What comes behind is tried after times instead, as many.
const STEPPED: usize = 6000;

/// More instructions than any phase has; a loop that a step always interrupts, as one of
/// load-exclusive and store-exclusive may be, would have no end.
const LONGEST: usize = 3_000_000;

/// How soon a survivor's call fails in half of all trials.
const MOSTLY: Duration = Duration::from_millis(50);

/// How often a phase is tried that the one to be killed may pass by.
const ATTEMPTS: u64 = 10;

/// Says which trial it was that failed.
struct Named(Trial);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this was {:?}", self.0);
        }
    }
}

/// How soon the survivors' calls returned.
#[derive(Default)]
struct Delays(Vec<Duration>);

impl Delays {
    fn add(&mut self, found: &Found) {
        if let Some(at) = found.survivor_at {
            self.0.push(at.saturating_duration_since(found.victim.at));
        }
    }

    fn expect_short(mut self, kind: Kind) {
        self.0.sort();
        let (middle, last) = (self.0[self.0.len() / 2], self.0[self.0.len() - 1]);
        println!("{kind:?}: {} trials; {middle:?}, {last:?}", self.0.len());
        assert!(middle < MOSTLY && last < AT_ONCE, "{middle:?}, {last:?}");
    }
}

fn run(trial: Trial, delays: &mut Delays) -> Found {
    let _named = Named(trial);
    let found = trial.run();
    delays.add(&found);
    found
}

/// Tries a trial until the one to be killed comes to its phase, which it may pass by.
fn attempt(trial: Trial, delays: &mut Delays) -> Option<tracer::End> {
    let mut ends = (0..ATTEMPTS).map(|_| run(trial, delays).victim);
    ends.find(|end| end.is_in_phase)
}

/// What stands at these addresses, with how often each was there before.
fn places(addresses: Vec<usize>) -> Vec<Place> {
    let mut passes = HashMap::new();
    let place = |address| {
        let next: &mut usize = passes.entry(address).or_default();
        *next += 1;
        Place {
            address,
            passes: *next - 1,
        }
    };
    addresses.into_iter().map(place).collect()
}

fn try_phase(kind: Kind, victim: Role, phase: Phase, delays: &mut Delays) {
    let trial = |number: usize, until| Trial {
        kind,
        victim,
        victim_is_maker: number % 2 == 1,
        phase,
        until,
    };
    let most = stride().map_or(STEPPED, |_| LONGEST);
    let Some(end) = attempt(trial(phase as usize, Until::Steps(most)), delays) else {
        println!("{kind:?}: {victim:?} never came to {phase:?}");
        return;
    };
    let places = places(end.instructions);
    println!(
        "{kind:?}: {victim:?} in {phase:?}: {} instructions",
        places.len()
    );
    let step = stride().unwrap_or(places.len().div_ceil(TRIALS).max(1));
    for (number, place) in places.iter().step_by(step).enumerate() {
        let until = Until::Instruction(*place);
        run(trial(number, until), delays);
        if stride().is_some() {
            run(trial(number + 1, until), delays);
        }
    }
    if places.len() == most
        && let Some(end) = attempt(trial(0, Until::Time(Duration::MAX)), delays)
    {
        for number in 0..TRIALS {
            let time = end.ran_for.mul_f64((number as f64 + 0.5) / TRIALS as f64);
            run(trial(number, Until::Time(time)), delays);
        }
    }
}

/// Instructions between two trials, if that is said.
fn stride() -> Option<usize> {
    let text = std::env::var("VMSHARE_STRIDE").ok()?;
    Some(text.parse().expect("a number"))
}

fn try_all(kind: Kind) {
    let _alone = alone();
    let mut delays = Delays::default();
    for phase in kind.phases_of_asker() {
        try_phase(kind, Role::Asker, *phase, &mut delays);
    }
    for phase in kind.phases_of_owner() {
        try_phase(kind, Role::Owner, *phase, &mut delays);
    }
    delays.expect_short(kind);
}

#[test]
fn either_may_die_while_a_variable_is_read() {
    try_all(Kind::ReadVariable);
}

#[test]
fn either_may_die_while_a_variable_is_written() {
    try_all(Kind::WriteVariable);
}

#[test]
fn either_may_die_while_an_element_is_read() {
    try_all(Kind::ReadElement);
}

#[test]
fn either_may_die_while_an_element_is_written() {
    try_all(Kind::WriteElement);
}

#[test]
fn either_may_die_while_an_element_is_exchanged() {
    try_all(Kind::ExchangeElement);
}

#[test]
fn either_may_die_while_a_key_is_read() {
    try_all(Kind::ReadKey);
}

#[test]
fn either_may_die_while_a_key_is_written() {
    try_all(Kind::WriteKey);
}

#[test]
fn either_may_die_while_a_length_is_read() {
    try_all(Kind::ReadLength);
}

#[test]
fn either_may_die_while_a_text_is_asked_for() {
    try_all(Kind::Print);
}

#[test]
fn either_may_die_while_one_calls_the_other_back() {
    try_all(Kind::Call);
}

#[test]
fn either_may_die_while_objects_are_compared() {
    try_all(Kind::Equal);
}

#[test]
fn either_may_die_while_a_graph_is_copied() {
    try_all(Kind::Copy);
}

#[test]
fn either_may_die_while_an_image_is_opened() {
    try_all(Kind::ShareSmall);
    try_all(Kind::ShareLarge);
}

#[test]
fn either_may_die_while_a_path_is_followed() {
    try_all(Kind::Path);
}

#[test]
fn either_may_die_while_many_requests_are_under_way() {
    try_all(Kind::Batch);
    try_all(Kind::Together);
}

#[test]
fn either_may_die_while_one_leaves_its_objects_behind() {
    try_all(Kind::Evacuation);
}

#[test]
fn either_may_die_while_one_takes_copies_along() {
    try_all(Kind::Fetch);
}

#[test]
fn either_may_die_while_references_are_given_back() {
    try_all(Kind::Release);
}
