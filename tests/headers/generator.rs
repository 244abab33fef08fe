//! Generates one C header for each file of `src/ffi`. `make headers` copies them to `include/vmshare`.

use std::path::{Path, PathBuf};

/// A header, and what it consists of.
struct Header {
    name: &'static str,
    /// Files whose public items go into this header.
    sources: &'static [&'static str],
    /// Headers that it includes.
    includes: &'static [&'static str],
}

/// All generated headers; a file in `src/ffi` that is not named here fails the test.
const HEADERS: &[Header] = &[
    Header {
        name: "status",
        sources: &["src/status.rs", "src/ffi/status.rs"],
        includes: &[],
    },
    Header {
        name: "version",
        sources: &["src/ffi/version.rs"],
        includes: &[],
    },
    Header {
        name: "host",
        sources: &[
            "src/host/item.rs",
            "src/host/exchange.rs",
            "src/host/contract.rs",
            "src/host/report.rs",
            "src/ffi/host.rs",
        ],
        includes: &["status"],
    },
    Header {
        name: "vm",
        sources: &["src/autoshare/statistics.rs", "src/ffi/vm.rs"],
        includes: &["host"],
    },
    Header {
        name: "slot",
        sources: &["src/ffi/slot.rs"],
        includes: &["vm"],
    },
    Header {
        name: "autoshare",
        sources: &["src/ffi/autoshare.rs"],
        includes: &["slot"],
    },
    Header {
        name: "walk",
        sources: &["src/ffi/walk.rs"],
        includes: &["autoshare"],
    },
    Header {
        name: "gc",
        sources: &["src/ffi/gc.rs"],
        includes: &["vm"],
    },
    Header {
        name: "graph",
        sources: &["src/ffi/graph.rs"],
        includes: &["vm"],
    },
    Header {
        name: "link",
        sources: &["src/ffi/link.rs"],
        includes: &["vm"],
    },
    Header {
        name: "remote",
        sources: &["src/ffi/remote.rs"],
        includes: &["graph", "link"],
    },
    Header {
        name: "cycles",
        sources: &["src/ffi/cycles.rs"],
        includes: &["link"],
    },
    Header {
        name: "report",
        sources: &["src/ffi/report.rs"],
        includes: &["vm"],
    },
    Header {
        name: "verify",
        sources: &["src/ffi/verify.rs"],
        includes: &["vm"],
    },
];

/// Files of `src/ffi` that are no header: the boundary itself.
const NOT_HEADERS: &[&str] = &["mod", "boundary"];

/// Generates all headers; returns the folder that they are in.
pub fn generate_all() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("headers");
    expect_all_files_named(root);
    let _ = std::fs::remove_dir_all(&out);
    std::fs::create_dir_all(&out).expect("the target's folder is writable");
    for header in HEADERS {
        generate(root, &out, header);
    }
    out
}

fn expect_all_files_named(root: &Path) {
    let folder = root.join("src/ffi");
    for entry in std::fs::read_dir(folder).expect("src/ffi exists") {
        let path = entry.expect("src/ffi can be read").path();
        let name = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or("");
        let known = NOT_HEADERS.contains(&name) || HEADERS.iter().any(|header| header.name == name);
        assert!(
            known,
            "{} has no entry in HEADERS of tests/headers/generator.rs",
            path.display()
        );
    }
}

fn generate(root: &Path, out: &Path, header: &Header) {
    let mut config =
        cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml is valid");
    config.header = Some(opening(root, header));
    config.include_guard = Some(format!("VMSHARE_{}_H", header.name.to_uppercase()));
    config.sys_includes = vec!["stddef.h".into(), "stdint.h".into()];
    config.includes = header
        .includes
        .iter()
        .map(|name| format!("vmshare/{name}.h"))
        .collect();
    config.export.include = public_types(root, header);
    let mut builder = cbindgen::Builder::new().with_config(config);
    for source in header.sources {
        builder = builder.with_src(root.join(source));
    }
    builder
        .generate()
        .unwrap_or_else(|error| panic!("{}.h: {error}", header.name))
        .write_to_file(out.join(format!("{}.h", header.name)));
}

/// The names of the types that a header's sources declare: cbindgen would leave out those that no
/// function of the same header mentions.
fn public_types(root: &Path, header: &Header) -> Vec<String> {
    let mut names = Vec::new();
    for source in header.sources {
        let text = std::fs::read_to_string(root.join(source)).expect("sources can be read");
        for line in text.lines() {
            let declared = ["pub struct rs_", "pub type rs_"]
                .iter()
                .find_map(|prefix| line.strip_prefix(prefix));
            if let Some(rest) = declared {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                names.push(format!("rs_{}", &rest[..end.unwrap_or(rest.len())]));
            }
        }
    }
    names
}

/// The comment that a header begins with: the module text of the file it is made from.
fn opening(root: &Path, header: &Header) -> String {
    let source = header.sources.last().expect("a header has a source");
    let text = std::fs::read_to_string(root.join(source)).expect("sources can be read");
    let lines: Vec<&str> = text
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .collect();
    format!(
        "/*\n{}\n *\n * Generated from {source} by cbindgen: change it there, then run `make headers`.\n */",
        lines
            .iter()
            .map(|line| format!(" *{line}"))
            .collect::<Vec<_>>()
            .join("\n")
    )
}
