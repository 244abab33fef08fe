//! Shared memory and waking.
pub mod channel;
pub mod copy;
pub mod deadline;
pub mod descriptors;
pub mod doorbell;
pub mod handover;
pub mod hello;
pub mod memfd;
pub mod message;
pub mod peer;
pub mod ring;
pub mod sealed;
pub mod segment;
pub mod socket;
pub mod system;
pub mod waiting;
