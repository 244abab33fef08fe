//! The rows `main_pause`: how long main's check takes while its graph is being shared.

use crate::program::{Figure, Figures};
use crate::row::{Row, largest, median};
use crate::variants::{self, Variant};
use crate::{Bench, Rows};
use std::error::Error;

/// Nanoseconds.
const FREE_LIMIT: f64 = 5000.0;

/// What is walked, and by how many threads the processors are wanted.
struct Scene {
    id: &'static str,
    shape: &'static str,
    /// The graph has the middle size divided by this.
    divisor: usize,
    processors: &'static str,
}

/// A core for each thread, at two sizes, and with a vector so wide that main must wait for its pieces.
const FREE: [Scene; 3] = [
    free("tree", "tree", 1),
    free("smaller_tree", "tree", 10),
    free("wide", "wide", 10),
];

const fn free(id: &'static str, shape: &'static str, divisor: usize) -> Scene {
    Scene {
        id,
        shape,
        divisor,
        processors: "free",
    }
}

/// More threads than cores. In the tree main has no reason to wait, in the wide graph it has.
const OVERSUBSCRIBED: [Scene; 2] = [oversubscribed("tree", 1), oversubscribed("wide", 10)];

const fn oversubscribed(shape: &'static str, divisor: usize) -> Scene {
    Scene {
        id: shape,
        shape,
        divisor,
        processors: "oversubscribed",
    }
}

/// All scenes of all variants.
pub fn main_pause(bench: &Bench) -> Rows {
    let mut rows = Vec::new();
    for variant in variants::all() {
        for scene in &FREE {
            rows.extend(free_rows(bench, variant, scene)?);
        }
        let [tree, wide] = &OVERSUBSCRIBED;
        rows.extend(inline_row(bench, variant, tree)?);
        rows.extend(wait_row(bench, variant, wide)?);
    }
    Ok(rows)
}

fn measure(bench: &Bench, variant: Variant, scene: &Scene) -> Result<Figures, Box<dyn Error>> {
    let Scene {
        shape, processors, ..
    } = scene;
    let objects = bench.scale.middle / scene.divisor;
    let seconds = bench.scale.seconds;
    let arguments = format!(
        "{objects} {shape} {} {processors} {seconds}",
        variant.arguments()
    );
    let mut figures = Figures::default();
    for _ in 0..bench.scale.turns {
        figures.merge(bench.programs.run("pause", &arguments)?);
    }
    Ok(figures)
}

fn free_rows(bench: &Bench, variant: Variant, scene: &Scene) -> Rows {
    let id = |what: &str| format!("main_pause/{what}/{}/{}", variant.id(), scene.id);
    if !bench.wants(&id("p99.9")) && !bench.wants(&id("stop_for_collection")) {
        return Ok(Vec::new());
    }
    let figures = measure(bench, variant, scene)?;
    let (p50, p99_9) = (figures.get("p50")?, figures.get("p99.9")?);
    let write = Row::new(id("p99.9"), &ours(p99_9))
        .at_most(FREE_LIMIT)
        .beside("one lock p50", peer(p50, "one lock"))
        .beside("no walk", peer(p99_9, "no walk"))
        .beside("p50", median(&p50.ours))
        .beside("max", largest(&figures.get("max")?.ours))
        .beside("main preempted", sum(&figures, "absences")?)
        .beside("checks", sum(&figures, "checks")?)
        .beside("walks lost", sum(&figures, "walks lost")?)
        .beside("waits", waits(&figures)?)
        .beside("longest wait", largest(&figures.get("longest wait")?.ours));
    let stop = Row::new(id("stop_for_collection"), figures.get("stop p50")?)
        .beside("max", largest(&figures.get("stop max")?.ours))
        .beside("collections", sum(&figures, "collections")?);
    Ok(vec![write, stop])
}

/// On objects whose layout has fields alone nobody waits. What a callback reads may be anywhere.
fn inline_row(bench: &Bench, variant: Variant, scene: &Scene) -> Rows {
    let id = format!("main_pause/oversubscribed/inline_waits/{}", variant.id());
    if variant.description == "callbacks" || !bench.wants(&id) {
        return Ok(Vec::new());
    }
    let figures = measure(bench, variant, scene)?;
    let checks = sum(&figures, "checks")?;
    let mut waits = Figure {
        unit: "waits".into(),
        ..Figure::default()
    };
    // That nobody waited means nothing if nobody wrote.
    if checks > Some(0.0) {
        waits.ours.extend(sum(&figures, "waits inline")?);
    }
    Ok(vec![
        Row::new(id, &waits)
            .at_most(0.0)
            .beside("checks", checks)
            .beside("walks lost", sum(&figures, "walks lost")?)
            .beside("p99.9 ns", median(&figures.get("p99.9")?.ours))
            .beside("one lock p50 ns", peer(figures.get("p50")?, "one lock")),
    ])
}

/// Else main waits until the walker has run again and read its piece.
fn wait_row(bench: &Bench, variant: Variant, scene: &Scene) -> Rows {
    let id = format!("main_pause/oversubscribed/longest_wait/{}", variant.id());
    if !bench.wants(&id) {
        return Ok(Vec::new());
    }
    let figures = measure(bench, variant, scene)?;
    let longest = figures.get("longest wait")?;
    let slice = largest(&figures.get("time slice")?.ours);
    let figure = Figure {
        unit: longest.unit.clone(),
        ours: largest(&longest.ours).into_iter().collect(),
        ..Figure::default()
    };
    Ok(vec![
        Row::new(id, &figure)
            .at_most(slice.unwrap_or(0.0))
            .beside("time slice", slice)
            .beside("waits", waits(&figures)?)
            .beside("walks lost", sum(&figures, "walks lost")?)
            .beside("one lock p50", peer(figures.get("p50")?, "one lock")),
    ])
}

/// A figure without its peers.
fn ours(figure: &Figure) -> Figure {
    Figure {
        beside: Default::default(),
        ..figure.clone()
    }
}

fn peer(figure: &Figure, name: &str) -> Option<f64> {
    figure.beside.get(name).and_then(|samples| median(samples))
}

fn sum(figures: &Figures, name: &str) -> Result<Option<f64>, Box<dyn Error>> {
    Ok(Some(figures.get(name)?.ours.iter().sum()))
}

fn waits(figures: &Figures) -> Result<Option<f64>, Box<dyn Error>> {
    let inline = sum(figures, "waits inline")?;
    let indirect = sum(figures, "waits indirect")?;
    Ok(inline
        .zip(indirect)
        .map(|(inline, indirect)| inline + indirect))
}
