//! The rows `check_frozen`: instructions and loads of the test before a write.

use crate::count::{Count, count};
use crate::row::Row;
use crate::variants::PLACEMENTS;
use crate::{Bench, Rows};

/// Objects, and what happened to them before they are written: nothing, or they were assigned when
/// there was no ractor yet, under either policy of marking.
const STATES: [&str; 3] = ["ordinary", "first-ractor", "on-assign"];

/// Checks in one run of the program.
const CHECKS: f64 = 1e6;

/// The test of each placement, less the plain test of a frozen bit.
pub fn check_frozen(bench: &Bench) -> Rows {
    let plain = count_checks(bench, "plain", "ordinary")?;
    let mut rows = Vec::new();
    for placement in PLACEMENTS {
        for state in STATES {
            let tested = count_checks(bench, placement, state)?;
            rows.push(row(placement, state, tested.each_beyond(plain, CHECKS)));
        }
    }
    Ok(rows)
}

fn count_checks(
    bench: &Bench,
    kind: &str,
    state: &str,
) -> Result<Count, Box<dyn std::error::Error>> {
    let function = format!("write_fields_{kind}");
    count(&bench.programs, "check", [kind, state], &function)
}

fn row(placement: &str, state: &str, more: Count) -> Row {
    let id = format!("check_frozen/{placement}/{state}");
    let row = Row::of_number(id, more.instructions, "instructions more")
        .beside("loads more", Some(more.loads));
    match placement {
        "side" => row,
        _ => row.at_most(0.0),
    }
}
