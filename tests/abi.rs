//! What C sees is what Rust means: layouts, constants, and the symbols of the shared library.
//!
//! C's side is read from the headers by bindgen, so nothing in them can be left out here.

mod library;

use library::{INCLUDE, shared_library};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use vmshare::autoshare::statistics::*;
use vmshare::ffi::graph::*;
use vmshare::ffi::report::*;
use vmshare::ffi::vm::*;
use vmshare::ffi::walk::*;
use vmshare::host::contract::*;
use vmshare::host::exchange::*;
use vmshare::host::item::*;
use vmshare::host::report::*;
use vmshare::status::*;

/// Sizes, alignments and offsets, by the names that bindgen gives them.
type Layouts = BTreeMap<String, usize>;
type Constants = BTreeMap<String, i64>;

/// What Rust says of the named structs. That all fields are named is checked by the compiler.
macro_rules! layouts {
    ($($name:ident { $($field:ident),* $(,)? })*) => {{
        let mut layouts = Layouts::new();
        $(
            let _ = |whole: $name| { let $name { $($field: _),* } = whole; };
            let name = stringify!($name);
            layouts.insert(format!("Size of {name}"), size_of::<$name>());
            layouts.insert(format!("Alignment of {name}"), align_of::<$name>());
            $(layouts.insert(
                format!("Offset of field: {name}::{}", stringify!($field)),
                std::mem::offset_of!($name, $field),
            );)*
        )*
        layouts
    }};
}

macro_rules! constants {
    ($($name:ident)*) => {
        Constants::from([$((stringify!($name).to_string(), i64::from($name))),*])
    };
}

#[test]
fn structs_have_the_same_layout_in_c() {
    let mut in_rust = layouts! {
        rs_flags {
            placement, offset, width, granule, frozen, shareable, autoshare, pending, heap_start,
            heap_size,
        }
        rs_pointers { tags, tag_mask, lowest }
        rs_type_tag { width, shift, offset, mask }
        rs_layout {
            share, elements, length_width, length_shift, length_bits, commit, fields_offset,
            fields_count, elements_offset, length_offset, name,
        }
        rs_visitor { next, limit, cursor, dropped }
        rs_site { file, line, column }
        rs_host {
            size, abi, ctx, flags, pointers, type_tag, layouts, layouts_count, mark_policy,
            walk_mode, enforcement, options, reserved, can_share, children, prepare, commit,
            on_mark, on_unmark, on_transition, safepoint, blocking_enter, blocking_leave,
            stop_world, resume_world, current_ractor, site, describe, label, content_hash, warn,
            allocate, release, fatal, immediates, read_items, read_elements, make_items,
            set_elements, make_remote, operate, is_cancelled, replace_remote, on_change, collect,
        }
        rs_item { kind, flags, count, content, name, name_length }
        rs_immediates {
            integer_shift, integer_bits, has_constants, integer_tag, nil, false_value, true_value,
        }
        rs_limits { depth, bytes }
        rs_operation { code, flags, name, name_length, index, arguments, arguments_count, timeout }
        rs_batch_entry { remote, operation, result, status, reserved }
        rs_link_options { size, flags, ring_bytes, pins, timeout, message_bytes }
        rs_pin { object, number, references, rights, code, site }
        rs_link_end { segment, socket }
        rs_link_statistics {
            size, reserved, pins, remotes, requests, served, released, messages, bytes, collected,
        }
        rs_report {
            size, status, cause, slot_kind, slot, object, reader, writer, read_site, write_site,
            objects, slot_name, path, object_name, message, text,
        }
        rs_statistics {
            size, reserved, marks, objects_marked, objects_written, objects_demoted, accesses,
            walks, graphs_shared, objects_shared, walks_blocked, walks_lost, walks_restarted,
            main_waits, walk_memory_peak,
        }
        rs_side_table { bytes, granule, heap_start, heap_size }
    };
    in_rust.insert("Size of rs_content".into(), size_of::<rs_content>());
    in_rust.insert("Alignment of rs_content".into(), align_of::<rs_content>());
    for member in ["integer", "number", "bytes", "elements"] {
        in_rust.insert(format!("Offset of field: rs_content::{member}"), 0);
    }
    let in_c = layouts_in_c(&bindings("vmshare.h"));
    assert_eq!(differences(&in_rust, &in_c), Vec::<String>::new());
}

