//! Garbage cycles across processes: nothing that is reachable is ever freed, and all else is.

#![cfg(target_os = "linux")]

mod callbacks;
mod cases;
mod heap;
mod histories;
mod joining;
mod memory;
mod oracle;
mod peers;
mod processes;
mod shape;
mod shortage;
mod tree;
mod trees;
