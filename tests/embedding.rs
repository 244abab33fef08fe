//! Programs that embed the library from outside: the one in README.md, one that loads the library
//! at run time, one in C++.

mod library;

use library::{compiler, folder};
use std::path::Path;
use std::process::Command;

const README: &str = include_str!("../README.md");

#[test]
fn the_program_of_the_readme_prints_what_the_readme_says() {
    let folder = folder("readme");
    std::fs::write(folder.join("toy.c"), block("c")).unwrap();
    let program = build(
        "c11",
        &folder,
        &folder.join("toy.c"),
        Some("libvmshare.so.0"),
    );
    assert_eq!(output_of(Command::new(program)), block("text"));
}

#[test]
fn a_program_that_is_not_linked_with_the_library_loads_it() {
    let folder = folder("loader");
    let program = build("c99", &folder, &source("loader.c"), None);
    let mut command = Command::new(program);
    command.arg(folder.join("libvmshare.so.0"));
    assert_eq!(output_of(command), "loaded\n");
}

#[test]
fn handles_of_cpp_end_what_they_own_once() {
    let folder = folder("handles");
    let program = build(
        "c++11",
        &folder,
        &source("handles.cpp"),
        Some("libvmshare.so.0"),
    );
    assert_eq!(output_of(Command::new(program)), "done\n");
}

/// The first code block of the README in a language.
fn block(language: &str) -> String {
    let (_, rest) = README.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0.to_string()
}

fn source(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/embedding")
        .join(name)
}

fn build(
    standard: &str,
    folder: &Path,
    source: &Path,
    library: Option<&str>,
) -> std::path::PathBuf {
    let program = folder.join("program");
    let mut command = compiler(standard);
    command.arg("-pthread").arg("-o").arg(&program).arg(source);
    if let Some(library) = library {
        command.arg(folder.join(library));
        command.arg(format!("-Wl,-rpath,{}", folder.display()));
    } else {
        command.arg("-ldl");
    }
    let output = command.output().unwrap();
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{messages}");
    program
}

fn output_of(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}