#[test]
fn constants_have_the_same_value_in_c() {
    let in_rust = constants! {
        RS_OK RS_FROZEN RS_NOT_SHAREABLE RS_NOT_OWNER RS_MORE RS_BUSY RS_UNANNOUNCED
        RS_ERR_ARGUMENT RS_ERR_CLOSED RS_ERR_FOREIGN RS_ERR_THREAD RS_ERR_REENTRANT RS_ERR_MEMORY
        RS_ERR_PANIC RS_ERR_POISONED RS_ERR_ABI RS_ERR_HOST RS_ERR_UNSUPPORTED RS_ERR_LIMIT
        RS_ERR_FORKED RS_ERR_IMAGE RS_RAISED RS_CANCELLED RS_ERR_PEER RS_ERR_DEAD RS_ERR_TIMEOUT
        RS_ERR_DENIED RS_ERR_STALE RS_ERR_DEADLOCK RS_ERR_STORE RS_LINK_OPEN RS_LINK_SITES RS_REQUEST_MORE RS_LINK_EVACUATE RS_LINK_FETCH
        RS_READ_VARIABLE RS_WRITE_VARIABLE RS_READ_ELEMENT RS_WRITE_ELEMENT RS_READ_KEY RS_WRITE_KEY
        RS_READ_LENGTH RS_PRINT RS_CALL RS_EXCHANGE_ELEMENT RS_EQUAL RS_ADD_ELEMENT
        RS_CAN_READ RS_CAN_WRITE RS_CAN_CALL RS_CAN_ALL RS_ITEM_REMOTE RS_ITEM_BY_VALUE
        RS_ABI
        RS_FLAGS_IN_HEADER RS_FLAGS_IN_SIDE_TABLE RS_FLAGS_SPLIT
        RS_SIDE_FROZEN RS_SIDE_SHAREABLE RS_SIDE_AUTOSHARE RS_SIDE_PENDING
        RS_POINTERS_ALIGNED_8 RS_POINTERS_ALIGNED_4
        RS_SHARE_YES RS_SHARE_NO RS_SHARE_BY_COPY RS_SHARE_NEEDS_PREPARE RS_SHARE_BUSY RS_SHARE_ASK
        RS_ELEMENTS_NONE RS_ELEMENTS_INLINE RS_ELEMENTS_INDIRECT RS_ELEMENTS_ASK
        RS_MARK_ON_FIRST_RACTOR RS_MARK_ON_ASSIGN
        RS_WALK_CONCURRENT RS_WALK_WORLD_STOPPED
        RS_ENFORCE RS_WARN RS_OFF
        RS_STATE_NONE RS_STATE_ORDINARY RS_STATE_FROZEN RS_STATE_AUTOSHARE RS_STATE_SHAREABLE
        RS_OPTION_PROVENANCE RS_OPTION_VERIFY
        RS_SLOT_CONSTANT RS_SLOT_GLOBAL RS_SLOT_CLASS_VARIABLE RS_SLOT_CLASS_INSTANCE_VARIABLE
        RS_CAUSE_NONE RS_CAUSE_FROZEN_BY_PROGRAM RS_CAUSE_SHARED RS_CAUSE_MODIFIED
        RS_CAUSE_MODIFIED_MEANWHILE RS_CAUSE_NOT_MARKED RS_CAUSE_UNSHAREABLE RS_CAUSE_BY_COPY
        RS_CAUSE_NEEDS_PREPARE RS_CAUSE_HELD RS_CAUSE_NOT_OWNER RS_CAUSE_FAILED_BEFORE
        RS_CAUSE_UNANNOUNCED RS_CAUSE_INTERRUPTED
        RS_WALK_TO_MARK RS_WALK_TO_ACCESS RS_WALK_TO_SHARE
        RS_DRAW_TEXT RS_DRAW_DOT
        RS_ITEM_NONE RS_ITEM_NIL RS_ITEM_FALSE RS_ITEM_TRUE RS_ITEM_INTEGER RS_ITEM_BIG_INTEGER
        RS_ITEM_FLOAT RS_ITEM_SYMBOL RS_ITEM_UNINTERNED_SYMBOL RS_ITEM_STRING RS_ITEM_CONS
        RS_ITEM_VECTOR RS_ITEM_MAP RS_ITEM_RECORD RS_ITEM_OPAQUE RS_ITEM_FLAGS
        RS_MAP_EQUAL RS_MAP_IDENTITY RS_MAP_EQL
    }
    .into_iter()
    // No pair of them would fit a type that `i64::from` takes.
    .chain([
        ("RS_NO_RACTOR".to_string(), RS_NO_RACTOR as i64),
        ("RS_NO_SLOT".to_string(), RS_NO_SLOT as i64),
        ("RS_WHOLE".to_string(), RS_WHOLE as i64),
        ("RS_NO_REMOTE".to_string(), RS_NO_REMOTE as i64),
        ("RS_CAR".to_string(), RS_CAR as i64),
        ("RS_CDR".to_string(), RS_CDR as i64),
    ])
    .collect();
    let in_c = constants_in_c(&bindings("vmshare.h"));
    assert_eq!(differences(&in_rust, &in_c), Vec::<String>::new());
}

