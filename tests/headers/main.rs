//! The headers: those generated are those committed, and every one compiles wherever it is included.

mod generator;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::thread;

const INCLUDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/include");

/// Headers of `include/vmshare` that are written by hand.
const HAND_WRITTEN: [&str; 2] = ["inline.h", "loader.h"];

const C_STANDARDS: [&str; 4] = ["c99", "c11", "c17", "c2x"];
const CPP_STANDARDS: [&str; 5] = ["c++11", "c++14", "c++17", "c++20", "c++2b"];

#[test]
fn generated_headers_are_the_committed_ones() {
    let bless = std::env::var_os("VMSHARE_BLESS").is_some();
    let mut stale = Vec::new();
    for name in header_names(generated_headers()) {
        let generated = std::fs::read(generated_headers().join(&name)).unwrap();
        let committed = committed_headers().join(&name);
        if std::fs::read(&committed).ok().as_ref() == Some(&generated) {
            continue;
        }
        if bless {
            std::fs::write(&committed, generated).unwrap();
        } else {
            stale.push(name);
        }
    }
    assert!(
        stale.is_empty(),
        "run `make headers`: {stale:?} differ from src/ffi"
    );
}

#[test]
fn every_header_is_generated_or_known_to_be_written_by_hand() {
    let mut known = header_names(generated_headers());
    known.extend(HAND_WRITTEN.map(String::from));
    assert_eq!(header_names(&committed_headers()), known);
}

#[test]
fn every_header_compiles_alone_and_twice_in_all_languages() {
    let mut compilations = Vec::new();
    for compiler in available(["gcc", "clang"]) {
        for standard in C_STANDARDS {
            compilations.extend(c_headers().map(|header| Compilation {
                compiler,
                language: "c",
                standard,
                header,
            }));
        }
    }
    for compiler in available(["g++", "clang++"]) {
        for standard in CPP_STANDARDS {
            let headers = c_headers().chain(["vmshare.hpp".to_string()]);
            compilations.extend(headers.map(|header| Compilation {
                compiler,
                language: "c++",
                standard,
                header,
            }));
        }
    }
    let failures = run_all(compilations);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// One header in one language. That it is included twice also says whether it can stand alone: the
/// first time nothing stands before it.
struct Compilation {
    compiler: &'static str,
    language: &'static str,
    standard: &'static str,
    header: String,
}

impl Compilation {
    /// What the compiler has against it.
    fn failure(&self) -> Option<String> {
        let mut child = Command::new(self.compiler)
            .args(["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"])
            .arg(format!("-std={}", self.standard))
            .args(["-I", INCLUDE, "-x", self.language, "-"])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let source = format!("#include <{0}>\n#include <{0}>\n", self.header);
        child
            .stdin
            .take()
            .unwrap()
            .write_all(source.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        (!output.status.success()).then(|| {
            let messages = String::from_utf8_lossy(&output.stderr);
            format!(
                "{} -std={} {}\n{messages}",
                self.compiler, self.standard, self.header
            )
        })
    }
}

/// Two at a time, since most of the time goes to starting compilers.
fn run_all(compilations: Vec<Compilation>) -> Vec<String> {
    let queue = Mutex::new(compilations);
    let failures = Mutex::new(Vec::new());
    let work = || {
        loop {
            let next = queue.lock().unwrap().pop();
            let Some(compilation) = next else { return };
            failures.lock().unwrap().extend(compilation.failure());
        }
    };
    thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    failures.into_inner().unwrap()
}

/// Those of the compilers that this machine has; at least one.
fn available(compilers: [&'static str; 2]) -> Vec<&'static str> {
    let (found, missing): (Vec<_>, Vec<_>) = compilers.into_iter().partition(|compiler| {
        let version = Command::new(compiler).arg("--version").output();
        version.is_ok_and(|output| output.status.success())
    });
    for compiler in missing {
        println!("skipped: {compiler} is not installed");
    }
    assert!(!found.is_empty(), "none of {compilers:?} is installed");
    found
}

fn c_headers() -> impl Iterator<Item = String> {
    let parts = header_names(&committed_headers()).into_iter();
    parts
        .map(|name| format!("vmshare/{name}"))
        .chain(["vmshare.h".to_string()])
}

/// The folder of those that are generated, which is done once.
fn generated_headers() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(generator::generate_all)
}

fn committed_headers() -> PathBuf {
    Path::new(INCLUDE).join("vmshare")
}

fn header_names(folder: &Path) -> BTreeSet<String> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension() == Some(OsStr::new("h")))
        .map(name_of)
        .collect()
}

fn name_of(path: PathBuf) -> String {
    path.file_name().unwrap().to_str().unwrap().to_string()
}
