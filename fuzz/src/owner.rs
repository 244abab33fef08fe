//! An honest end of a link, which does what the script says, and its peer, which does it too.

use crate::items::{Content, Host, Moment, NIL, content, is_object, small};
use crate::liar::{Liar, RING};
use crate::messages;
use crate::requests::ask;
use crate::script::Script;
use std::cell::{Cell, RefCell};
use std::ffi::{CString, c_void};
use std::os::fd::IntoRawFd;
use std::rc::Rc;
use vmshare::ffi::autoshare::rs_make_shareable;
use vmshare::ffi::cycles::{rs_cycles_begin, rs_cycles_finish};
use vmshare::ffi::gc::{rs_gc_summarise, rs_gc_sweep, rs_gc_visit_roots};
use vmshare::ffi::graph::rs_limits;
use vmshare::ffi::link::*;
use vmshare::ffi::remote::*;
use vmshare::host::contract::{rs_value, rs_visitor};
use vmshare::host::exchange::*;
use vmshare::host::item::RS_ITEM_BY_VALUE;
use vmshare::shm::segment::{End, Segment};
use vmshare::shm::socket::Socket;
use vmshare::status::*;

/// Nanoseconds that anything waits.
const SHORTLY: u64 = 100_000;

pub struct Owner {
    pub liar: Rc<Liar>,
    host: Box<Host>,
    link: rs_link,
    values: [rs_value; 6],
    requests: RefCell<Vec<u64>>,
    is_closed: Cell<bool>,
}

fn echo(host: &Host, link: rs_link, arguments: &[rs_value]) -> Result<rs_value, rs_status> {
    let Some(&first) = arguments.first() else {
        return Err(host.raise(link, c"arguments", c"too few"));
    };
    // What it is given may be called, inside of the call.
    if is_object(first)
        && let Content::Remote(remote, _) = content(first)
    {
        let operation = operation(RS_CALL, "", 0, &arguments[1..]);
        let mut result = 0;
        // SAFETY: valid pointers.
        let status = unsafe { rs_remote_request(host.vm, link, remote, &operation, &mut result) };
        return if status == RS_OK {
            Ok(result)
        } else {
            Err(status.min(RS_ERR_HOST))
        };
    }
    Ok(first)
}

/// What an object refers to, as much as there is room for.
unsafe extern "C" fn children(
    _: *mut c_void,
    value: rs_value,
    visitor: *mut rs_visitor,
) -> rs_status {
    let elements = match content(value) {
        Content::Cons(elements) => elements.to_vec(),
        Content::Vector(elements) | Content::Map(_, elements) | Content::Record(_, elements) => {
            elements
        }
        _ => Vec::new(),
    };
    // SAFETY: the library's pointers: there is room up to the limit.
    unsafe {
        let visitor = &mut *visitor;
        for element in &elements[visitor.cursor as usize..] {
            if visitor.next == visitor.limit {
                return RS_MORE;
            }
            visitor.next.write(*element);
            visitor.next = visitor.next.add(1);
            visitor.cursor += 1;
        }
    }
    RS_OK
}

/// A collection that finds half of all objects dead, and frees none.
unsafe extern "C" fn collect(ctx: *mut c_void) -> rs_status {
    unsafe extern "C" fn is_alive(_: *mut c_void, value: rs_value) -> u32 {
        u32::from(value >> 5 & 1 == 0)
    }
    // SAFETY: the ctx is the host; a collector's call, from the only thread.
    unsafe { rs_gc_summarise((*ctx.cast::<Host>()).vm, Some(is_alive), ctx) }
}

fn operation(code: u32, name: &str, index: u64, arguments: &[rs_value]) -> rs_operation {
    rs_operation {
        name: name.as_ptr().cast(),
        name_length: name.len() as u64,
        index,
        arguments: arguments.as_ptr(),
        arguments_count: arguments.len() as u64,
        ..rs_operation::new(code)
    }
}

