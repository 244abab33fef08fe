//! The rows about other processes: requests, copies, images, and references.
//!
//! What others have for the same stands beside them, as far as it is there: a program that can't be run is
//! named, and left out.

use crate::program::{Figure, Figures, run, run_script};
use crate::row::Row;
use crate::scale::Scale;
use crate::{Bench, Rows};
use std::error::Error;
use std::path::Path;
use std::process::Command;

type Measured = Result<Figures, Box<dyn Error>>;

/// What others have, and how it is measured.
struct Other {
    name: &'static str,
    run: fn(&Scale) -> Measured,
}

/// Requests, both sides awake.
pub fn remote_awake(bench: &Bench) -> Rows {
    const OTHERS: [Other; 4] = [
        Other {
            name: "DRb",
            run: |scale| run_ruby(&format!("drb {}", scale.large_rounds)),
        },
        Other {
            name: "RPyC",
            run: |scale| run_python(&format!("rpyc {}", scale.large_rounds)),
        },
        Other {
            name: "multiprocessing.Manager",
            run: |scale| run_python(&format!("manager {}", scale.large_rounds)),
        },
        Other {
            name: "iceoryx2",
            run: |scale| run_iceoryx2(scale.large_rounds),
        },
    ];
    let figures = measure(bench, "awake", &OTHERS)?;
    let figure = with_others(&figures, "awake", &OTHERS.map(|other| other.name))?;
    Ok(vec![judge("remote_awake", &figure, "mailboxes", 1.3)])
}

/// Requests, both sides asleep between them.
pub fn remote_asleep(bench: &Bench) -> Rows {
    let figures = measure(bench, "asleep", &[])?;
    let mut rows = Vec::new();
    for placement in ["same_core", "across_cores"] {
        let id = format!("remote_asleep/{placement}");
        let figure = figures.get(&format!("asleep/{placement}"))?;
        rows.push(judge(&id, figure, "socket and pidfd", 1.2));
    }
    Ok(rows)
}

/// Many requests at a time.
pub fn remote_batch(bench: &Bench) -> Rows {
    let figures = measure(bench, "batch", &[])?;
    let figure = figures.get("batch")?;
    Ok(vec![judge("remote_batch", figure, "in process", 3.0)])
}

/// A list in the other process, of which a program wants all elements. Nothing is promised of that.
pub fn remote_list(bench: &Bench) -> Rows {
    const RPYC: Other = Other {
        name: "RPyC",
        // Once: it takes seconds.
        run: |scale| run_python(&format!("list {} 1", scale.list)),
    };
    let figures = measure_sized(bench, "list", bench.scale.list, &[RPYC])?;
    let mut rows = Vec::new();
    for way in ["elements", "paths", "parts", "whole", "shared"] {
        let others: &[&str] = match way {
            "elements" => &["RPyC"],
            "whole" => &["RPyC, obtain"],
            _ => &[],
        };
        let figure = with_others(&figures, &format!("list/{way}"), others)?;
        rows.push(Row::new(format!("remote_list/{way}"), &figure));
    }
    Ok(rows)
}

/// A graph, into the other process.
pub fn graph_copy(bench: &Bench) -> Rows {
    const OTHERS: [Other; 2] = [
        Other {
            name: "Ruby Marshal",
            run: |scale| run_ruby(&format!("marshal {} {}", scale.middle, few_rounds(scale))),
        },
        Other {
            name: "Python pickle",
            run: |scale| run_python(&format!("pickle {} {}", scale.middle, few_rounds(scale))),
        },
    ];
    let figures = measure_sized(bench, "copy", bench.scale.middle, &OTHERS)?;
    let figure = with_others(&figures, "copy", &OTHERS.map(|other| other.name))?;
    Ok(vec![judge("graph_copy", &figure, "C rebuild", 2.5)])
}

