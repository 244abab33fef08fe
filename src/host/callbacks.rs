//! The host's callbacks, with their defaults, as Rust functions.

use super::contract::{
    RS_NO_RACTOR, RS_SHARE_BUSY, RS_SHARE_NO, RS_SHARE_YES, rs_host, rs_layout, rs_ractor, rs_site,
    rs_slot, rs_value, rs_visitor,
};
use super::exchange::{rs_link, rs_operation, rs_remote};
use super::heap::{Object, Scanned};
use super::item::rs_item;
use super::report::rs_report;
use super::text::{self, TextBuffer};
use crate::status::{RS_ERR_HOST, RS_ERR_UNSUPPORTED, RS_MORE, RS_OK, rs_status};
use core::ffi::{CStr, c_char};
use core::fmt::Write;
use core::mem::MaybeUninit;

/// Children that a `children` callback can hand in at a time.
pub const VISITOR_ROOM: usize = 128;

/// An unknown position.
pub const NO_SITE: rs_site = rs_site {
    file: core::ptr::null(),
    line: 0,
    column: 0,
};

/// The file of a position that has one.
pub fn site_file(site: &rs_site) -> &CStr {
    if site.file.is_null() {
        return c"";
    }
    // SAFETY: the contract of `rs_site`: a C string that lives as long as the vm.
    unsafe { CStr::from_ptr(site.file) }
}

/// The name that a layout gives to its objects.
fn layout_name(layout: &rs_layout) -> Option<&CStr> {
    if layout.name.is_null() {
        return None;
    }
    // SAFETY: the contract of `rs_layout`: a static C string.
    Some(unsafe { CStr::from_ptr(layout.name) })
}

/// The callbacks of a host.
///
/// The one contract behind every call in this file: the functions are the host's own, called with
/// its own `ctx`, from the threads and at the times that `rs_host` documents.
pub struct Callbacks {
    host: rs_host,
}

// SAFETY: the contract names the callbacks that several threads may call; `ctx` is the host's
// affair.
unsafe impl Send for Callbacks {}
// SAFETY: as above.
unsafe impl Sync for Callbacks {}

impl Callbacks {
    /// The callbacks of `host`.
    pub fn new(host: rs_host) -> Self {
        Callbacks { host }
    }

    /// What the host said of itself.
    pub fn host(&self) -> &rs_host {
        &self.host
    }

    /// Whether an object can be shared; an answer that is none counts as no.
    pub fn can_share(&self, object: Object) -> u32 {
        let Some(can_share) = self.host.can_share else {
            return RS_SHARE_YES;
        };
        // SAFETY: see the type.
        match unsafe { can_share(self.host.ctx, object.0) } {
            answer @ RS_SHARE_YES..=RS_SHARE_BUSY => answer,
            _ => RS_SHARE_NO,
        }
    }

    /// Visits children of an object through the host, from a cursor on, until at least `limit` are
    /// visited or there are no more.
    pub fn children<V: FnMut(rs_value)>(
        &self,
        object: Object,
        cursor: u64,
        limit: usize,
        mut visit: V,
    ) -> Result<Scanned, rs_status> {
        let Some(children) = self.host.children else {
            return Ok(Scanned::All);
        };
        let mut buffer = [const { MaybeUninit::uninit() }; VISITOR_ROOM];
        let mut cursor = cursor;
        let mut visited = 0;
        loop {
            let start: *mut rs_value = buffer.as_mut_ptr().cast();
            let mut visitor = rs_visitor {
                next: start,
                // SAFETY: one past the end of the array.
                limit: unsafe { start.add(VISITOR_ROOM) },
                cursor,
                dropped: 0,
            };
            // SAFETY: see the type; the visitor lives until the callback returns.
            let status = unsafe { children(self.host.ctx, object.0, &mut visitor) };
            let count =
                (visitor.next as usize).wrapping_sub(start as usize) / size_of::<rs_value>();
            if count > VISITOR_ROOM || visitor.dropped != 0 {
                return Err(RS_ERR_HOST);
            }
            for value in &buffer[..count] {
                // SAFETY: the host wrote `count` values.
                visit(unsafe { value.assume_init() });
            }
            visited += count;
            match status {
                RS_OK => return Ok(Scanned::All),
                RS_MORE if visitor.cursor == cursor => return Err(RS_ERR_HOST),
                RS_MORE if visited >= limit => return Ok(Scanned::Upto(visitor.cursor)),
                RS_MORE => cursor = visitor.cursor,
                _ => return Err(RS_ERR_HOST),
            }
        }
    }

