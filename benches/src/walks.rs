//! The rows `walk_cached` and `walk_uncached`: mark and share, beside walks written in C.

use crate::program::{Figure, Figures};
use crate::row::{Row, median};
use crate::variants;
use crate::{Bench, Rows};
use std::error::Error;

const SHAPES: [&str; 2] = ["tree", "shuffled"];

/// What the library does, and the peer that it is judged by.
const WALKS: [(&str, &str); 2] = [("mark", "C mark"), ("share", "C walker")];

/// Ours may take so many times as long as the walk that was written by hand.
const LIMIT: f64 = 1.25;

/// How often graphs of one size are walked.
struct Size {
    objects: usize,
    turns: usize,
    rounds: usize,
}

/// A graph that fits the caches.
pub fn cached(bench: &Bench) -> Rows {
    let scale = bench.scale;
    let size = Size {
        objects: scale.cached,
        turns: scale.turns,
        rounds: scale.rounds,
    };
    let mut rows = Vec::new();
    for (shape, figures) in SHAPES.into_iter().zip(measure(bench, size)?) {
        rows.extend(judge("walk_cached", shape, &figures, None)?);
    }
    Ok(rows)
}

/// A graph that does not, and beside it one of a tenth of its size.
pub fn uncached(bench: &Bench) -> Rows {
    let scale = bench.scale;
    let size = |objects| Size {
        objects,
        turns: 1,
        rounds: scale.large_rounds,
    };
    let large = measure(bench, size(scale.uncached))?;
    let tenth = measure(bench, size(scale.uncached / 10))?;
    let mut rows = Vec::new();
    for ((shape, large), tenth) in SHAPES.into_iter().zip(large).zip(tenth) {
        rows.extend(judge("walk_uncached", shape, &large, Some(&tenth))?);
    }
    Ok(rows)
}

/// The figures of each shape.
fn measure(bench: &Bench, size: Size) -> Result<[Figures; 2], Box<dyn Error>> {
    let Size {
        objects, rounds, ..
    } = size;
    let mut all = [Figures::default(), Figures::default()];
    for _ in 0..size.turns {
        for (shape, figures) in SHAPES.into_iter().zip(&mut all) {
            let arguments = format!("{objects} {shape} all all {rounds}");
            figures.merge(bench.programs.run("walk", &arguments)?);
        }
    }
    Ok(all)
}

fn judge(id: &str, shape: &str, figures: &Figures, tenth: Option<&Figures>) -> Rows {
    let mut rows = Vec::new();
    for (walk, peer) in WALKS {
        for variant in variants::all() {
            let name = format!("{walk}/{}", variant.id());
            let figure = figures.get(&name)?;
            let row = Row::new(format!("{id}/{name}/{shape}"), figure);
            let row = row.at_most_times(figure, peer, LIMIT);
            rows.push(match tenth {
                Some(tenth) => with_tenth(row, tenth.get(&name)?, peer),
                None => row,
            });
        }
    }
    Ok(rows)
}

/// The same walk of a graph of a tenth of the size, beside.
fn with_tenth(row: Row, figure: &Figure, peer: &str) -> Row {
    let samples = figure.beside.get(peer);
    row.beside("a tenth: ours", median(&figure.ours))
        .beside("a tenth: C", samples.and_then(|samples| median(samples)))
}