#[test]
fn the_library_exports_the_declared_functions_and_nothing_else() {
    let declared = functions_in_c(&bindings("vmshare.h"));
    assert!(declared.len() > 40, "{declared:?}");
    assert_eq!(exported_symbols(), declared);
}

#[test]
fn the_loader_finds_every_declared_function() {
    let prefix = "Offset of field: rs_api::";
    let members = layouts_in_c(&bindings("vmshare/loader.h")).into_keys();
    let mut found: BTreeSet<String> = members
        .filter_map(|name| name.strip_prefix(prefix).map(String::from))
        .collect();
    assert!(found.remove("library"));
    assert_eq!(found, functions_in_c(&bindings("vmshare.h")));
}

#[test]
fn the_library_is_named_by_its_major_version_and_stays_loaded() {
    let dynamic = readelf("--dynamic");
    let name = format!("[libvmshare.so.{}]", env!("CARGO_PKG_VERSION_MAJOR"));
    let soname = dynamic.lines().find(|line| line.contains("(SONAME)"));
    assert!(
        soname.is_some_and(|line| line.ends_with(&name)),
        "{dynamic}"
    );
    let flags = dynamic.lines().find(|line| line.contains("(FLAGS_1)"));
    assert!(
        flags.is_some_and(|line| line.contains("NODELETE")),
        "{dynamic}"
    );
}

/// What bindgen makes of a header: Rust source, one token after the other.
fn bindings(header: &str) -> String {
    bindgen::Builder::default()
        .header(format!("{INCLUDE}/{header}"))
        .clang_arg(format!("-I{INCLUDE}"))
        .allowlist_item("rs_.*|RS_.*")
        .formatter(bindgen::Formatter::None)
        .generate()
        .unwrap()
        .to_string()
}

/// The checks that bindgen writes look like `["Size of name"] [... - 8usize]`.
fn layouts_in_c(bindings: &str) -> Layouts {
    let checks = bindings.split("[\"").skip(1);
    checks
        .map(|check| {
            let (name, rest) = check.split_once("\"]").unwrap();
            let (before, _) = rest.split_once("usize").unwrap();
            let (_, number) = before.rsplit_once("- ").unwrap();
            (name.to_string(), number.parse().unwrap())
        })
        .collect()
}

/// Constants look like `pub const NAME : i32 = - 1 ;`.
fn constants_in_c(bindings: &str) -> Constants {
    let items = bindings.split("pub const RS_").skip(1);
    items
        .map(|item| {
            let (name, rest) = item.split_once(':').unwrap();
            let (_, value) = rest.split_once('=').unwrap();
            let (value, _) = value.split_once(';').unwrap();
            let value = value.replace(' ', "").parse().unwrap();
            (format!("RS_{}", name.trim()), value)
        })
        .collect()
}

/// Functions look like `pub fn name (...)`.
fn functions_in_c(bindings: &str) -> BTreeSet<String> {
    let items = bindings.split("pub fn ").skip(1);
    items
        .map(|item| item.split_once('(').unwrap().0.trim().to_string())
        .collect()
}

/// What one side has and the other has not, or has otherwise.
fn differences<V: PartialEq + std::fmt::Debug>(
    in_rust: &BTreeMap<String, V>,
    in_c: &BTreeMap<String, V>,
) -> Vec<String> {
    let names: BTreeSet<&String> = in_rust.keys().chain(in_c.keys()).collect();
    let different = names
        .into_iter()
        .filter(|name| in_rust.get(*name) != in_c.get(*name));
    different
        .map(|name| {
            format!(
                "{name}: Rust {:?}, C {:?}",
                in_rust.get(name),
                in_c.get(name)
            )
        })
        .collect()
}

fn exported_symbols() -> BTreeSet<String> {
    let table = readelf("--dyn-syms");
    let rows = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    // Number, value, size, type, binding, visibility, section, name; the first row is the heading.
    rows.filter(|row| row.len() == 8 && row[0] != "Num:")
        .filter(|row| row[4] != "LOCAL" && row[6] != "UND")
        .map(|row| row[7].to_string())
        .collect()
}

fn readelf(what: &str) -> String {
    let output = Command::new("readelf")
        .args(["--wide", what])
        .arg(shared_library())
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    assert!(output.status.success(), "{:?}", shared_library());
    String::from_utf8(output.stdout).unwrap()
}
