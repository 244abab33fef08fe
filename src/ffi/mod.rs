//! The C face: the only `extern "C"` of the library. One file is one header; each function checks its
//! arguments, calls the Rust API, and does nothing else.
//!
//! What every function asks of its caller, as C headers do: pointers are NULL or valid for what the text
//! says, handles came from this library, and values are values of the vm's host.

#![allow(clippy::missing_safety_doc)]

mod boundary;

pub mod autoshare;
pub mod cycles;
pub mod gc;
pub mod graph;
pub mod host;
pub mod link;
pub mod remote;
pub mod report;
pub mod slot;
pub mod status;
pub mod verify;
pub mod version;
pub mod vm;
pub mod walk;
