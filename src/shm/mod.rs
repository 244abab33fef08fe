//! Memory, wake-ups and descriptors between two processes that need not trust each other.
//!
//! The only code of the library that makes system calls on descriptors. What it offers above is a [`channel`]:
//! messages in both directions, in order, that wait no longer than their deadline, and end when the peer does.
//!
//! | file | what it is |
//! |---|---|
//! | [`channel`] | one end: sends and receives, never waits |
//! | [`waiting`] | waits of a channel, and what a host's event loop does instead |
//! | [`descriptors`] | descriptors that travel with messages |
//! | [`hello`] | what two ends tell each other first |
//! | [`message`] | messages of any length, out of frames |
//! | [`ring`] | frames, with one writer and one reader |
//! | [`doorbell`] | sleeping and waking; why no wake-up is lost |
//! | [`socket`] | the socket that carries wake-ups and descriptors |
//! | [`peer`] | whether the other process lives |
//! | [`handover`] | how a child gets its end |
//! | [`segment`] | the memory of two rings |
//! | [`region`] | memory that grows in place |
//! | [`sealed`] | bytes that nobody can change any more |
//! | [`memfd`] | anonymous files: how they are made and judged |
//! | [`copy`] | copies between private memory and memory that a peer may write |
//! | [`deadline`], [`system`] | the clock, and failures as statuses |
//!
//! # The memory of a segment
//!
//! *n* is the size of a ring, a power of two; the segment has 4096 + 2 *n* bytes, and that, which the kernel tells and
//! seals, is all that a joiner goes by. The maker has made the segment, the joiner was given it.
//!
//! | at | what | written by |
//! |---|---|---|
//! | 0 | how many bytes the maker has published, ever | maker |
//! | 128 | how many bytes the maker has consumed, ever | maker |
//! | 256 | whether the maker sleeps | both |
//! | 512 | how many bytes the joiner has published, ever | joiner |
//! | 640 | how many bytes the joiner has consumed, ever | joiner |
//! | 768 | whether the joiner sleeps | both |
//! | 4096 | the maker's ring: *n* bytes of frames | maker |
//! | 4096 + *n* | the joiner's ring: *n* bytes of frames | joiner |
//!
//! Each word has 128 bytes of its own: processors fetch lines of 64 bytes, some in pairs, and a line that two
//! write goes to and fro. The layout of a frame is told in [`ring`], that of a message in [`message`].
//!
//! # Invariants
//!
//! - Nothing that lies in a segment is believed twice. A word of the peer's is read once, into private memory, and
//!   checked there; a payload is copied out before anybody looks at it. There is no reference to bytes that a peer
//!   may write.
//! - Each end knows its own cursors by itself. What it writes to its words is for the peer only, and
//!   overwriting them hurts the peer that does it.
//! - No lock is shared between processes: nothing that a peer holds when it dies is missed.
//! - A segment has all its pages before anybody maps it, and its size can't change: there is no SIGBUS. (A hostile peer
//!   can punch holes into it. They read as zeros, and cost a page each when they are touched, as before.)
//! - No call on a descriptor can block, whatever flags the peer sets on what it has inherited, but the one that
//!   sleeps, and that one has a deadline.
//!
//! # When a peer dies
//!
//! A frame is published by one store, after it was written. So whenever the peer is killed, there are whole
//! frames up to its cursor, and nothing behind it counts. What it has published can still be received;
//! then every wait ends with `RS_ERR_DEAD`, as does every attempt to send. A long message whose
//! last pieces are missing is never handed out. Segment and socket have no names, so nothing is left behind.
//!
//! # When a peer lies
//!
//! It can write anything anywhere in the segment at any time, and send anything through the socket. Cursors that
//! can't be, frames that make no message, signals that are none: all that ends the channel, with `RS_ERR_PEER`,
//! for good. Whatever else it writes are messages, which whoever uses the channel must judge. It
//! can keep this end from sleeping while this end waits for it, until the deadline; it can make it call
//! `send` once for each publication; and it can hold as much memory as the rings, one message of the length that this
//! end has set as limit, and 16 descriptors have. Nothing here runs for longer, or grows further, because of it.

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
pub mod region;
pub mod ring;
pub mod sealed;
pub mod segment;
pub mod socket;
pub mod system;
pub mod waiting;
