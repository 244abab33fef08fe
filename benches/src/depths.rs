//! The rows `walk_depth`: the memory that a list as deep as it is long takes, on a small stack.

use crate::program::Figure;
use crate::row::Row;
use crate::variants;
use crate::{Bench, Rows};

/// Bytes of log for each object.
const LOG_LIMIT: f64 = 8.1;

/// Share and mark, at a length and at a tenth of it.
pub fn walk_depth(bench: &Bench) -> Rows {
    let mut rows = Vec::new();
    for variant in variants::all() {
        let run = |objects: usize| {
            let arguments = format!("{objects} {}", variant.arguments());
            bench.programs.run("depth", &arguments)
        };
        let list = run(bench.scale.deep)?;
        let shorter = run(bench.scale.deep / 10)?;
        let id = format!("walk_depth/share/{}", variant.id());
        rows.push(Row::new(id, list.get("share")?).at_most(LOG_LIMIT));
        let id = format!("walk_depth/mark/{}", variant.id());
        rows.push(constant(id, list.get("mark")?, shorter.get("mark")?));
    }
    Ok(rows)
}

/// Ten times the objects take no more memory.
fn constant(id: String, list: &Figure, shorter: &Figure) -> Row {
    let peer = "a tenth of the list";
    let mut figure = list.clone();
    figure.beside.insert(peer.into(), shorter.ours.clone());
    Row::new(id, &figure).at_most_times(&figure, peer, 1.0)
}