    /// Lets the host write all children of an object between `place` and `end`, which are at least
    /// [`VISITOR_ROOM`] words; returns where they end. None if they do not fit, or if the host
    /// broke its contract: [`children`](Callbacks::children) finds out which.
    ///
    /// # Safety
    /// What lies between `place` and `end` can be written.
    #[inline(always)]
    pub unsafe fn all_children(
        &self,
        object: Object,
        place: *mut rs_value,
        end: *mut rs_value,
    ) -> Option<*mut rs_value> {
        let Some(children) = self.host.children else {
            return Some(place);
        };
        let mut visitor = rs_visitor {
            next: place,
            limit: end,
            cursor: 0,
            dropped: 0,
        };
        // SAFETY: see the type; the visitor lives until the callback returns.
        let status = unsafe { children(self.host.ctx, object.0, &mut visitor) };
        let in_place = (place..=end).contains(&visitor.next);
        (status == RS_OK && in_place && visitor.dropped == 0).then_some(visitor.next)
    }

    /// Makes the object that stands for a peer's.
    pub fn make_remote(
        &self,
        link: rs_link,
        remote: rs_remote,
        item: &rs_item,
    ) -> Result<rs_value, rs_status> {
        let make_remote = self.host.make_remote.ok_or(RS_ERR_UNSUPPORTED)?;
        let mut value = 0;
        // SAFETY: see the type; item and value live until the callback returns.
        match unsafe { make_remote(self.host.ctx, link, remote, item, &mut value) } {
            RS_OK if value != 0 => Ok(value),
            status if status < RS_OK => Err(status),
            _ => Err(RS_ERR_HOST),
        }
    }

    /// Carries out an operation for a peer; returns what the host says, and the result.
    pub fn operate(
        &self,
        link: rs_link,
        target: rs_value,
        operation: &rs_operation,
    ) -> (rs_status, rs_value) {
        let Some(operate) = self.host.operate else {
            return (RS_ERR_UNSUPPORTED, 0);
        };
        let mut result = 0;
        // SAFETY: see the type; operation and result live until the callback returns.
        let status = unsafe { operate(self.host.ctx, link, target, operation, &mut result) };
        (status, result)
    }

    /// Whether the host can say that it wants to wait no longer.
    pub fn can_be_cancelled(&self) -> bool {
        self.host.is_cancelled.is_some()
    }

    /// Whether the program wants to wait no longer.
    pub fn is_cancelled(&self, link: rs_link) -> bool {
        match self.host.is_cancelled {
            // SAFETY: see the type.
            Some(is_cancelled) => unsafe { is_cancelled(self.host.ctx, link) != 0 },
            None => false,
        }
    }

    /// A remote object stands for an ordinary one from now on.
    pub fn replace_remote(&self, remote: rs_value, value: rs_value) -> Result<(), rs_status> {
        let Some(replace_remote) = self.host.replace_remote else {
            return Ok(());
        };
        // SAFETY: see the type.
        match unsafe { replace_remote(self.host.ctx, remote, value) } {
            RS_OK => Ok(()),
            _ => Err(RS_ERR_HOST),
        }
    }

    /// Has the host collect, with a summary in the middle.
    pub fn collect(&self) -> Result<(), rs_status> {
        let collect = self.host.collect.ok_or(RS_ERR_UNSUPPORTED)?;
        // SAFETY: see the type.
        match unsafe { collect(self.host.ctx) } {
            RS_OK => Ok(()),
            status if status < RS_OK => Err(status),
            _ => Err(RS_ERR_HOST),
        }
    }

    /// Whether the host can tell what refers to what, and collects when it is asked to.
    pub fn can_summarise(&self) -> bool {
        let tells = self.host.layouts_count != 0 || self.host.children.is_some();
        tells && self.host.collect.is_some()
    }

    /// What a remote object stands for was written.
    pub fn on_change(&self, link: rs_link, remote: rs_value) {
        if let Some(on_change) = self.host.on_change {
            // SAFETY: see the type.
            unsafe { on_change(self.host.ctx, link, remote) };
        }
    }

    /// Lets the host make an object ready to be shared.
    pub fn prepare(&self, object: Object) -> rs_status {
        match self.host.prepare {
            // SAFETY: see the type.
            Some(prepare) => unsafe { prepare(self.host.ctx, object.0) },
            None => RS_OK,
        }
    }

    /// An object is becoming shareable.
    pub fn commit(&self, object: Object) {
        if let Some(commit) = self.host.commit {
            // SAFETY: see the type.
            unsafe { commit(self.host.ctx, object.0) };
        }
    }

