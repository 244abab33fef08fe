//! The rows `walk_cruby` and `failed_access`: both stand beside CRuby, which runs in turn with ours.

use crate::Scale;
use crate::program::{Figures, Programs, merge, run};
use crate::row::{Row, Target};
use crate::walks::variants;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::process::Command;

/// Eight times as fast for each object.
const SHARE_LIMIT: f64 = 0.125;
/// Failing, undone, may take so many times as long as the claims alone.
const FAILED_LIMIT: f64 = 2.0;
/// Children of each array.
const WIDTH: usize = 10;

const CRUBY: &str = "CRuby";

/// All rows that have CRuby beside them.
pub fn all(programs: &Programs, scale: Scale) -> Result<Vec<Row>, Box<dyn Error>> {
    let Scale { depth, middle, .. } = scale;
    let mut minivm = Figures::new();
    let mut ruby = Figures::new();
    let mut failed = BTreeMap::<_, Figures>::new();
    for _ in 0..scale.turns {
        let shape = format!("{depth} {WIDTH} {}", scale.large_rounds);
        merge(&mut minivm, programs.run("share", &shape)?);
        let arguments = format!("{shape} {middle}");
        merge(&mut ruby, run_ruby(&arguments)?);
        for variant in variants() {
            let (placement, description) = variant;
            let arguments = format!("{middle} {placement} {description} {}", scale.large_rounds);
            let figures = programs.run("failed", &arguments)?;
            merge(failed.entry(variant).or_default(), figures);
        }
    }
    let mut share = minivm["share"].clone();
    share
        .beside
        .insert(CRUBY.into(), ruby["share"].ours.clone());
    let target = Target::Ratio(SHARE_LIMIT);
    let mut rows = vec![Row::judged(
        "walk_cruby/share/header/layouts".into(),
        &share,
        CRUBY,
        target,
    )];
    rows.extend(failed_rows(&failed, &ruby["failed again"].ours));
    Ok(rows)
}

fn failed_rows(failed: &BTreeMap<(&str, &str), Figures>, ruby_again: &[f64]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (placement, description) in variants() {
        let figures = &failed[&(placement, description)];
        let id = format!("failed_access/undone/{placement}/{description}");
        let target = Target::Ratio(FAILED_LIMIT);
        rows.push(Row::judged(id, &figures["failed"], "C claim", target));
        let mut later = figures["later"].clone();
        later.beside.insert(CRUBY.into(), ruby_again.into());
        let id = format!("failed_access/later/{placement}/{description}");
        rows.push(Row::judged(id, &later, CRUBY, Target::None));
    }
    rows
}

fn run_ruby(arguments: &str) -> Result<Figures, Box<dyn Error>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../c-tests/bench/ruby_share.rb");
    let mut command = Command::new("ruby");
    run(command.arg(script).args(arguments.split(' ')))
}
