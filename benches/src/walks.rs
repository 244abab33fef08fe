//! The rows `walk_cached`, `walk_uncached` and `walk_depth`.

use crate::Scale;
use crate::program::{Figure, Figures, Programs, merge};
use crate::row::{Row, Target};
use std::collections::BTreeMap;
use std::error::Error;

/// Where flags live.
pub const PLACEMENTS: [&str; 3] = ["header", "side", "split"];
/// How objects are described.
pub const DESCRIPTIONS: [&str; 2] = ["layouts", "callbacks"];
const SHAPES: [&str; 2] = ["tree", "shuffled"];

/// Ours may take so many times as long as the walk that was written by hand.
const WALK_LIMIT: f64 = 1.25;
/// Bytes of log for each object.
const LOG_LIMIT: f64 = 8.1;

/// Every placement with every description.
pub fn variants() -> impl Iterator<Item = (&'static str, &'static str)> {
    PLACEMENTS
        .into_iter()
        .flat_map(|placement| DESCRIPTIONS.map(|description| (placement, description)))
}

/// Mark and share of a graph that fits the caches.
pub fn cached(programs: &Programs, scale: Scale) -> Result<Vec<Row>, Box<dyn Error>> {
    walk(
        programs,
        "walk_cached",
        scale.cached,
        scale.turns,
        scale.rounds,
    )
}

/// Mark and share of a graph that does not.
pub fn uncached(programs: &Programs, scale: Scale) -> Result<Vec<Row>, Box<dyn Error>> {
    walk(
        programs,
        "walk_uncached",
        scale.uncached,
        1,
        scale.large_rounds,
    )
}

fn walk(
    programs: &Programs,
    id: &str,
    objects: usize,
    turns: usize,
    rounds: usize,
) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut measured = BTreeMap::<_, Figures>::new();
    for _ in 0..turns {
        for shape in SHAPES {
            for (placement, description) in variants() {
                let arguments = format!("{objects} {shape} {placement} {description} {rounds}");
                let figures = programs.run("walk", &arguments)?;
                let all = measured.entry((placement, description, shape)).or_default();
                merge(all, figures);
            }
        }
    }
    let mut rows = Vec::new();
    for (walk, peer) in [("mark", "C mark"), ("share", "C walker")] {
        for (placement, description) in variants() {
            for shape in SHAPES {
                let figure = &measured[&(placement, description, shape)][walk];
                let id = format!("{id}/{walk}/{placement}/{description}/{shape}");
                rows.push(Row::judged(id, figure, peer, Target::Ratio(WALK_LIMIT)));
            }
        }
    }
    Ok(rows)
}

/// The memory that a list as deep as it is long takes, on a small stack.
pub fn depth(programs: &Programs, scale: Scale) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut rows = Vec::new();
    for (placement, description) in variants() {
        let long = scale.uncached;
        let short = long / 10;
        let figures = programs.run("depth", &format!("{long} {placement} {description}"))?;
        let shorter = programs.run("depth", &format!("{short} {placement} {description}"))?;
        let id = format!("walk_depth/share/{placement}/{description}");
        rows.push(Row::stated(
            id,
            &figures["share"],
            Target::Absolute(LOG_LIMIT),
        ));
        let id = format!("walk_depth/mark/{placement}/{description}");
        rows.push(constant_memory(id, &figures["mark"], &shorter["mark"]));
    }
    Ok(rows)
}

/// Ten times the objects take no more memory.
fn constant_memory(id: String, long: &Figure, short: &Figure) -> Row {
    let mut figure = long.clone();
    figure
        .beside
        .insert("a tenth of the list".into(), short.ours.clone());
    Row::judged(id, &figure, "a tenth of the list", Target::Ratio(1.0))
}
