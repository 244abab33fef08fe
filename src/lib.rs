//! vmshare: live objects of an embedding VM, shared between its ractors, and with other processes.
//!
//! The house and its one rule: **ffi → vm → {autoshare → walk, remote → {graph, shm}, versioned → shm} → host →
//! sync; never upward, and never sideways between the three.**
//!
//! | folder | what it is |
//! |---|---|
//! | [`ffi`] | the only `extern "C"`: checks arguments, calls the Rust API, nothing else; one file is one header |
//! | [`vm`] | one embedding VM: its handle, ids, ractors, and what they share |
//! | [`autoshare`] | states, transitions, slots, access, reports |
//! | [`remote`] | links to other processes, pins, references, requests |
//! | [`versioned`] | stores: persistent tries, so far |
//! | [`graph`] | graphs as every host can read them: images, and the way into and out of a heap |
//! | [`walk`] | the one graph walk: worklist, prefetch, pieces; knows nothing of states |
//! | [`host`] | what an embedding VM looks like from here: contract, flag placement, layouts, callbacks |
//! | [`shm`] | memory and wake-ups between processes: the only file-descriptor and system-call code |
//! | [`sync`] | the only place that names atomics and locks (std's, or loom's under test) |
//!
//! `unsafe` lives in `ffi`, `host`, `shm`, `walk`'s storage and `vm`'s handles; `autoshare`, `graph` and
//! `versioned` forbid it.

pub mod autoshare;
pub mod ffi;
pub mod graph;
pub mod host;
#[cfg(vmshare_links)]
pub mod remote;
#[cfg(vmshare_links)]
pub mod shm;
pub mod status;
pub mod sync;
pub mod version;
#[cfg(vmshare_links)]
pub mod versioned;
pub mod vm;
pub mod walk;
