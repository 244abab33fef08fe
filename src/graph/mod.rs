//! Graphs as every host can read them: items instead of values, offsets instead of pointers.
//!
//! - [`image`]: a graph in one piece of memory, and how to read it in place.
//! - [`validate`]: what makes bytes of unknown origin an image; [`words`]: where they may lie.
//! - [`encode`]: from a host's heap to an image (`places`: what was met); [`decode`]: back, into any host's heap.
//!
//! # An image
//!
//! An array of 64-bit words in the machine's own byte order: a header, then nodes without gaps.
//!
//! | word of the header | |
//! |---|---|
//! | 0 | magic and version |
//! | 1 | how many words, header included |
//! | 2 | the root: a word as below |
//! | 3 | how many nodes |
//! | 4 | how many opaque values are referred to |
//!
//! A node is a word that says what it is (bits 0–7 its kind, `RS_ITEM_…`; 8–23 the flags of the item;
//! 24–63 its count) and what the kind says:
//!
//! | kind | words behind it |
//! |---|---|
//! | integer of more than 61 bits, float | 1: its bits |
//! | big integer, symbol, string | its bytes, filled up with zeros |
//! | cons, vector | its elements |
//! | map | key and value in turn |
//! | record | its elements, then the name of its type, which is a symbol's node |
//!
//! Where a value stands, in a node or in the header, its word says by the low three bits what it is:
//!
//! | bits | the rest is |
//! |---|---|
//! | 0 | a node: where it begins, in bytes from the start of the image (which the whole word says) |
//! | 1 | an integer of 61 bits |
//! | 2 | nil (1), false (2), true (3) |
//! | 3 | an opaque value: its number in a list that travels beside the image |
//!
//! # Invariants
//!
//! - Everything is found by offsets, so an image means the same at any address.
//! - An object of the host is one node however often it is referred to: identity, sharing and cycles
//!   are kept, and a graph of n objects and m references costs O(n + m), however many paths it has.
//! - Nodes stand breadth first, as a queue would visit them. So no part of encoding, validating or
//!   decoding recurses or keeps a stack: each goes through the nodes from front to back.
//! - Once validated, no read can leave the image, whatever its bytes were: each word that says "a
//!   node" was found to point to the beginning of one. That holds only for bytes that can no longer
//!   change: a private copy, or memory sealed against writing.

#![forbid(unsafe_code)]

pub mod decode;
pub mod encode;
pub mod image;
mod places;
pub mod validate;
pub mod words;
