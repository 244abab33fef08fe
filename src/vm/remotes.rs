//! Calls over the links of a vm, by what they are about: an object of a peer.

use super::Vm;
use super::images::KeptImage;
use crate::graph::image::{Meaning, Word};
use crate::host::contract::rs_value;
use crate::host::exchange::*;
use crate::status::*;
use crate::sync::lock;

impl Vm {
    /// See `rs_remote_request`.
    pub fn remote_request(
        &self,
        link: rs_link,
        remote: rs_remote,
        operation: &rs_operation,
    ) -> Result<rs_value, rs_status> {
        let using = self.link(link)?;
        self.session(&using).request(remote, operation)
    }

    /// See `rs_remote_begin`.
    pub fn remote_begin(
        &self,
        link: rs_link,
        remote: rs_remote,
        operation: &rs_operation,
    ) -> Result<u64, rs_status> {
        let using = self.link(link)?;
        self.session(&using).begin(remote, operation)
    }

    /// See `rs_remote_finish`.
    pub fn remote_finish(
        &self,
        link: rs_link,
        request: u64,
        waits: bool,
    ) -> Result<Option<rs_value>, rs_status> {
        let using = self.link(link)?;
        let session = self.session(&using);
        match waits {
            true => session.finish(request).map(Some),
            false => session.poll(request),
        }
    }

    /// See `rs_remote_forget`.
    pub fn remote_forget(&self, link: rs_link, request: u64) -> Result<(), rs_status> {
        let using = self.link(link)?;
        self.session(&using).forget(request)
    }

    /// See `rs_remote_batch`.
    pub fn remote_batch(
        &self,
        link: rs_link,
        entries: &mut [rs_batch_entry],
        timeout: u64,
    ) -> Result<(), rs_status> {
        let using = self.link(link)?;
        self.session(&using).batch(entries, timeout)
    }

    /// See `rs_remote_path`.
    pub fn remote_path(&self, remote: rs_remote, steps: &[u64]) -> Result<rs_value, rs_status> {
        let using = self.link(self.remote_link(remote)?)?;
        self.session(&using).follow(remote, steps)
    }

    /// See `rs_remote_copy`.
    pub fn remote_copy(
        &self,
        remote: rs_remote,
        depth: u64,
        bytes: u64,
    ) -> Result<rs_value, rs_status> {
        let using = self.link(self.remote_link(remote)?)?;
        self.session(&using).copy(remote, depth, bytes)
    }

    /// See `rs_remote_share`.
    pub fn remote_share(&self, remote: rs_remote) -> Result<u64, rs_status> {
        let using = self.link(self.remote_link(remote)?)?;
        let image = self.session(&using).share(remote)?;
        self.keep_image(KeptImage::of_peer(image, remote))
    }

    /// See `rs_image_object`.
    pub fn image_object(&self, image: u64, node: u64) -> Result<rs_value, rs_status> {
        let remote = self.images().get(image)?.remote();
        if remote == RS_NO_REMOTE {
            return Err(RS_ERR_UNSUPPORTED);
        }
        let Some(Meaning::Node(node)) = Word(node).meaning() else {
            return Err(RS_ERR_ARGUMENT);
        };
        let using = self.link(self.remote_link(remote)?)?;
        self.session(&using).locate(remote, node as u64)
    }

    /// See `rs_remote_link`.
    pub fn remote_link(&self, remote: rs_remote) -> Result<rs_link, rs_status> {
        lock(&self.links.remotes)
            .get(remote)
            .map(|remote| remote.link)
    }

    /// See `rs_remote_release`.
    pub fn remote_release(&self, remote: rs_remote) -> Result<(), rs_status> {
        lock(&self.links.remotes).release(remote)
    }

    /// See `rs_remote_watch`.
    pub fn remote_watch(&self, remote: rs_remote) -> Result<(), rs_status> {
        let using = self.link(self.remote_link(remote)?)?;
        self.session(&using).watch(remote)
    }
}
