//! Garbage cycles across processes.
//!
//! Pins are counts of a kind: what two processes' objects keep alive in each other, they keep alive for ever. Here
//! a *hub*, the process that has made links to others, finds such objects, and lets go of its own among them. The
//! rest dies by itself: the hub's objects, then the references that they held, then the peers' objects.
//!
//! - [`condense`]: what each pin leads to, as small as it gets; [`summary`]: that, in words.
//! - [`snapshot`]: a summary from the middle of a collection; [`observer`]: what happens meanwhile.
//! - [`round`]: the messages; [`joint`]: the decision.
//!
//! # A round
//!
//! ```text
//!   hub                                    each peer
//!   ---                                    ---------
//!   begins to note what arrives
//!   collects; its summary                  (goes on)
//!   marker ───────────────────────────────>
//!   (goes on, and notes)                   collects; its summary
//!   <─────────────────────────────── summary
//!   notes no more                          (goes on)
//!   all summaries are there: marks the joint graph, and lets go of pins that are not marked
//! ```
//!
//! "Which pins are reached only by pins" would not do: two such pins may lead to each other, or to what a program
//! needs. A summary says, of all that roots do not reach, which pin leads to which remotes. It comes from the
//! host's collector: marked from the roots, and not yet from the pins of the links that take part, it knows what
//! the program itself needs. Roots are also what the library holds for calls that are under way, exports, the pins of
//! links that take no part, and what messages refer to that have arrived and were not read.
//!
//! # Why it is safe
//!
//! The snapshots of a hub and a peer are taken at different times, but they are a consistent cut (K. M. Chandy and L.
//! Lamport, "Distributed snapshots: determining global states of distributed systems", ACM TOCS 3, 1985): a link
//! is first in, first out, so the marker parts what the hub has sent before its snapshot from the rest, and the
//! summary what the peer has. What the peer has sent before its snapshot and the hub has received after its own is
//! the state of the link, and the hub has noted it: every reference that it mentions is needed.
//!
//! So what is not marked can be used by no program at the cut, and garbage stays garbage: nobody can send, or get
//! hold of, what nobody reaches. There are two ways around that, and both are closed:
//!
//! - An object may be needed while one peer's reference to it is garbage. If the hub sends it to that peer again, the
//!   reference comes back to life. So a pin is let go only if it was not sent since the round began. (That its count
//!   is what it was does not show this: the old reference may have been given back meanwhile.)
//! - A weak reference of a program may bring an object back that nothing reaches. So a host counts such objects
//!   as marked (`rs_gc_summarise`).
//!
//! A message that the peer handles ahead of the marker although it was sent behind it, since it belongs to
//! a chain of calls that the peer waits in, does no harm: it mentions what the hub had at its snapshot or has noted
//! since, which is needed anyway, and whatever the hub gets by it arrives before the summary, and is noted.
//!
//! Notes begin before the snapshot, and not with it: so what the host does between the two, or between the
//! snapshot and the marker, is noted as well. That makes a round find less, and never too much.
//!
//! # What it finds
//!
//! All that was garbage at the cut and is kept alive over links that took part: each cycle over processes
//! that are joined in a star passes through its hub, and so by a pin of it. Links between the hub's peers
//! do not take part, nor do those of a peer to peers of its own; cycles over these, found by nobody, are kept.
//! A process in the middle of a tree is a peer of the one above, and a hub for those below.
//!
//! # Who does not answer, or lies
//!
//! A peer whose host has no `collect` says so in its hello and is not asked. One that has not answered by the
//! deadline, has refused, or is gone, may need all that it ever got: its pins are roots of the decision. Late
//! summaries are known by the number of their round, and passed over.
//!
//! A summary is a claim about the writer's own objects: of the hub's pins it speaks only of those that the hub
//! has given to this link, and a pin is let go for this link alone. So who denies that it needs something loses
//! that, and who claims too much keeps what it has within its quota; a pin that was let go counts there until it is
//! given back. Nobody else's references depend on that, unless by objects of the liar, which it may drop as it
//! likes. Markers are obeyed by the side that has taken up the link, whose maker could just as well end it; a
//! maker is not stopped for a collection by those that it has made.

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
