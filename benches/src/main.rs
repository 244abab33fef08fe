//! `make bench`: measures what the library promises, beside what it is compared with, and judges.
//!
//! All measuring is done by the C programs of `c-tests/bench`, by its scripts for CRuby and Python, by a
//! program for iceoryx2 and by callgrind.
//! This program runs them in turns, so that a slow minute of the machine hits all of them, and
//! makes one table of their figures, `target/bench.json`, and a picture, `target/bench.svg`.
//!
//! ```text
//! bench --programs DIR [--quick] [--only PREFIX]
//! ```
//!
//! `--quick` takes a minute, and only shows that everything works. `--only` measures the rows whose id
//! begins with `PREFIX`. Either writes `target/bench-part.json` instead.
//!
//! | file | what it does |
//! |---|---|
//! | `program` | runs a program and reads its figures |
//! | `count` | runs a program under callgrind and reads its counts |
//! | `row` | one line of the table: a figure, what stands beside it, and the limit |
//! | `scale` | how large, how often, how long |
//! | `checks`, `walks`, `depths`, `cruby`, `failures`, `pauses`, `remotes` | which programs make which rows |
//! | `table` | prints, and writes the JSON |
//! | `plot` | draws |

mod checks;
mod count;
mod cruby;
mod depths;
mod failures;
mod pauses;
mod plot;
mod program;
mod remotes;
mod row;
mod scale;
mod table;
mod variants;
mod walks;

use program::Programs;
use row::Row;
use scale::Scale;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

/// What is to be measured, and how.
pub struct Bench {
    programs: Programs,
    scale: Scale,
    only: String,
}

impl Bench {
    /// Whether there may be rows that are asked for under this id, or beginning of one.
    fn wants(&self, id: &str) -> bool {
        id.starts_with(&self.only) || self.only.starts_with(id)
    }
}

/// The rows of one design goal, or why they could not be measured.
type Rows = Result<Vec<Row>, Box<dyn Error>>;

/// Measures a goal.
type Measure = fn(&Bench) -> Rows;

/// Each goal, and what measures it.
const GOALS: [(&str, Measure); 16] = [
    ("check_frozen", checks::check_frozen),
    ("walk_cached", walks::cached),
    ("walk_uncached", walks::uncached),
    ("walk_cruby", cruby::walk_cruby),
    ("walk_depth", depths::walk_depth),
    ("failed_access", failures::failed_access),
    ("main_pause", pauses::main_pause),
    ("remote_awake", remotes::remote_awake),
    ("remote_asleep", remotes::remote_asleep),
    ("remote_batch", remotes::remote_batch),
    ("remote_list", remotes::remote_list),
    ("remote_death", remotes::remote_death),
    ("remote_memory", remotes::remote_memory),
    ("graph_copy", remotes::graph_copy),
    ("bulk_copy", remotes::bulk_copy),
    ("image_read", remotes::image_read),
];

/// Measures all that is asked for; also returns whether something could not be measured.
fn measure(bench: &Bench) -> (Vec<Row>, bool) {
    let mut rows = Vec::new();
    let mut failed = false;
    for (id, goal) in GOALS {
        if !bench.wants(id) {
            continue;
        }
        match goal(bench) {
            Ok(measured) => rows.extend(measured),
            Err(error) => {
                eprintln!("{id}: {error}");
                failed = true;
                rows.push(Row::missing(id));
            }
        }
    }
    rows.retain(|row| bench.wants(&row.id));
    (rows, failed)
}

fn request() -> Result<Bench, String> {
    let mut programs = None;
    let mut scale = scale::REAL;
    let mut only = String::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--programs" => programs = arguments.next(),
            "--quick" => scale = scale::QUICK,
            "--only" => only = arguments.next().unwrap_or_default(),
            other => return Err(format!("unknown argument: {other}")),
        }
    }
    let folder = programs.ok_or("usage: bench --programs DIR [--quick] [--only PREFIX]")?;
    Ok(Bench {
        programs: Programs::new(PathBuf::from(folder)),
        scale,
        only,
    })
}

fn main() -> ExitCode {
    let bench = match request() {
        Ok(bench) => bench,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let (rows, failed) = measure(&bench);
    if rows.is_empty() {
        eprintln!("no row has an id that begins with {}", bench.only);
        return ExitCode::from(2);
    }
    table::print(&rows);
    let whole = bench.only.is_empty() && bench.scale == scale::REAL;
    match table::write(&rows, whole) {
        Ok(path) => println!("written: {}", path.display()),
        Err(error) => {
            eprintln!("bench: {error}");
            return ExitCode::FAILURE;
        }
    }
    match failed {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}
