//! `make bench`: measures what the library promises, beside what it is compared with, and judges.
//!
//! All measuring is done by the C programs of `c-tests/bench`, by a script for CRuby and by callgrind.
//! This program runs them in turns, so that a slow minute of the machine hits all of them, and
//! makes one table of their figures, and `target/bench.json`.
//!
//! ```text
//! cargo run --release --manifest-path benches/Cargo.toml -- --programs DIR [--quick] [--only PREFIX]
//! ```
//!
//! | file | what it does |
//! |---|---|
//! | `program` | runs a program and reads its figures |
//! | `row` | one line of the table: a figure, what stands beside it, and the limit |
//! | `walks`, `checks`, `pauses`, `cruby` | which programs make which rows |
//! | `table` | prints, and writes the JSON |

mod checks;
mod cruby;
mod pauses;
mod program;
mod row;
mod table;
mod walks;

use program::Programs;
use row::Row;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

/// What was asked for on the command line.
struct Request {
    programs: PathBuf,
    quick: bool,
    only: String,
}

/// Sizes of one run: the real ones, or small ones that only show that everything works.
#[derive(Clone, Copy)]
pub struct Scale {
    /// Objects of a graph that fits the caches.
    pub cached: usize,
    /// Objects of a graph that does not.
    pub uncached: usize,
    /// Objects of the graphs that fail, and that main writes to.
    pub middle: usize,
    /// Times that each program is run.
    pub turns: usize,
    /// Rounds within one run of a program, for a small graph.
    pub rounds: usize,
    /// Rounds within one run of a program, for a large graph.
    pub large_rounds: usize,
    /// Seconds of one measurement of main's pauses.
    pub seconds: usize,
    /// Levels of the tree of arrays that CRuby shares too.
    pub depth: usize,
}

const REAL: Scale = Scale {
    cached: 10_000,
    uncached: 10_000_000,
    middle: 1_000_000,
    turns: 3,
    rounds: 101,
    large_rounds: 5,
    seconds: 15,
    depth: 6,
};

const QUICK: Scale = Scale {
    cached: 1_000,
    uncached: 20_000,
    middle: 20_000,
    turns: 1,
    rounds: 3,
    large_rounds: 2,
    seconds: 1,
    depth: 3,
};

fn request() -> Result<Request, String> {
    let mut programs = None;
    let mut quick = false;
    let mut only = String::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--programs" => programs = arguments.next().map(PathBuf::from),
            "--quick" => quick = true,
            "--only" => only = arguments.next().unwrap_or_default(),
            other => return Err(format!("unknown argument: {other}")),
        }
    }
    let programs = programs.ok_or("usage: bench --programs DIR [--quick] [--only PREFIX]")?;
    Ok(Request {
        programs,
        quick,
        only,
    })
}

fn measure(request: &Request) -> Result<Vec<Row>, Box<dyn Error>> {
    let scale = if request.quick { QUICK } else { REAL };
    let programs = Programs::new(request.programs.clone());
    let wanted =
        |prefix: &str| prefix.starts_with(&request.only) || request.only.starts_with(prefix);
    let mut rows = Vec::new();
    if wanted("check_frozen") {
        rows.extend(checks::check_frozen(&programs)?);
    }
    if wanted("walk_cached") {
        rows.extend(walks::cached(&programs, scale)?);
    }
    if wanted("walk_uncached") {
        rows.extend(walks::uncached(&programs, scale)?);
    }
    if wanted("walk_cruby") || wanted("failed_access") {
        rows.extend(cruby::all(&programs, scale)?);
    }
    if wanted("walk_depth") {
        rows.extend(walks::depth(&programs, scale)?);
    }
    if wanted("main_pause") {
        rows.extend(pauses::main_pause(&programs, scale)?);
    }
    rows.retain(|row| row.id.starts_with(&request.only));
    Ok(rows)
}

fn main() -> ExitCode {
    let request = match request() {
        Ok(request) => request,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let written = measure(&request).and_then(|rows| {
        table::print(&rows);
        table::write(&rows, request.quick)
    });
    match written {
        Ok(path) => {
            println!("written: {}", path.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
