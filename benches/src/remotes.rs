//! The rows about other processes: requests, copies, and images.

use crate::program::Figures;
use crate::row::Row;
use crate::{Bench, Rows};

/// A row: its id, what `bench-remote` calls it, what it is judged by, and the limit of the ratio.
struct Goal {
    id: &'static str,
    what: &'static str,
    peer: &'static str,
    limit: f64,
}

/// Requests, both sides awake.
pub fn remote_awake(bench: &Bench) -> Rows {
    row(
        bench,
        &Goal {
            id: "remote_awake",
            what: "awake",
            peer: "mailboxes",
            limit: 1.3,
        },
    )
}

/// Requests, both sides asleep between them.
pub fn remote_asleep(bench: &Bench) -> Rows {
    row(
        bench,
        &Goal {
            id: "remote_asleep",
            what: "asleep",
            peer: "socket and pidfd",
            limit: 1.2,
        },
    )
}

/// Many requests at a time.
pub fn remote_batch(bench: &Bench) -> Rows {
    row(
        bench,
        &Goal {
            id: "remote_batch",
            what: "batch",
            peer: "in process",
            limit: 3.0,
        },
    )
}

/// A graph, into the other process.
pub fn graph_copy(bench: &Bench) -> Rows {
    row(
        bench,
        &Goal {
            id: "graph_copy",
            what: "copy",
            peer: "C rebuild",
            limit: 2.5,
        },
    )
}

/// A long string, into the other process.
pub fn bulk_copy(bench: &Bench) -> Rows {
    row(
        bench,
        &Goal {
            id: "bulk_copy",
            what: "bulk",
            peer: "two memcpys",
            limit: 1.0 / 0.9,
        },
    )
}

/// An element of an image.
pub fn image_read(bench: &Bench) -> Rows {
    row(
        bench,
        &Goal {
            id: "image_read",
            what: "read",
            peer: "C struct",
            limit: 3.0,
        },
    )
}

fn row(bench: &Bench, goal: &Goal) -> Rows {
    let scale = bench.scale;
    let mut figures = Figures::default();
    for _ in 0..scale.turns {
        let arguments = format!("{} {}", goal.what, scale.large_rounds);
        figures.merge(bench.programs.run("remote", &arguments)?);
    }
    let figure = figures.get(goal.what)?;
    let row = Row::new(goal.id.to_string(), figure);
    Ok(vec![row.at_most_times(figure, goal.peer, goal.limit)])
}
