//! Remote objects: links between processes, and references over them.
//!
//! - [`link`]: one end of a link; [`session`]: its messages; [`state`], [`outbox`]: what is under way.
//! - [`pins`]: what the peer refers to; [`remotes`]: what this process refers to.
//! - [`wire`], [`values`]: what messages hold.
//! - [`ask`]: asking; `answers`: what comes while nobody waits; [`serve`]: answering; [`context`]: on whose
//!   behalf; `batch`: many at once; [`probe`]: waits that can never end; [`leave`]: copies in the end.
//! - [`share`]: graphs that peers read in place; [`watch`]: telling of changes.
//! - [`cycles`]: garbage that several processes keep alive together.
//!
//! # What happens
//!
//! An object never leaves its process. The peer gets a number for it, and its host makes an object of
//! its own that stands for it. An operation on that one becomes a *request*: operation, number, and
//! arguments as words. The owner looks the number up, checks what the peer may do, and has its host
//! carry the operation out; the result goes back as an *answer*. What can't change is copied in both
//! directions; everything else is a reference, and a reference that comes back to where it is from is the
//! object itself.
//!
//! ```text
//!   parent                                         child
//!   ------                                         -----
//!   foo ──> (1 2 3 4)                              #<remote cons 1> ── remote: link, pin 1
//!              ^                                        |
//!              | pins: 1 -> the list, count 1           | (setcar it own)
//!              |                                        v
//!   serve <── request: write element 0 of pin 1, to "mine 7" <── own is pinned as 7
//!   the host sets the car to what it makes for "mine 7": #<remote cons 7>
//!   answer: nil ───────────────────────────────────────>
//! ```
//!
//! # Who writes what
//!
//! Each side writes its own ring and nothing else that the other one reads (see [`crate::shm`]). All
//! tables are private: [`pins`] (object, generation, rights, count), exports, and [`remotes`] (link,
//! the peer's number, references received, the host's object, weakly). A message is copied to private
//! memory before its first word is looked at; [`wire::Reader`] then hands out words, and any that is not
//! there, or makes no sense, ends the link with `RS_ERR_PEER`.
//!
//! # References are counted where they are received
//!
//! The owner counts each reference that it sends; the other side counts those that it has received
//! with each object that stands for one. When that object is gone, its count goes back in one release. So
//! no release can overtake a reference: one that is sent while the release is on its way is not in the
//! release's count, and keeps the pin. If it arrives after the object is gone, that is a new entry,
//! with a count of its own. Releases travel in the same ring as all else, in order. A message that
//! is refused, comes too late, or can't be read for want of memory, still had its references
//! counted by its sender: so they are given back one by one ([`values`]). A request that was never sent
//! takes its references back itself.
//!
//! Counts never find what two processes' objects keep alive in each other: that is what [`cycles`] is for. What
//! it lets go of is a pin that leads to nothing, as if the host had revoked it, until the peer gives it back.
//!
//! # Waiting
//!
//! A link is one thread on each side. Who waits for an answer serves: the answer may need it (a call back), and
//! if what arrives has nothing to do with it, the peer is inside of its own request and can't answer
//! before. Requests nest at most 64 deep. Nothing but a wait for an answer ever waits: a message
//! for which the ring has no room is queued, and goes out while the link waits or is served; a peer
//! that reads nothing runs into a limit. So an event loop that serves a link is never held up by it,
//! except by what its own host does in `operate`. A wait ends with the answer, at the deadline (which travels
//! with the request: the owner does not begin what nobody waits for), when the program cancels it, or with the
//! peer. The late answer is passed over.
//!
//! Requests that are made while one is carried out belong to its chain of calls, over whichever link they go,
//! and end no later ([`context`]). A thread that waits carries out what belongs to its chain over all of its
//! links, so a call that comes back by a third process is no deadlock; what belongs to other chains waits until
//! the host serves that link. If that leaves processes waiting for each other in a circle, one of them finds out
//! and fails ([`probe`]).
//!
//! # Reading without asking
//!
//! A graph that is shareable never changes: its owner publishes it as an image in sealed memory, once, and peers
//! read it in place ([`share`]). What may change can be watched: a peer keeps what it has read until it is told
//! that it was written ([`watch`]).
//!
//! # Death
//!
//! The channel sees a peer's end by its process and by its hanging up. Then all pins and exports of the link
//! are dropped, which is one table; what stands for the dead peer's objects stays, and fails at once. An
//! operation whose answer did not come is *not executed* if its request was still here, else *unknown*:
//! `rs_link_error` says which. A process killed at any instruction leaves its peer a ring that ends
//! with the last message that was published as a whole, and memory without a name, which is gone
//! with the last process that maps it.
//!
//! # Leaving
//!
//! Before it closes a link, a side may send copies of everything that the peer still refers to, as one
//! image, so that what was shared stays shared (*evacuation*). The peer makes ordinary objects of it, and its
//! host puts them where the references were. References to the peer's own objects come home with them.
//!
//! # Authority
//!
//! A peer may name what `rs_link_export` has given it, and what it has got by that, each with rights
//! that it inherits from where it was found. A number is only looked up in the table of the link that it
//! came over. Everything that a peer can make this side do, it pays for with its own quotas: pins,
//! depth, bytes on their way, steps of a path.

mod answers;
pub mod ask;
mod batch;
pub mod context;
pub mod cycles;
pub mod leave;
pub mod link;
mod outbox;
pub mod pins;
pub mod probe;
pub mod remotes;
pub mod serve;
pub mod session;
pub mod share;
mod state;
pub mod values;
pub mod watch;
pub mod wire;
