//! Garbage cycles across processes.

pub mod condense;
pub mod joint;
pub mod observer;
pub mod round;
pub mod snapshot;
pub mod summary;
#[cfg(test)]
mod tests;

/// In the features of a hello: this end answers markers.
pub const FEATURE: u64 = 1;
