//! The images that a host holds by id.

use super::Vm;
use crate::graph::decode::decode;
use crate::graph::encode::{Limits, Root, encode};
use crate::graph::image::Image;
use crate::graph::validate::validate;
use crate::graph::words::Words;
use crate::host::contract::{rs_ractor, rs_value};
use crate::host::exchange::{RS_NO_REMOTE, rs_remote};
use crate::host::heap::address;
use crate::host::memory::{Vec, copied};
use crate::status::rs_status;

/// An image, which was validated or made here, and the host's values that it refers to.
pub struct KeptImage {
    words: Words,
    opaques: Vec<rs_value>,
    /// What stands for the root if it is a peer's; it is kept alive.
    root: rs_value,
    /// Its reference, or `RS_NO_REMOTE`.
    remote: rs_remote,
}

impl KeptImage {
    /// An image of this process's own.
    fn own(words: Vec<u64>, opaques: Vec<rs_value>) -> Self {
        KeptImage {
            words: Words::Own(words),
            opaques,
            root: 0,
            remote: RS_NO_REMOTE,
        }
    }

    /// An image of a peer's graph.
    #[cfg(vmshare_links)]
    pub fn of_peer(image: crate::remote::share::SharedImage, remote: rs_remote) -> Self {
        KeptImage {
            words: image.words,
            opaques: image.opaques,
            root: image.root,
            remote,
        }
    }

    /// Its words.
    pub fn words(&self) -> &[u64] {
        self.words.get()
    }

    /// The values that it refers to. They change when the host's collector moves objects.
    pub fn opaques(&self) -> &[rs_value] {
        &self.opaques
    }

    /// The reference to the root of a peer's graph.
    pub fn remote(&self) -> rs_remote {
        self.remote
    }

    /// Visits the place of every value that it refers to.
    pub fn for_each_root(&mut self, visit: &mut dyn FnMut(&mut rs_value)) {
        self.opaques.iter_mut().for_each(&mut *visit);
        if self.root != 0 {
            visit(&mut self.root);
        }
    }
}

impl Vm {
    /// See `rs_image_encode`.
    pub fn encode(
        &self,
        ractor: rs_ractor,
        root: rs_value,
        depth: u64,
        bytes: u64,
    ) -> Result<u64, rs_status> {
        self.call().expect_ractor(ractor)?;
        let heap = self.host.any_heap();
        let words = match bytes {
            0 => usize::MAX,
            bytes => usize::try_from(bytes / 8).unwrap_or(usize::MAX),
        };
        let encoded = encode(
            self.host.callbacks(),
            |value| address(&heap, value),
            Root::One(root),
            Limits { depth, words },
            self.host.allocator(),
        )?;
        self.keep_image(KeptImage::own(encoded.words, encoded.opaques))
    }

    /// See `rs_image_read`.
    pub fn take_image(&self, words: &[u64]) -> Result<u64, rs_status> {
        let allocator = self.host.allocator();
        let copy = copied(words, allocator)?;
        validate(&copy, allocator)?;
        self.keep_image(KeptImage::own(copy, Vec::new_in(allocator)))
    }

    /// Keeps an image; returns its id.
    pub fn keep_image(&self, image: KeptImage) -> Result<u64, rs_status> {
        self.images.add(image)
    }

    /// See `rs_image_decode`.
    pub fn decode(
        &self,
        ractor: rs_ractor,
        image: u64,
        opaques: Option<&[rs_value]>,
    ) -> Result<rs_value, rs_status> {
        self.call().expect_ractor(ractor)?;
        let kept = self.images.get(image)?;
        decode(
            self.host.callbacks(),
            self.host.roots(),
            Image::of_valid(kept.words()),
            opaques.unwrap_or(kept.opaques()),
            self.host.allocator(),
        )
    }
}