impl Owner {
    pub fn new(script: &Rc<Script>) -> Owner {
        let host = Host::with(true, |data| {
            data.children = Some(children);
            data.collect = Some(collect);
        });
        let options = rs_link_options {
            size: size_of::<rs_link_options>() as u32,
            flags: script.below(2) as u32 * RS_LINK_OPEN,
            ring_bytes: RING as u64,
            pins: 20,
            timeout: SHORTLY,
            message_bytes: 0,
        };
        let (link, liar) = match script.below(2) {
            0 => make(&host, &options),
            _ => join(&host, &options),
        };
        let liar = Rc::new(liar);
        if script.below(8) != 0 {
            liar.greet();
        }
        let cons = host.make(Content::Cons([small(1), NIL]));
        let map = host.make(Content::Map(0, vec![small(1), cons]));
        let vector = host.make(Content::Vector(vec![cons, map, cons, NIL, small(3)]));
        let function = host.function(echo);
        let text = host.make(Content::Text(RS_ITEM_BY_VALUE, vec![7; RING]));
        let shareable = host.make(Content::Vector(vec![small(1), NIL, NIL]));
        // SAFETY: the host's own vm and object.
        let status = unsafe { rs_make_shareable(host.vm, host.main, shareable) };
        assert_eq!(status, RS_OK);
        let owner = Owner {
            liar,
            host,
            link,
            values: [cons, map, vector, function, shareable, text],
            requests: RefCell::new(Vec::new()),
            is_closed: Cell::new(false),
        };
        for (name, value) in [
            ("cons", cons),
            ("map", map),
            ("vector", vector),
            ("echo", function),
            ("shareable", shareable),
            ("text", text),
        ] {
            owner.export(name, value, RS_CAN_ALL);
        }
        if script.below(4) != 0 {
            owner.get_acquainted();
        }
        if script.below(2) == 1 {
            owner.let_liar_interrupt(script);
        }
        owner
    }

    /// Each side refers to an object of the other.
    fn get_acquainted(&self) {
        self.liar.lend_an_object(RS_WRITE_ELEMENT, "cons");
        self.liar.lend_an_object(RS_CALL, "echo");
        // SAFETY: any id may be given.
        unsafe { rs_link_serve(self.host.vm, self.link, 0) };
        self.liar.read();
    }

    /// The peer acts in the middle of this end's calls too.
    fn let_liar_interrupt(&self, script: &Rc<Script>) {
        let (liar, script) = (self.liar.clone(), script.clone());
        *self.host.observer.borrow_mut() = Some(Box::new(move |moment| match moment {
            _ if script.is_over() => {}
            Moment::Waits => liar.respond(&script),
            _ if script.below(4) == 1 => liar.act(&script),
            _ => {}
        }));
    }

    pub fn is_closed(&self) -> bool {
        self.is_closed.get()
    }

    fn value(&self, script: &Script) -> rs_value {
        match script.below(8) {
            0..4 => self.values[script.below(6)],
            4 => small(i64::from(script.byte())),
            5 => self.remotes().last().map_or(NIL, |(value, _)| *value),
            6 => self.host.make(Content::Text(0, script.bytes(100))),
            _ => self.host.make(Content::Cons([NIL, self.values[0]])),
        }
    }

    /// What stands for the peer's objects.
    fn remotes(&self) -> Vec<(rs_value, rs_remote)> {
        let remote = |value| match content(value) {
            Content::Remote(remote, _) => Some((value, remote)),
            _ => None,
        };
        self.host.values().into_iter().filter_map(remote).collect()
    }

    fn remote(&self, script: &Script) -> rs_remote {
        let remotes = self.remotes();
        let known = script.pick(&remotes).map(|(_, remote)| remote);
        match script.below(4) {
            0 => RS_NO_REMOTE,
            1 if known.is_none() => script.word(),
            _ => known.unwrap_or(RS_NO_REMOTE),
        }
    }

    /// Does one thing.
    pub fn act(&self, script: &Script) {
        let status = match script.below(20) {
            0..4 => self.serve(script),
            4 => self.wait(),
            5 | 6 => self.begin(script),
            7 => self.finish(script),
            8 => self.request(script),
            9 => self.copy(script),
            10 => self.follow(script),
            11 => self.collect(script),
            12 => self.export_or_revoke(script),
            13 => self.run_short(script),
            14 => self.forget(script),
            15 | 16 => self.share(script),
            17 => self.watch(script),
            18 => self.round(script),
            _ => match script.below(4) {
                0 => self.close(script.below(4) as u32),
                _ => self.descriptor(),
            },
        };
        if matches!(status, RS_ERR_PEER | RS_ERR_DEAD) && !self.is_closed() {
            self.expect_nothing_pinned_if_ended();
        }
    }

    fn serve(&self, script: &Script) -> rs_status {
        let budget = [0, 1, SHORTLY][script.below(3)];
        // SAFETY: any id may be given.
        unsafe { rs_link_serve(self.host.vm, self.link, budget) }
    }

    fn wait(&self) -> rs_status {
        // SAFETY: any id may be given.
        unsafe { rs_link_wait(self.host.vm, self.link, SHORTLY) }
    }

