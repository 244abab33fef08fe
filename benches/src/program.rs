//! Runs a program and reads its figures.

use serde_json::Value;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::process::Command;

/// What a program measured, under one name.
#[derive(Clone, Debug, Default)]
pub struct Figure {
    /// Of what `ours` and `beside` count.
    pub unit: String,
    /// Samples of ours.
    pub ours: Vec<f64>,
    /// Samples of each peer; those of one index were taken together with ours.
    pub beside: BTreeMap<String, Vec<f64>>,
}

/// The figures of one program, by name.
pub type Figures = BTreeMap<String, Figure>;

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

    /// Runs `bench-NAME` with arguments separated by blanks.
    pub fn run(&self, name: &str, arguments: &str) -> Result<Figures, Box<dyn Error>> {
        let mut command = Command::new(self.path(name));
        run(command.args(arguments.split_whitespace()))
    }
}

/// Runs a command and reads the figures that it prints.
pub fn run(command: &mut Command) -> Result<Figures, Box<dyn Error>> {
    eprintln!("{}", text(command));
    let output = command
        .output()
        .map_err(|error| format!("{}: {error}", text(command)))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}: {}\n{errors}", text(command), output.status).into());
    }
    let mut figures = Figures::new();
    for line in String::from_utf8(output.stdout)?.lines() {
        let (name, figure) = parse(line).ok_or_else(|| format!("not a figure: {line}"))?;
        figures.insert(name, figure);
    }
    Ok(figures)
}

/// Adds the samples of another run of the same program.
pub fn merge(all: &mut Figures, figures: Figures) {
    for (name, figure) in figures {
        let merged = all.entry(name).or_default();
        merged.unit = figure.unit;
        merged.ours.extend(figure.ours);
        for (peer, samples) in figure.beside {
            merged.beside.entry(peer).or_default().extend(samples);
        }
    }
}

fn text(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let name = program.rsplit('/').next().unwrap_or_default();
    let arguments = command
        .get_args()
        .map(|argument| argument.to_string_lossy());
    std::iter::once(name.into())
        .chain(arguments)
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
