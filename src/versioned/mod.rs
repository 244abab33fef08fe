//! Versioned objects: stores, whose versions are never changed, and copies of them that are.
//!
//! - [`trie`]: the map from ids to records that each version is.
//! - [`memory`]: the words of a store, and chunks of them; [`space`]: where a writer puts what it makes.

#![forbid(unsafe_code)]

pub mod memory;
pub mod space;
pub mod trie;
