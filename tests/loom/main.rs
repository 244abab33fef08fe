//! Models of the sharing protocol, and of rings, wake-ups and references between processes, checked in every
//! interleaving that loom can tell apart, up to a bound of preemptions. The code under test is the library's own.
//!
//! Run by `scripts/loom.sh`, twice: as it is, and with `VMSHARE_LOADS_AS_RMW` in the environment. Loom keeps only
//! the last access of each thread to an atomic, so a thread's own load can hide another thread's; each
//! way finds mistakes that the other misses. `tests/loom/mutations` shows that they are found.

#![cfg(loom)]

mod heap;
mod models;
mod references;
mod ring;
