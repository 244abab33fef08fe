//! What is printed, and written.

use crate::row::{Row, Target};
use serde_json::{Map, Value, json};
use std::error::Error;
use std::path::{Path, PathBuf};

/// Prints all rows, one line each.
pub fn print(rows: &[Row]) {
    let lines: Vec<[String; 6]> = rows.iter().map(cells).collect();
    let head = ["row", "ours", "beside", "ratio", "target", "met"].map(String::from);
    let mut widths = head.clone().map(|cell| cell.chars().count());
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    print_line(&head, &widths);
    let rule: [String; 6] = widths.map(|width| "-".repeat(width));
    print_line(&rule, &widths);
    lines.iter().for_each(|line| print_line(line, &widths));
    let missed = rows.iter().filter(|row| row.met() == Some(false)).count();
    let judged = rows.iter().filter(|row| row.met().is_some()).count();
    println!("{} of {judged} targets met", judged - missed);
}

fn print_line(cells: &[String; 6], widths: &[usize; 6]) {
    let mut line = String::new();
    for (cell, &width) in cells.iter().zip(widths) {
        line.push_str(&format!("{cell:width$}  "));
    }
    println!("{}", line.trim_end());
}

fn cells(row: &Row) -> [String; 6] {
    let beside: Vec<String> = row
        .beside
        .iter()
        .map(|(peer, figure)| format!("{peer} {}", number(*figure)))
        .collect();
    [
        row.id.clone(),
        format!("{} {}", number(row.ours), row.unit),
        beside.join(", "),
        row.ratio.map_or("".into(), |ratio| format!("{ratio:.3}")),
        match row.target {
            Target::Ratio(limit) => format!("≤ {} ×", number(limit)),
            Target::Absolute(limit) => format!("≤ {}", number(limit)),
            Target::None => "".into(),
        },
        match row.met() {
            Some(true) => "yes".into(),
            Some(false) => "NO".into(),
            None => "".into(),
        },
    ]
}

/// A number with three or more significant digits.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 || value.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 100.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.5}"),
    }
}

/// Writes `target/bench.json`; a quick run, of which the figures mean nothing, elsewhere.
pub fn write(rows: &[Row], quick: bool) -> Result<PathBuf, Box<dyn Error>> {
    let name = if quick {
        "bench-quick.json"
    } else {
        "bench.json"
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../target")
        .join(name);
    let rows: Vec<Value> = rows.iter().map(object).collect();
    std::fs::write(&path, serde_json::to_string_pretty(&rows)? + "\n")?;
    Ok(path.canonicalize()?)
}

fn object(row: &Row) -> Value {
    let beside: Map<String, Value> = row
        .beside
        .iter()
        .map(|(peer, figure)| (peer.clone(), json!(figure)))
        .collect();
    json!({
        "id": row.id,
        "ours": row.ours,
        "unit": row.unit,
        "beside": beside,
        "ratio": row.ratio,
        "target": row.limit(),
        "met": row.met(),
    })
}
