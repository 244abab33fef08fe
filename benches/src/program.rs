//! Runs a program and reads its figures.

use serde_json::Value;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a program measured, under one name.
#[derive(Clone, Debug, Default)]
pub struct Figure {
    /// Of what `ours` and `beside` count.
    pub unit: String,
    /// Samples of ours; none if it could not be measured.
    pub ours: Vec<f64>,
    /// Samples of each peer; those of one index were taken together with ours.
    pub beside: BTreeMap<String, Vec<f64>>,
}

/// The figures of one program, by name.
#[derive(Clone, Debug, Default)]
pub struct Figures(BTreeMap<String, Figure>);

impl Figures {
    /// The figure of this name.
    pub fn get(&self, name: &str) -> Result<&Figure, Box<dyn Error>> {
        self.0
            .get(name)
            .ok_or_else(|| format!("there is no figure of {name}").into())
    }

    /// Adds the samples of another run of the same program.
    pub fn merge(&mut self, figures: Figures) {
        for (name, figure) in figures.0 {
            let merged = self.0.entry(name).or_default();
            merged.unit = figure.unit;
            merged.ours.extend(figure.ours);
            for (peer, samples) in figure.beside {
                merged.beside.entry(peer).or_default().extend(samples);
            }
        }
    }
}

/// Where the programs are.
pub struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// In this folder.
    pub fn new(folder: PathBuf) -> Self {
        Programs { folder }
    }

    /// The path of `bench-NAME`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("bench-{name}"))
    }

    /// Where the files of a moment go.
    pub fn folder(&self) -> &PathBuf {
        &self.folder
    }

    /// Runs `bench-NAME` with arguments separated by blanks.
    pub fn run(&self, name: &str, arguments: &str) -> Result<Figures, Box<dyn Error>> {
        let mut command = Command::new(self.path(name));
        run(command.args(arguments.split_whitespace()))
    }
}

/// Runs a script of `c-tests/bench` with arguments separated by blanks.
pub fn run_script(
    interpreter: &str,
    name: &str,
    arguments: &str,
) -> Result<Figures, Box<dyn Error>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../c-tests/bench")
        .join(name);
    let mut command = Command::new(interpreter);
    run(command.arg(script).args(arguments.split_whitespace()))
}

/// Runs a command and reads the figures that it prints.
pub fn run(command: &mut Command) -> Result<Figures, Box<dyn Error>> {
    eprintln!("{}", text(command));
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{}: {error}", text(command)))?;
    if !output.status.success() {
        return Err(format!("{}: {}", text(command), output.status).into());
    }
    let mut figures = Figures::default();
    for line in String::from_utf8(output.stdout)?.lines() {
        let (name, figure) = parse(line).ok_or_else(|| format!("not a figure: {line}"))?;
        figures.0.insert(name, figure);
    }
    Ok(figures)
}

/// A command as one types it, without its folder.
fn text(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .map(|word| word.rsplit('/').next().unwrap_or_default().to_string())
        .collect::<Vec<_>>()
        .join(" ")
}

fn parse(line: &str) -> Option<(String, Figure)> {
    let value: Value = serde_json::from_str(line).ok()?;
    let beside = value["beside"].as_object()?;
    let figure = Figure {
        unit: value["unit"].as_str()?.into(),
        ours: numbers(&value["ours"])?,
        beside: beside
            .iter()
            .map(|(peer, samples)| Some((peer.clone(), numbers(samples)?)))
            .collect::<Option<_>>()?,
    };
    Some((value["figure"].as_str()?.into(), figure))
}

fn numbers(value: &Value) -> Option<Vec<f64>> {
    value.as_array()?.iter().map(Value::as_f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_read_from_the_line_that_tells_of_it() {
        let line = r#"{"figure": "mark", "unit": "ns", "ours": [1, 2.5], "beside": {"C": [3]}}"#;
        let (name, figure) = parse(line).unwrap();
        assert_eq!(name, "mark");
        assert_eq!(figure.unit, "ns");
        assert_eq!(figure.ours, [1.0, 2.5]);
        assert_eq!(figure.beside["C"], [3.0]);
        assert!(parse("usage: bench-walk").is_none());
    }

    #[test]
    fn runs_of_a_program_are_merged_in_their_order() {
        let run = |ours: f64| {
            let figure = Figure {
                ours: vec![ours],
                ..Figure::default()
            };
            Figures([("mark".to_string(), figure)].into())
        };
        let mut all = run(1.0);
        all.merge(run(2.0));
        assert_eq!(all.get("mark").unwrap().ours, [1.0, 2.0]);
        assert!(all.get("share").is_err());
    }
}