    /// Whether the host wants to know of marks.
    pub fn wants_marks(&self) -> bool {
        self.host.on_mark.is_some()
    }

    /// AUTOSHARE was set.
    pub fn on_mark(&self, object: Object) {
        if let Some(on_mark) = self.host.on_mark {
            // SAFETY: see the type.
            unsafe { on_mark(self.host.ctx, object.0) };
        }
    }

    /// AUTOSHARE was cleared.
    pub fn on_unmark(&self, object: Object) {
        if let Some(on_unmark) = self.host.on_unmark {
            // SAFETY: see the type.
            unsafe { on_unmark(self.host.ctx, object.0) };
        }
    }

    /// A slot's value changed its state.
    pub fn on_transition(&self, slot: rs_slot, value: rs_value, state: u32) {
        if let Some(on_transition) = self.host.on_transition {
            // SAFETY: see the type.
            unsafe { on_transition(self.host.ctx, slot, value, state) };
        }
    }

    /// A piece of a walk is done: a collector may stop the thread here.
    pub fn safepoint(&self) {
        self.plain(self.host.safepoint);
    }

    /// Waits by `wait`, of which the host's collector knows.
    pub fn blocking<R>(&self, wait: impl FnOnce() -> R) -> R {
        self.plain(self.host.blocking_enter);
        let result = wait();
        self.plain(self.host.blocking_leave);
        result
    }

    /// Stops all other threads of the host.
    pub fn stop_world(&self) {
        self.plain(self.host.stop_world);
    }

    /// Lets them go on.
    pub fn resume_world(&self) {
        self.plain(self.host.resume_world);
    }

    fn plain(&self, callback: super::contract::rs_plain_fn) {
        if let Some(callback) = callback {
            // SAFETY: see the type.
            unsafe { callback(self.host.ctx) };
        }
    }

    /// The ractor of the calling thread, if the host can tell.
    pub fn current_ractor(&self) -> rs_ractor {
        match self.host.current_ractor {
            // SAFETY: see the type.
            Some(current_ractor) => unsafe { current_ractor(self.host.ctx) },
            None => RS_NO_RACTOR,
        }
    }

    /// Where the calling thread's program stands.
    pub fn site(&self) -> rs_site {
        let mut site = NO_SITE;
        if let Some(fill) = self.host.site {
            // SAFETY: see the type.
            unsafe { fill(self.host.ctx, &mut site) };
        }
        site
    }

    /// Writes what an object is: the host's words, or the name of its layout, or just "object".
    pub fn describe(&self, object: Object, layout: &rs_layout, array: &mut [c_char]) {
        let room = array.len() - 1;
        array.fill(0);
        let Some(describe) = self.host.describe else {
            let name = layout_name(layout).map_or(&b"object"[..], CStr::to_bytes);
            return text::set(array, name);
        };
        // SAFETY: see the type; the array has `room` bytes and one for the NUL.
        let length = unsafe { describe(self.host.ctx, object.0, array.as_mut_ptr(), room) };
        array[length.min(room)] = 0;
    }

    /// Writes the step from an object to one of its children.
    pub fn label(&self, object: Object, index: u64, previous: rs_value, array: &mut [c_char]) {
        let room = array.len() - 1;
        array.fill(0);
        let length = match self.host.label {
            // SAFETY: see the type; the array has `room` bytes and one for the NUL.
            Some(label) => unsafe {
                label(
                    self.host.ctx,
                    object.0,
                    index,
                    previous,
                    array.as_mut_ptr(),
                    room,
                )
            },
            None => 0,
        };
        array[length.min(room)] = 0;
        if length == 0 {
            // A text buffer never fails: it cuts.
            let _ = write!(TextBuffer::new(array), "[{index}]");
        }
    }

    /// A hash of what an object holds besides its children.
    pub fn content_hash(&self, object: Object) -> u64 {
        match self.host.content_hash {
            // SAFETY: see the type.
            Some(content_hash) => unsafe { content_hash(self.host.ctx, object.0) },
            None => 0,
        }
    }

    /// Tells of a report that no caller asked for.
    pub fn warn(&self, report: &rs_report) {
        if let Some(warn) = self.host.warn {
            // SAFETY: see the type; the report lives until the callback returns.
            unsafe { warn(self.host.ctx, report) };
        }
    }

    /// The library failed inside.
    pub fn fatal(&self, message: &CStr) {
        if let Some(fatal) = self.host.fatal {
            // SAFETY: see the type; the text is static.
            unsafe { fatal(self.host.ctx, message.as_ptr()) };
        }
    }
}
