//! The rows `main_pause`: how long main's check takes while its graph is being shared.

use crate::Scale;
use crate::program::{Figures, Programs};
use crate::row::{Row, Target};
use crate::walks::variants;
use std::error::Error;

/// Nanoseconds.
const FREE_LIMIT: f64 = 5000.0;

/// With a core for each thread, at two sizes; and with more threads than cores.
pub fn main_pause(programs: &Programs, scale: Scale) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut rows = Vec::new();
    for (placement, description) in variants() {
        for objects in [scale.middle, scale.middle / 10] {
            let figures = pause(
                programs,
                objects,
                placement,
                description,
                "free",
                scale.seconds,
            )?;
            rows.extend(free_rows(
                &format!("{placement}/{description}/{objects}"),
                &figures,
            ));
        }
        let objects = scale.middle;
        let seconds = scale.seconds;
        let figures = pause(
            programs,
            objects,
            placement,
            description,
            "oversubscribed",
            seconds,
        )?;
        rows.extend(oversubscribed_rows(
            &format!("{placement}/{description}"),
            &figures,
        ));
    }
    Ok(rows)
}

fn pause(
    programs: &Programs,
    objects: usize,
    placement: &str,
    description: &str,
    processors: &str,
    seconds: usize,
) -> Result<Figures, Box<dyn Error>> {
    let arguments = format!("{objects} {placement} {description} {processors} {seconds}");
    programs.run("pause", &arguments)
}

fn only(figures: &Figures, name: &str) -> f64 {
    figures[name].ours[0]
}

fn free_rows(variant: &str, figures: &Figures) -> Vec<Row> {
    let id = |what: &str| format!("main_pause/{what}/{variant}");
    vec![
        Row::judged(
            id("p99.9"),
            &figures["p99.9"],
            "one lock",
            Target::Absolute(FREE_LIMIT),
        )
        .beside("p50", only(figures, "p50"))
        .beside("max", only(figures, "max"))
        .beside("checks", only(figures, "checks"))
        .beside(
            "waits",
            only(figures, "waits inline") + only(figures, "waits indirect"),
        ),
        Row::stated(
            id("stop_for_collection"),
            &figures["stop p50"],
            Target::None,
        )
        .beside("p99", only(figures, "stop p99"))
        .beside("collections", only(figures, "collections")),
    ]
}

fn oversubscribed_rows(variant: &str, figures: &Figures) -> Vec<Row> {
    let id = |what: &str| format!("main_pause/oversubscribed/{what}/{variant}");
    let checks = only(figures, "checks");
    let slice = only(figures, "time slice");
    // That nobody waited means nothing if nobody wrote.
    let judged = |limit| {
        if checks > 0.0 {
            Target::Absolute(limit)
        } else {
            Target::None
        }
    };
    vec![
        Row::stated(id("inline_waits"), &figures["waits inline"], judged(0.0))
            .beside("checks", checks)
            .beside("p99.9", only(figures, "p99.9")),
        Row::stated(id("longest_wait"), &figures["longest wait"], judged(slice))
            .beside("waits", only(figures, "waits indirect"))
            .beside("time slice", slice)
            .beside("one lock p50", figures["p50"].beside["one lock"][0]),
    ]
}
