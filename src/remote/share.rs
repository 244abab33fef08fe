//! Shareable graphs, published once and read in place by any number of peers.
//!
//! What is shareable never changes. So its owner encodes it once, into memory that nobody can write any more
//! ([`crate::shm::sealed`]), and a peer maps that, validates it, and reads it without asking. A peer
//! that wants to name an object inside of the image asks for the object at that place: the owner finds it by
//! encoding once more, which gives the same image, since nothing has changed. So there is one
//! identity for an object, whether the peer came to it by a reference or by an image.
//!
//! The peer keeps the reference to the root as long as it keeps the image; so the root is pinned,
//! and with it all that the image shows. The owner keeps what it has published until the root dies.
//!
//! Small graphs are not worth a descriptor, two system calls and a page: their image is sent as it is.

use super::ask::Asked;
use super::outbox::Tell;
use super::serve::Request;
use super::session::{ANSWER, Session};
use super::state::Message;
use super::values::{IMAGE, SEALED, Sent};
use super::wire::{Reader, Writer};
use crate::graph::encode::{Encoded, Limits, Root, locate};
use crate::graph::validate::validate;
use crate::graph::words::Words;
use crate::host::contract::rs_value;
use crate::host::exchange::rs_remote;
use crate::host::heap::address;
use crate::host::memory::{HostAllocator, Vec, bytes_of, copied, push, words_of};
use crate::shm::sealed::{SealedBytes, Unsealed};
use crate::status::*;
use crate::sync::lock;
use std::os::fd::{AsFd, OwnedFd};

/// The code of a request for the image of a shareable graph.
pub(super) const SHARE: u32 = 103;
/// The code of a request for the object whose node begins at word `index` of the image of the target.
pub(super) const LOCATE: u32 = 104;

/// Images of fewer words are sent as they are.
const SMALL: usize = 1 << 12;

/// Graphs that are published at a time; the oldest is forgotten, and encoded again when it is asked for.
const MOST: usize = 1 << 10;

/// The image of a peer's graph, and what it refers to.
pub struct SharedImage {
    /// Validated.
    pub words: Words,
    /// The values that it refers to.
    pub opaques: Vec<rs_value>,
    /// What stands here for the root.
    pub root: rs_value,
}

/// A graph of this process that peers may read.
struct Graph {
    /// Its root, weakly.
    root: rs_value,
    bytes: SealedBytes,
    /// What the image refers to. The root keeps it alive.
    opaques: Vec<rs_value>,
}

/// How the words of an image are sent.
enum Form {
    Inside(Vec<u64>),
    /// By a descriptor, and how many.
    Sealed(OwnedFd, u64),
}

/// An image to be sent, and what it refers to.
struct Sendable {
    form: Form,
    opaques: Vec<rs_value>,
}

impl Graph {
    fn sendable(&self, allocator: HostAllocator) -> Result<Sendable, rs_status> {
        let words = self.bytes.bytes().len() / size_of::<u64>();
        Ok(Sendable {
            form: Form::Sealed(self.bytes.duplicate()?, words as u64),
            opaques: copied(&self.opaques, allocator)?,
        })
    }
}

/// What this process has published.
pub struct Published {
    graphs: Vec<Graph>,
}

impl Published {
    /// Nothing.
    pub fn new(allocator: HostAllocator) -> Self {
        Published {
            graphs: Vec::new_in(allocator),
        }
    }

    /// Forgets graphs whose root is dead.
    pub fn sweep(&mut self, is_alive: &mut dyn FnMut(rs_value) -> bool) {
        self.graphs.retain(|graph| is_alive(graph.root));
    }

    /// Visits the place of every object that it knows. They are no roots.
    pub fn for_each_mut(&mut self, visit: &mut dyn FnMut(&mut rs_value)) {
        for graph in self.graphs.iter_mut() {
            visit(&mut graph.root);
            graph.opaques.iter_mut().for_each(&mut *visit);
        }
    }

    fn find(&self, root: rs_value) -> Option<&Graph> {
        self.graphs.iter().find(|graph| graph.root == root)
    }

    fn add(&mut self, graph: Graph) -> Result<(), rs_status> {
        if self.graphs.len() >= MOST {
            self.graphs.remove(0);
        }
        push(&mut self.graphs, graph)
    }
}

fn seal(words: &[u64]) -> Result<SealedBytes, rs_status> {
    let mut unsealed = Unsealed::new(size_of_val(words))?;
    unsealed.write(0, bytes_of(words))?;
    unsealed.seal()
}

