//! The rows about other processes: requests, copies, and images.

use crate::program::{Figure, Figures};
use crate::row::Row;
use crate::{Bench, Rows};

/// Requests, both sides awake.
pub fn remote_awake(bench: &Bench) -> Rows {
    let figures = measure(bench, "awake")?;
    judge("remote_awake", figures.get("awake")?, "mailboxes", 1.3)
}

/// Requests, both sides asleep between them.
pub fn remote_asleep(bench: &Bench) -> Rows {
    let figures = measure(bench, "asleep")?;
    let mut rows = Vec::new();
    for placement in ["same_core", "across_cores"] {
        let id = format!("remote_asleep/{placement}");
        let figure = figures.get(&format!("asleep/{placement}"))?;
        rows.extend(judge(&id, figure, "socket and pidfd", 1.2)?);
    }
    Ok(rows)
}

/// Many requests at a time.
pub fn remote_batch(bench: &Bench) -> Rows {
    let figures = measure(bench, "batch")?;
    judge("remote_batch", figures.get("batch")?, "in process", 3.0)
}

/// A graph, into the other process.
pub fn graph_copy(bench: &Bench) -> Rows {
    let figures = measure(bench, "copy")?;
    judge("graph_copy", figures.get("copy")?, "C rebuild", 2.5)
}

/// A long string, into the other process: nine tenths of the speed of two copies.
pub fn bulk_copy(bench: &Bench) -> Rows {
    let figures = measure(bench, "bulk")?;
    judge("bulk_copy", figures.get("bulk")?, "two memcpys", 1.0 / 0.9)
}

/// An element of an image.
pub fn image_read(bench: &Bench) -> Rows {
    let figures = measure(bench, "read")?;
    judge("image_read", figures.get("read")?, "C struct", 3.0)
}

/// A list in the other process, of which a program wants all elements. Nothing is promised of that.
pub fn remote_list(bench: &Bench) -> Rows {
    let figures = measure(bench, "list")?;
    let mut rows = Vec::new();
    for way in ["elements", "paths", "parts", "whole"] {
        let figure = figures.get(&format!("list/{way}"))?;
        rows.push(Row::new(format!("remote_list/{way}"), figure));
    }
    Ok(rows)
}

/// How long an owner keeps objects for a peer that was killed.
pub fn remote_death(bench: &Bench) -> Rows {
    let figures = measure_references(bench, "death")?;
    let figure = figures.get("death")?;
    Ok(vec![Row::new("remote_death".into(), figure)])
}

/// What the library holds for a reference, on either side.
pub fn remote_memory(bench: &Bench) -> Rows {
    let figures = measure_references(bench, "memory")?;
    let mut rows = Vec::new();
    for side in ["owner", "holder"] {
        let figure = figures.get(&format!("memory/{side}"))?;
        rows.push(Row::new(format!("remote_memory/{side}"), figure));
    }
    Ok(rows)
}

/// What `bench-remote` measures under this name.
fn measure(bench: &Bench, what: &str) -> Result<Figures, Box<dyn std::error::Error>> {
    let scale = bench.scale;
    let mut figures = Figures::default();
    for _ in 0..scale.turns {
        let arguments = format!("{what} {}", scale.large_rounds);
        figures.merge(bench.programs.run("remote", &arguments)?);
    }
    Ok(figures)
}

/// The same of many references, which take long to be made.
fn measure_references(bench: &Bench, what: &str) -> Result<Figures, Box<dyn std::error::Error>> {
    let scale = bench.scale;
    let arguments = format!("{what} {} {}", scale.large_rounds, scale.middle);
    bench.programs.run("remote", &arguments)
}

/// A row that is judged by one of its peers.
fn judge(id: &str, figure: &Figure, peer: &str, limit: f64) -> Rows {
    let row = Row::new(id.to_string(), figure);
    Ok(vec![row.at_most_times(figure, peer, limit)])
}
