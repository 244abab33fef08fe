//! Garbage cycles across processes.

pub mod condense;
pub mod joint;
pub mod summary;
#[cfg(test)]
mod tests;