impl Session<'_> {
    /// The image of what a reference leads to, which must be shareable.
    pub fn share(&self, remote: rs_remote) -> Result<SharedImage, rs_status> {
        let mut answer = self.ask_for_answer(remote, &Asked::new(SHARE))?;
        let descriptor = answer.descriptor.take();
        let image = self.while_reading(|| self.read_shared(&answer, descriptor, remote));
        self.stop_keeping(&answer);
        image.map_err(|status| self.reading_failed(status))
    }

    /// The object that a node of an image of a reference's target was made of.
    pub fn locate(&self, remote: rs_remote, node: u64) -> Result<rs_value, rs_status> {
        self.ask_and_wait(
            remote,
            &Asked {
                index: node,
                ..Asked::new(LOCATE)
            },
        )
    }

    fn read_shared(
        &self,
        answer: &Message,
        descriptor: Option<OwnedFd>,
        remote: rs_remote,
    ) -> Result<SharedImage, rs_status> {
        let mut from = Reader::new(words_of(&answer.bytes).ok_or(RS_ERR_PEER)?);
        from.words(2)?;
        let form = from.word()?;
        let count = from.word()? as usize;
        let inside = match form {
            IMAGE => Some(from.words(count)?),
            SEALED => None,
            _ => return Err(RS_ERR_PEER),
        };
        let opaques_count = from.count()?;
        let opaques = self.read_all_plain(opaques_count, &mut from)?;
        from.end()?;
        let allocator = self.link.allocator;
        let words = match (inside, descriptor) {
            (Some(inside), _) => Words::Own(copied(inside, allocator)?),
            (None, Some(descriptor)) => {
                let size = count.checked_mul(size_of::<u64>()).ok_or(RS_ERR_PEER)?;
                Words::Sealed(SealedBytes::adopt(descriptor, size)?)
            }
            (None, None) => return Err(RS_ERR_PEER),
        };
        let image = validate(words.get(), allocator).map_err(|status| match status {
            RS_ERR_IMAGE => RS_ERR_PEER,
            status => status,
        })?;
        if opaques_count < image.opaques_count() {
            return Err(RS_ERR_PEER);
        }
        let mut values = Vec::new_in(allocator);
        values
            .try_reserve_exact(opaques_count)
            .map_err(|_| RS_ERR_MEMORY)?;
        values.extend(opaques.iter().map(|value| value.get()));
        Ok(SharedImage {
            words,
            opaques: values,
            // Not before now: while it waits and makes values, the host may move objects.
            root: lock(self.remotes).get(remote)?.value,
        })
    }

    /// Answers a request for the image of an object.
    pub(super) fn reply_shared(
        &self,
        request: &Request<'_>,
        root: rs_value,
        rights: u32,
    ) -> Result<(), rs_status> {
        let mut sent = self.nothing_sent(0);
        let outcome = self.send_shared(request, root, rights, &mut sent);
        if outcome.is_err() {
            self.take_back(sent);
        }
        match outcome {
            // There is no room for a descriptor just now.
            Err(RS_BUSY) => Err(RS_ERR_LIMIT),
            outcome => outcome,
        }
    }

    fn send_shared(
        &self,
        request: &Request<'_>,
        root: rs_value,
        rights: u32,
        sent: &mut Sent,
    ) -> Result<(), rs_status> {
        if !self.around.is_shareable(root) {
            return Err(RS_ERR_UNSUPPORTED);
        }
        let image = self.sendable(root)?;
        let mut message = Writer::new(self.link.allocator);
        message.words(&[request.serial, RS_OK as u64])?;
        match &image.form {
            Form::Inside(words) => {
                message.words(&[IMAGE, words.len() as u64])?;
                message.words(words)?;
            }
            Form::Sealed(_, words) => message.words(&[SEALED, *words])?,
        }
        self.write_references(&mut message, sent, &image.opaques, rights)?;
        match image.form {
            Form::Inside(_) => self.answer_with(&mut message, Tell::Now),
            Form::Sealed(descriptor, _) => self.send_descriptor(&message, descriptor),
        }
    }

    /// The image of a shareable graph, which is published now if it was not before and is large.
    fn sendable(&self, root: rs_value) -> Result<Sendable, rs_status> {
        let allocator = self.link.allocator;
        if let Some(graph) = lock(self.published).find(root) {
            return graph.sendable(allocator);
        }
        let Encoded { words, opaques } = self.encode(Root::One(root), Limits::NONE)?;
        if words.len() < SMALL {
            let form = Form::Inside(words);
            return Ok(Sendable { form, opaques });
        }
        let graph = Graph {
            root,
            bytes: seal(&words)?,
            opaques,
        };
        let sendable = graph.sendable(allocator)?;
        lock(self.published).add(graph)?;
        Ok(sendable)
    }

    fn send_descriptor(&self, message: &Writer, descriptor: OwnedFd) -> Result<(), rs_status> {
        let outcome = {
            let mut state = self.state();
            state.send_with_descriptor(ANSWER, message, descriptor.as_fd())
        };
        outcome.map_err(|status| self.channel_failed(status))
    }

    /// The object whose node begins at a word of the image of a shareable graph.
    pub(super) fn located(&self, root: rs_value, node: u64) -> Result<rs_value, rs_status> {
        if !self.around.is_shareable(root) {
            return Err(RS_ERR_UNSUPPORTED);
        }
        let node = usize::try_from(node).map_err(|_| RS_ERR_ARGUMENT)?;
        let heap = self.host.any_heap();
        let address = |value| address(&heap, value);
        let allocator = self.link.allocator;
        locate(self.callbacks(), address, root, node, allocator)?.ok_or(RS_ERR_ARGUMENT)
    }
}