/// A long string, into the other process: nine tenths of the speed of two copies.
pub fn bulk_copy(bench: &Bench) -> Rows {
    let figures = measure(bench, "bulk", &[])?;
    let figure = figures.get("bulk")?;
    let sealed = figures.get("bulk/sealed")?;
    Ok(vec![
        judge("bulk_copy/ring", figure, "two memcpys", 1.0 / 0.9),
        judge("bulk_copy/sealed", sealed, "pwrite and seal", 1.0 / 0.9),
    ])
}

/// A field of a record in an image.
pub fn image_read(bench: &Bench) -> Rows {
    let figures = measure(bench, "read", &[])?;
    let figure = figures.get("read")?;
    Ok(vec![judge("image_read", figure, "C struct", 3.0)])
}

/// How long an owner keeps objects for a peer that was killed.
pub fn remote_death(bench: &Bench) -> Rows {
    let scale = bench.scale;
    let arguments = format!("death {} {}", few_rounds(&scale), scale.middle);
    let figures = run_in_turns(bench, &arguments, &[])?;
    let figure = figures.get("death")?;
    Ok(vec![Row::new("remote_death".into(), figure)])
}

/// What the library holds for a reference, on either side: once, since it is always the same.
pub fn remote_memory(bench: &Bench) -> Rows {
    let arguments = format!("memory 1 {}", bench.scale.middle);
    let figures = bench.programs.run("remote", &arguments)?;
    let mut rows = Vec::new();
    for side in ["owner", "holder"] {
        let figure = figures.get(&format!("memory/{side}"))?;
        rows.push(Row::new(format!("remote_memory/{side}"), figure));
    }
    Ok(rows)
}

/// What `bench-remote` measures with these arguments, in turns with what others have.
fn measure(bench: &Bench, what: &str, others: &[Other]) -> Measured {
    let rounds = bench.scale.large_rounds;
    run_in_turns(bench, &format!("{what} {rounds}"), others)
}

/// The same of something that has a size.
fn measure_sized(bench: &Bench, what: &str, size: usize, others: &[Other]) -> Measured {
    let rounds = bench.scale.large_rounds;
    run_in_turns(bench, &format!("{what} {rounds} {size}"), others)
}

fn run_in_turns(bench: &Bench, arguments: &str, others: &[Other]) -> Measured {
    let mut figures = Figures::default();
    for _ in 0..bench.scale.turns {
        figures.merge(bench.programs.run("remote", arguments)?);
        for other in others {
            match (other.run)(&bench.scale) {
                Ok(measured) => figures.merge(measured),
                Err(error) => eprintln!("without {}: {error}", other.name),
            }
        }
    }
    Ok(figures)
}

/// Rounds of what takes a second or more.
fn few_rounds(scale: &Scale) -> usize {
    scale.large_rounds.min(3)
}

fn run_ruby(arguments: &str) -> Measured {
    run_script("ruby", "ruby_remote.rb", arguments)
}

/// By Debian's own Python: another one that comes first in the path would not find Debian's RPyC.
fn run_python(arguments: &str) -> Measured {
    run_script("/usr/bin/python3", "python_remote.py", arguments)
}

/// Builds its program first.
fn run_iceoryx2(rounds: usize) -> Measured {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("iceoryx2/Cargo.toml");
    let mut command = Command::new("cargo");
    command.args(["run", "--quiet", "--release", "--manifest-path"]);
    run(command.arg(manifest).arg("--").arg(rounds.to_string()))
}

/// A figure of ours with those of others beside it, as far as they were measured.
fn with_others(figures: &Figures, ours: &str, others: &[&str]) -> Result<Figure, Box<dyn Error>> {
    let mut figure = figures.get(ours)?.clone();
    for name in others {
        if let Ok(other) = figures.get(name) {
            figure.beside.insert(name.to_string(), other.ours.clone());
        }
    }
    Ok(figure)
}

/// A row that is judged by one of its peers.
fn judge(id: &str, figure: &Figure, peer: &str, limit: f64) -> Row {
    Row::new(id.to_string(), figure).at_most_times(figure, peer, limit)
}
