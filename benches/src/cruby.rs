//! The rows `walk_cruby`: a share with its commit callbacks, beside CRuby's `make_shareable`.

use crate::program::{Figure, Figures, run_script};
use crate::row::{Row, median};
use crate::variants;
use crate::{Bench, Rows};
use std::collections::BTreeMap;
use std::error::Error;

/// Eight times as fast for each object.
const LIMIT: f64 = 0.125;
/// Children of each array.
const WIDTH: usize = 10;

/// The mini-VMs, by what follows their name; those that are not built are left out.
const MINIVMS: [&str; 4] = ["", "-side", "-split", "-callbacks"];

/// How CRuby is called in the table.
pub const CRUBY: &str = "CRuby";

/// What was measured of one tree of arrays.
#[derive(Default)]
struct Shares {
    ours: Figures,
    minivms: BTreeMap<&'static str, Figures>,
    ruby: Figures,
}

/// In the host of the benchmarks, in every variant, and in the mini-VMs; and beside it the same of a
/// tree that is 100 times smaller.
pub fn walk_cruby(bench: &Bench) -> Rows {
    let scale = bench.scale;
    let shares = measure(bench, scale.levels, scale.large_rounds)?;
    let smaller = measure(bench, scale.levels - 2, scale.rounds)?;
    let mut rows = Vec::new();
    for variant in variants::all() {
        let name = format!("share/{}", variant.id());
        let row = row(&name, shares.ours.get(&name)?, &shares.ruby)?;
        rows.push(with_smaller(row, smaller.ours.get(&name)?, &smaller.ruby)?);
    }
    for (minivm, figures) in &shares.minivms {
        let name = format!("share/minivm{minivm}");
        let row = row(&name, figures.get("share")?, &shares.ruby)?;
        let figure = smaller.minivms[minivm].get("share")?;
        rows.push(with_smaller(row, figure, &smaller.ruby)?);
    }
    Ok(rows)
}

fn measure(bench: &Bench, levels: usize, rounds: usize) -> Result<Shares, Box<dyn Error>> {
    let programs = &bench.programs;
    let shape = format!("{levels} {WIDTH} {rounds}");
    let mut shares = Shares::default();
    for _ in 0..bench.scale.turns {
        shares.ours.merge(programs.run("arrays", &shape)?);
        shares.ruby.merge(run_ruby(&format!("share {shape}"))?);
        for minivm in MINIVMS {
            let program = format!("share{minivm}");
            if programs.path(&program).exists() {
                let figures = programs.run(&program, &shape)?;
                shares.minivms.entry(minivm).or_default().merge(figures);
            }
        }
    }
    Ok(shares)
}

fn row(id: &str, ours: &Figure, ruby: &Figures) -> Result<Row, Box<dyn Error>> {
    let mut figure = ours.clone();
    let samples = ruby.get("share")?.ours.clone();
    figure.beside.insert(CRUBY.into(), samples);
    let row = Row::new(format!("walk_cruby/{id}"), &figure);
    Ok(row.at_most_times(&figure, CRUBY, LIMIT))
}

fn with_smaller(row: Row, ours: &Figure, ruby: &Figures) -> Result<Row, Box<dyn Error>> {
    Ok(row
        .beside("a hundredth: ours", median(&ours.ours))
        .beside("a hundredth: CRuby", median(&ruby.get("share")?.ours)))
}

/// Runs the script for CRuby.
pub fn run_ruby(arguments: &str) -> Result<Figures, Box<dyn Error>> {
    run_script("ruby", "ruby_share.rb", arguments)
}
