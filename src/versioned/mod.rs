//! Versioned objects: stores, whose versions are never changed, and copies of them that are.
//!
//! - [`trie`]: the map from ids to records that each version is.

#![forbid(unsafe_code)]

pub mod trie;
