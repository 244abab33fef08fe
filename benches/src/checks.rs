//! The rows `check_frozen`: instructions and loads of the test before a write, counted by callgrind.

use crate::program::Programs;
use crate::row::{Row, Target};
use std::error::Error;
use std::path::Path;
use std::process::Command;

/// Objects, and what happened to them before they are written.
const STATES: [&str; 3] = ["ordinary", "first-ractor", "on-assign"];

/// Checks in one run of the program.
const CHECKS: f64 = 1e6;

/// What is spent once for all checks of a run (a function's entry) is less than this for each.
const ENTRY: f64 = 0.001;

/// What one check costs, with the loop and the write around it.
struct Cost {
    instructions: f64,
    loads: f64,
}

/// The test of each placement, less the plain test of a frozen bit.
pub fn check_frozen(programs: &Programs) -> Result<Vec<Row>, Box<dyn Error>> {
    let program = programs.path("check");
    let plain = count(&program, "plain", "ordinary")?;
    let mut rows = Vec::new();
    for placement in crate::walks::PLACEMENTS {
        for state in STATES {
            let cost = count(&program, placement, state)?;
            rows.push(row(placement, state, &plain, &cost));
        }
    }
    Ok(rows)
}

fn row(placement: &str, state: &str, plain: &Cost, cost: &Cost) -> Row {
    let more = cost.instructions - plain.instructions;
    Row {
        id: format!("check_frozen/{placement}/{state}"),
        ours: if more.abs() < ENTRY { 0.0 } else { more },
        unit: "instructions more".into(),
        beside: vec![
            ("plain test, loop and write".into(), plain.instructions),
            ("loads more".into(), (cost.loads - plain.loads).round()),
        ],
        ratio: Some(cost.instructions / plain.instructions),
        target: match placement {
            "side" => Target::None,
            _ => Target::Absolute(0.0),
        },
    }
}

fn count(program: &Path, kind: &str, state: &str) -> Result<Cost, Box<dyn Error>> {
    let output = std::env::temp_dir().join(format!("bench-check-{}", std::process::id()));
    eprintln!("callgrind bench-check {kind} {state}");
    let finished = Command::new("valgrind")
        .args(["--tool=callgrind", "--cache-sim=yes"])
        .arg(format!("--toggle-collect=write_fields_{kind}*"))
        .arg(format!("--callgrind-out-file={}", output.display()))
        .arg(program)
        .args([kind, state])
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    if !finished.status.success() {
        return Err(String::from_utf8_lossy(&finished.stderr).into());
    }
    let profile = std::fs::read_to_string(&output)?;
    std::fs::remove_file(&output)?;
    read_totals(&profile).ok_or_else(|| "callgrind counted nothing".into())
}

/// The totals of a profile: events are Ir, Dr, Dw and cache misses, in this order.
fn read_totals(profile: &str) -> Option<Cost> {
    let totals = profile
        .lines()
        .find_map(|line| line.strip_prefix("totals: "))?;
    let mut events = totals
        .split(' ')
        .map_while(|event| event.parse::<f64>().ok());
    let instructions = events.next()? / CHECKS;
    let loads = events.next()? / CHECKS;
    (instructions > 0.0).then_some(Cost {
        instructions,
        loads,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_read_for_each_check() {
        let cost = read_totals("events: Ir Dr Dw\ntotals: 10006000 1001000 1000000\n").unwrap();
        assert_eq!(cost.instructions, 10.006);
        assert_eq!(cost.loads, 1.001);
    }

    #[test]
    fn a_run_that_counted_nothing_is_no_result() {
        assert!(read_totals("totals: 0\n").is_none());
        assert!(read_totals("").is_none());
    }
}
