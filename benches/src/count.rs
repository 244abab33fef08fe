//! Runs a program under callgrind and reads its counts.

use crate::program::Programs;
use std::error::Error;
use std::process::Command;

/// What was executed inside of one function.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Count {
    /// Instructions.
    pub instructions: f64,
    /// Instructions that read memory.
    pub loads: f64,
}

impl Count {
    /// What one of `times` equal things costs, beyond what it costs in `without`.
    pub fn each_beyond(self, without: Count, times: f64) -> Count {
        let each = |with: f64, without: f64| tidy((with - without) / times);
        Count {
            instructions: each(self.instructions, without.instructions),
            loads: each(self.loads, without.loads),
        }
    }
}

/// What is spent once in a run (a function's entry) is less than this for each of what it repeats.
const ENTRY: f64 = 0.02;

/// A whole number, if it is one but for what is spent once.
fn tidy(number: f64) -> f64 {
    match (number - number.round()).abs() < ENTRY {
        true => number.round(),
        false => number,
    }
}

/// Counts what `bench-NAME` executes in a function, and in all that it calls.
pub fn count(
    programs: &Programs,
    name: &str,
    arguments: [&str; 2],
    function: &str,
) -> Result<Count, Box<dyn Error>> {
    eprintln!("callgrind bench-{name} {}", arguments.join(" "));
    let profile = programs.folder().join("callgrind.out");
    let finished = Command::new("valgrind")
        .args(["--tool=callgrind", "--cache-sim=yes"])
        .arg(format!("--toggle-collect={function}"))
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(programs.path(name))
        .args(arguments)
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    if !finished.status.success() {
        return Err(String::from_utf8_lossy(&finished.stderr).into());
    }
    let text = std::fs::read_to_string(&profile)?;
    std::fs::remove_file(&profile)?;
    read_totals(&text).ok_or_else(|| format!("{function} was not called").into())
}

/// The totals of a profile: events are Ir, Dr, Dw and cache misses, in this order.
fn read_totals(profile: &str) -> Option<Count> {
    let totals = profile
        .lines()
        .find_map(|line| line.strip_prefix("totals: "))?;
    let mut events = totals
        .split(' ')
        .map_while(|event| event.parse::<f64>().ok());
    let instructions = events.next()?;
    let loads = events.next()?;
    Some(Count {
        instructions,
        loads,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_and_loads_are_read() {
        let count = read_totals("events: Ir Dr Dw\ntotals: 10006000 1001000 1000000\n").unwrap();
        assert_eq!(count.instructions, 10_006_000.0);
        assert_eq!(count.loads, 1_001_000.0);
    }

    #[test]
    fn a_run_that_counted_nothing_is_no_result() {
        assert!(read_totals("totals: 0\n").is_none());
        assert!(read_totals("").is_none());
    }

    #[test]
    fn the_entry_of_a_function_is_not_part_of_what_it_repeats() {
        let with = Count {
            instructions: 8011.0,
            loads: 2003.0,
        };
        let without = Count {
            instructions: 5005.0,
            loads: 1001.0,
        };
        let each = with.each_beyond(without, 1000.0);
        assert_eq!(each.instructions, 3.0);
        assert_eq!(each.loads, 1.0);
    }

    #[test]
    fn half_an_instruction_is_not_rounded_away() {
        assert_eq!(tidy(0.5), 0.5);
        assert_eq!(tidy(0.001), 0.0);
    }
}