    fn descriptor(&self) -> rs_status {
        let mut descriptor = -1;
        // SAFETY: a valid pointer.
        unsafe { rs_link_fd(self.host.vm, self.link, &mut descriptor) }
    }

    fn with_operation(
        &self,
        script: &Script,
        ask: impl FnOnce(rs_remote, &rs_operation) -> rs_status,
    ) -> rs_status {
        let arguments: Vec<rs_value> = (0..script.below(4)).map(|_| self.value(script)).collect();
        let name = messages::NAMES[script.below(messages::NAMES.len())];
        let mut operation = operation(messages::code(script), name, script.number(), &arguments);
        operation.flags = u32::from(script.below(4) == 0) * RS_REQUEST_MORE;
        ask(self.remote(script), &operation)
    }

    fn begin(&self, script: &Script) -> rs_status {
        self.with_operation(script, |remote, operation| {
            let mut request = 0;
            // SAFETY: valid pointers.
            let status = unsafe {
                rs_remote_begin(self.host.vm, self.link, remote, operation, &mut request)
            };
            if status == RS_OK {
                self.requests.borrow_mut().push(request);
            }
            status
        })
    }

    fn finish(&self, script: &Script) -> rs_status {
        let request = script.pick(&self.requests.borrow()).unwrap_or(0);
        let mut result = 0;
        let waits = script.below(2) as u32;
        // SAFETY: valid pointers.
        unsafe { rs_remote_finish(self.host.vm, self.link, request, waits, &mut result) }
    }

    fn forget(&self, script: &Script) -> rs_status {
        let request = script.pick(&self.requests.borrow()).unwrap_or(0);
        // SAFETY: any number may be given.
        unsafe { rs_remote_forget(self.host.vm, self.link, request) }
    }

    fn request(&self, script: &Script) -> rs_status {
        let (vm, link) = (self.host.vm, self.link);
        let count = script.below(6);
        self.with_operation(script, |remote, operation| {
            ask(vm, link, remote, operation, count, SHORTLY)
        })
    }

    fn copy(&self, script: &Script) -> rs_status {
        let limits = rs_limits {
            depth: script.number(),
            bytes: script.number(),
        };
        let mut value = 0;
        // SAFETY: valid pointers.
        unsafe { rs_remote_copy(self.host.vm, self.remote(script), &limits, &mut value) }
    }

    fn follow(&self, script: &Script) -> rs_status {
        let steps: Vec<u64> = (0..script.below(5)).map(|_| script.number()).collect();
        let (vm, remote, mut value) = (self.host.vm, self.remote(script), 0);
        // SAFETY: valid pointers.
        unsafe { rs_remote_path(vm, remote, steps.as_ptr(), steps.len(), &mut value) }
    }

    /// Asks to be told of a change, or tells of one.
    fn watch(&self, script: &Script) -> rs_status {
        let vm = self.host.vm;
        // SAFETY: any id and value of the host may be given.
        unsafe {
            match script.below(2) {
                0 => rs_remote_watch(vm, self.remote(script)),
                _ => rs_link_changed(vm, self.values[script.below(6)]),
            }
        }
    }

    /// Looks for garbage that both keep alive in each other.
    fn round(&self, script: &Script) -> rs_status {
        let (vm, main, mut count) = (self.host.vm, self.host.main, 0);
        // SAFETY: a valid pointer.
        unsafe {
            match script.below(2) {
                0 => rs_cycles_begin(vm, main, SHORTLY),
                _ => rs_cycles_finish(vm, main, script.below(2) as u32, &mut count),
            }
        }
    }

    /// Opens an image, and asks for an object of it.
    fn share(&self, script: &Script) -> rs_status {
        let (vm, mut image, mut value) = (self.host.vm, 0, 0);
        // SAFETY: valid pointers.
        unsafe {
            let status = rs_remote_share(vm, self.remote(script), &mut image);
            if status != RS_OK {
                return status;
            }
            let words = self.host.words(image);
            let node = words[script.below(words.len())];
            let status = rs_image_object(vm, image, node, &mut value);
            assert_eq!(self.host.free(image), RS_OK);
            status
        }
    }

    /// Some of what stands for the peer's objects is gone.
    fn collect(&self, script: &Script) -> rs_status {
        unsafe extern "C" fn is_alive(mask: *mut c_void, value: rs_value) -> u32 {
            // SAFETY: the mask of the call below.
            u32::from(value >> 4 & unsafe { *mask.cast::<usize>() } != 0)
        }
        if script.below(2) == 0 {
            // SAFETY: any id may be given.
            return unsafe { rs_remote_release(self.host.vm, self.remote(script)) };
        }
        let mut mask = usize::from(script.byte());
        // SAFETY: the mask lives during the call.
        unsafe { rs_gc_sweep(self.host.vm, Some(is_alive), (&raw mut mask).cast()) }
    }

