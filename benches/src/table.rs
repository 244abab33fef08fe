//! What is printed, and written.

use crate::plot;
use crate::row::{Row, Target};
use serde_json::{Map, Value, json};
use std::error::Error;
use std::path::{Path, PathBuf};

const HEAD: [&str; 7] = ["row", "ours", "unit", "ratio", "target", "met", "beside"];

/// The cells of a line.
type Cells = [String; HEAD.len()];

/// Prints all rows, one line each, those of each goal together; then, for each goal that has targets, how
/// many are met.
pub fn print(rows: &[Row]) {
    let lines: Vec<Cells> = rows.iter().map(cells).collect();
    let head = HEAD.map(String::from);
    let mut widths = head.clone().map(|cell| cell.chars().count());
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    widths[HEAD.len() - 1] = HEAD[HEAD.len() - 1].len();
    print_line(&head, &widths);
    let mut last = "";
    for (row, line) in rows.iter().zip(&lines) {
        if row.goal() != last {
            print_line(&widths.map(|width| "-".repeat(width)), &widths);
            last = row.goal();
        }
        print_line(line, &widths);
    }
    println!();
    print_summary(rows);
}

fn print_line(cells: &Cells, widths: &[usize; HEAD.len()]) {
    let mut line = String::new();
    for (cell, &width) in cells.iter().zip(widths) {
        line.push_str(&format!("{cell:width$}  "));
    }
    println!("{}", line.trim_end());
}

fn print_summary(rows: &[Row]) {
    let mut goals: Vec<&str> = rows.iter().map(Row::goal).collect();
    goals.dedup();
    for name in goals {
        let verdicts: Vec<bool> = rows
            .iter()
            .filter(|row| row.goal() == name)
            .filter_map(Row::met)
            .collect();
        if verdicts.is_empty() {
            continue;
        }
        let met = verdicts.iter().filter(|met| **met).count();
        println!("{name}: {met} of {} targets met", verdicts.len());
    }
}

fn cells(row: &Row) -> Cells {
    let beside: Vec<String> = row
        .beside
        .iter()
        .map(|(name, figure)| format!("{name} {}", number(*figure)))
        .collect();
    [
        row.id.clone(),
        row.ours.map_or("no figure".into(), number),
        row.unit.clone(),
        row.ratio.map_or("".into(), |ratio| format!("{ratio:.3}")),
        match row.target {
            Target::Ratio(limit) => format!("≤ {} ×", number(limit)),
            Target::Ours(limit) => format!("≤ {}", number(limit)),
            Target::None => "".into(),
        },
        match row.met() {
            Some(true) => "yes".into(),
            Some(false) => "NO".into(),
            None => "".into(),
        },
        beside.join(", "),
    ]
}

/// A number with three or more significant digits.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 || value.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 100.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// Writes `target/bench.json` and its picture, or, if that is not the whole table as it should be measured, a file of
/// another name.
pub fn write(rows: &[Row], whole: bool) -> Result<PathBuf, Box<dyn Error>> {
    let name = match whole {
        true => "bench.json",
        false => "bench-part.json",
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    let path = folder.join(name);
    std::fs::write(path.with_extension("svg"), plot::svg(rows))?;
    let rows: Vec<Value> = rows.iter().map(object).collect();
    std::fs::write(&path, serde_json::to_string_pretty(&rows)? + "\n")?;
    Ok(path.canonicalize()?)
}

/// A row: `target` is the limit of `ratio`, if that is not null, else of `ours`.
fn object(row: &Row) -> Value {
    let beside: Map<String, Value> = row
        .beside
        .iter()
        .map(|(name, figure)| (name.clone(), json!(figure)))
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
