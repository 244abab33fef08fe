//! The rows `walk_cached` and `walk_uncached`: mark and share, beside walks written in C.

use crate::program::Figures;
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
        rows.extend(judge("walk_cached", shape, &figures)?);
    }
    Ok(rows)
}

/// A graph that does not, and beside it one of middle size.
pub fn uncached(bench: &Bench) -> Rows {
    let scale = bench.scale;
    let size = |objects| Size {
        objects,
        turns: 1,
        rounds: scale.large_rounds,
    };
    let large = measure(bench, size(scale.uncached))?;
    let middle = measure(bench, size(scale.middle))?;
    let mut rows = Vec::new();
    for (index, shape) in SHAPES.into_iter().enumerate() {
        for row in judge("walk_uncached", shape, &large[index])? {
            rows.push(with_middle(row, &middle[index])?);
        }
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

fn judge(id: &str, shape: &str, figures: &Figures) -> Rows {
    let mut rows = Vec::new();
    for (walk, peer) in WALKS {
        for variant in variants::all() {
            let name = format!("{walk}/{}", variant.id());
            let figure = figures.get(&name)?;
            let row = Row::new(format!("{id}/{name}/{shape}"), figure);
            rows.push(row.at_most_times(figure, peer, LIMIT));
        }
    }
    Ok(rows)
}

/// The same walk of a graph of middle size, beside.
fn with_middle(row: Row, figures: &Figures) -> Result<Row, Box<dyn Error>> {
    let words: Vec<&str> = row.id.split('/').collect();
    let name = words[1..4].join("/");
    let peer = WALKS
        .iter()
        .find(|walk| walk.0 == words[1])
        .map(|walk| walk.1);
    let figure = figures.get(&name)?;
    let samples = peer.and_then(|peer| figure.beside.get(peer));
    let theirs = samples.and_then(|samples| median(samples));
    Ok(row
        .beside("a tenth: ours", median(&figure.ours))
        .beside("a tenth: C", theirs))
}