    fn export_or_revoke(&self, script: &Script) -> rs_status {
        let value = self.values[script.below(6)];
        match script.below(2) {
            // SAFETY: any value may be given.
            0 => unsafe { rs_link_revoke(self.host.vm, self.link, value) },
            _ => {
                let name = messages::NAMES[script.below(messages::NAMES.len())];
                self.export(name, value, script.below(8) as u32)
            }
        }
    }

    fn export(&self, name: &str, value: rs_value, rights: u32) -> rs_status {
        let name = CString::new(name).unwrap();
        // SAFETY: a C string.
        unsafe { rs_link_export(self.host.vm, self.link, name.as_ptr(), value, rights) }
    }

    /// One of the next allocations fails.
    fn run_short(&self, script: &Script) -> rs_status {
        self.host.fails_once.set(true);
        self.host.allocations_left.set(script.below(8) as i64);
        RS_OK
    }

    fn close(&self, flags: u32) -> rs_status {
        self.is_closed.set(true);
        // SAFETY: any id may be given.
        unsafe { rs_link_close(self.host.vm, self.link, flags, SHORTLY) }
    }

    /// A link that has ended keeps nothing alive.
    fn expect_nothing_pinned_if_ended(&self) {
        // SAFETY: any id may be given.
        let served = unsafe { rs_link_serve(self.host.vm, self.link, 1) };
        if matches!(served, RS_ERR_PEER | RS_ERR_DEAD) {
            assert_eq!(self.pins(), 0);
        }
    }

    fn pins(&self) -> u64 {
        let mut counts = rs_link_statistics {
            size: size_of::<rs_link_statistics>() as u32,
            ..rs_link_statistics::default()
        };
        // SAFETY: a valid pointer.
        let status = unsafe { rs_link_counts(self.host.vm, self.link, &mut counts) };
        assert_eq!(status, RS_OK);
        counts.pins
    }

    /// Whatever has happened, nothing is left of the link.
    pub fn end(self) {
        self.host.allocations_left.set(-1);
        *self.host.observer.borrow_mut() = None;
        if !self.is_closed() {
            assert_eq!(self.close(0), RS_OK);
        }
        assert_eq!(roots(&self.host), 0);
    }
}

/// How many objects the library keeps alive.
fn roots(host: &Host) -> u64 {
    unsafe extern "C" fn visit(count: *mut c_void, _value: rs_value) {
        // SAFETY: the count of the call below.
        unsafe { *count.cast::<u64>() += 1 };
    }
    let mut count = 0u64;
    // SAFETY: the count lives during the call.
    let status = unsafe { rs_gc_visit_roots(host.vm, Some(visit), (&raw mut count).cast()) };
    assert_eq!(status, RS_OK);
    count
}

/// The honest end has made the link.
fn make(host: &Host, options: &rs_link_options) -> (rs_link, Liar) {
    let (mut link, mut end) = (0, rs_link_end::default());
    // SAFETY: valid pointers; a process watches itself, which never ends.
    unsafe {
        assert_eq!(
            rs_link_new(host.vm, host.main, options, &mut link, &mut end),
            RS_OK
        );
        let copy = rs_link_end {
            segment: libc::dup(end.segment),
            socket: libc::dup(end.socket),
        };
        assert_eq!(rs_link_spawned(host.vm, link, libc::getpid()), RS_OK);
        (link, Liar::new(copy, End::Joiner))
    }
}

/// The honest end has been given the link by a liar.
fn join(host: &Host, options: &rs_link_options) -> (rs_link, Liar) {
    let (segment, file) = Segment::new(RING).unwrap();
    let (mine, theirs) = Socket::pair().unwrap();
    drop(segment);
    let end = rs_link_end {
        segment: file.try_clone().unwrap().into_raw_fd(),
        socket: theirs.into_descriptor().into_raw_fd(),
    };
    let mut link = 0;
    // SAFETY: valid pointers; the descriptors are given away.
    let status = unsafe { rs_link_adopt(host.vm, host.main, options, &end, &mut link) };
    assert_eq!(status, RS_OK);
    let own = rs_link_end {
        segment: file.into_raw_fd(),
        socket: mine.into_descriptor().into_raw_fd(),
    };
    (link, Liar::new(own, End::Maker))
}
