//! Channels between real processes: what arrives, what a lying peer can do, what death does, and that no
//! wake-up is lost.
//!
//! A forked child inherits the descriptors of every test that runs at the same time, and would keep
//! sockets open that those tests close. So one test runs at a time, whatever the number of threads.

#![cfg(target_os = "linux")]

mod death;
mod descriptors;
mod exchange;
mod lies;
mod process;
mod waking;
