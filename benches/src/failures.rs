//! The rows `failed_access`: a share that fails at its last object, and the accesses after it.

use crate::count::{Count, count};
use crate::cruby::{CRUBY, run_ruby};
use crate::program::Figures;
use crate::row::{Row, median};
use crate::variants::{self, Variant};
use crate::{Bench, Rows};
use std::error::Error;

/// Failing, undone, may take so many times as long as the claims alone.
const LIMIT: f64 = 2.0;

/// Accesses in one run of the program that is counted.
const ACCESSES: f64 = 1e3;

/// What the test after a read costs: by itself, and with the call that refuses again.
#[derive(Clone, Copy)]
struct Later {
    test: Count,
    refused: Count,
}

/// For every variant, with CRuby beside it, which walks again at each access.
pub fn failed_access(bench: &Bench) -> Rows {
    let scale = bench.scale;
    let mut failed: Vec<(Variant, Figures)> = variants::all()
        .map(|variant| (variant, Figures::default()))
        .collect();
    let mut ruby = Figures::default();
    for _ in 0..scale.turns {
        ruby.merge(run_ruby(&format!(
            "refuse {} {}",
            scale.middle, scale.large_rounds
        ))?);
        for (variant, all) in &mut failed {
            let arguments = format!(
                "{} {} {}",
                scale.middle,
                variant.arguments(),
                scale.large_rounds
            );
            all.merge(bench.programs.run("failed", &arguments)?);
        }
    }
    let again = median(&ruby.get("refused again")?.ours);
    let in_header = count_later(bench, "header")?;
    let in_table = count_later(bench, "side")?;
    let mut rows = Vec::new();
    for (variant, figures) in failed {
        let later = match variant.placement {
            "header" => in_header,
            _ => in_table,
        };
        let for_each = again.map(|time| time / scale.middle as f64);
        rows.push(undone_row(variant, &figures)?.beside(CRUBY, for_each));
        rows.push(later_row(variant, &figures, later)?.beside("CRuby ns", again));
    }
    Ok(rows)
}

fn undone_row(variant: Variant, figures: &Figures) -> Result<Row, Box<dyn Error>> {
    let figure = figures.get("failed")?;
    let id = format!("failed_access/undone/{}", variant.id());
    Ok(Row::new(id, figure).at_most_times(figure, "C claim", LIMIT))
}

/// Later accesses begin no walk: the flags of the slot's value say all.
fn later_row(variant: Variant, figures: &Figures, later: Later) -> Result<Row, Box<dyn Error>> {
    let id = format!("failed_access/later/{}", variant.id());
    Ok(Row::new(id, figures.get("later walks")?)
        .at_most(0.0)
        .beside("test: instructions", Some(later.test.instructions))
        .beside("test: loads", Some(later.test.loads))
        .beside("call: instructions", Some(later.refused.instructions))
        .beside("call ns", median(&figures.get("later")?.ours)))
}

fn count_later(bench: &Bench, placement: &str) -> Result<Later, Box<dyn Error>> {
    let counted = |kind: &str, state: &str| {
        let function = format!("read_constant_{kind}");
        count(&bench.programs, "access", [kind, state], &function)
    };
    let plain = counted("plain", "shareable")?;
    let test = counted(placement, "shareable")?;
    let refused = counted(placement, "refused")?;
    Ok(Later {
        test: test.each_beyond(plain, ACCESSES),
        refused: refused.each_beyond(test, ACCESSES),
    })
}
