//! The table as a picture: one line for each goal, one dot for each of its rows that has a limit. Where
//! a dot stands says what part of its limit the figure is; the scale is logarithmic.

use crate::row::{Row, Target};
use std::fmt::Write;

/// Powers of two that the scale goes from and to; dots outside stand at its ends.
const SCALE: (f64, f64) = (-6.0, 2.0);

const LEFT: f64 = 150.0;
const WIDTH: f64 = 560.0;
const LINE: f64 = 34.0;
const TOP: f64 = 46.0;

/// What part of its limit a row is; none if it has no limit or no figure.
fn part_of_limit(row: &Row) -> Option<f64> {
    let (figure, limit) = match row.target {
        Target::Ratio(limit) => (row.ratio?, limit),
        Target::Ours(limit) => (row.ours?, limit),
        Target::None => return None,
    };
    Some(match limit {
        // A limit of nothing: kept, or exceeded without end.
        0.0 if figure <= 0.0 => 1.0,
        0.0 => f64::INFINITY,
        limit => figure / limit,
    })
}

fn place(part: f64) -> f64 {
    let (least, most) = SCALE;
    LEFT + WIDTH * (part.log2().clamp(least, most) - least) / (most - least)
}

/// The picture, as SVG.
pub fn svg(rows: &[Row]) -> String {
    let goals: Vec<&[Row]> = rows
        .chunk_by(|one, next| one.goal() == next.goal())
        .filter(|goal| goal.iter().any(|row| part_of_limit(row).is_some()))
        .collect();
    let height = TOP + LINE * goals.len() as f64 + 8.0;
    let width = LEFT + WIDTH + 20.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <title>Each measured row as a part of its limit</title>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    for (power, label) in [
        (-6.0, "1/64"),
        (-4.0, "1/16"),
        (-2.0, "1/4"),
        (0.0, "limit"),
        (1.0, "2 ×"),
        (2.0, "4 ×"),
    ] {
        let x = place(f64::exp2(power));
        let (stroke, line_width) = match power {
            0.0 => ("#444", 1.5),
            _ => ("#ddd", 1.0),
        };
        let _ = writeln!(
            svg,
            "<line x1=\"{x}\" y1=\"{}\" x2=\"{x}\" y2=\"{height}\" stroke=\"{stroke}\" \
             stroke-width=\"{line_width}\"/>\n\
             <text x=\"{x}\" y=\"{}\" text-anchor=\"middle\" fill=\"#444\">{label}</text>",
            TOP - 14.0,
            TOP - 22.0
        );
    }
    for (line, goal) in goals.iter().enumerate() {
        let y = TOP + LINE * (line as f64 + 0.5);
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" font-family=\"monospace\">{}</text>",
            LEFT - 14.0,
            y + 4.0,
            goal[0].goal()
        );
        for row in *goal {
            let Some(part) = part_of_limit(row) else {
                continue;
            };
            let fill = match part <= 1.0 {
                true => "#2e7d32",
                false => "#c62828",
            };
            let _ = writeln!(
                svg,
                "<circle cx=\"{:.1}\" cy=\"{y}\" r=\"5\" fill=\"{fill}\" fill-opacity=\"0.5\">\
                 <title>{}: {part:.3} of the limit</title></circle>",
                place(part),
                row.id
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_stands_where_its_part_of_the_limit_is() {
        let row = |ours, limit| Row::of_number("goal/row".into(), ours, "ns").at_most(limit);
        assert_eq!(part_of_limit(&row(2.0, 8.0)), Some(0.25));
        assert_eq!(part_of_limit(&row(0.0, 0.0)), Some(1.0));
        assert_eq!(part_of_limit(&row(1.0, 0.0)), Some(f64::INFINITY));
        assert_eq!(part_of_limit(&Row::missing("goal")), None);
        assert_eq!(place(f64::INFINITY), LEFT + WIDTH);
        assert_eq!(place(0.0), LEFT);
        assert!(svg(&[row(2.0, 8.0)]).contains("goal/row: 0.250 of the limit"));
    }
}
