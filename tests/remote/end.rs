//! One end of a link, and what it does: each function is a call of the C API.

use crate::items::{Content, Host, content, small};
use std::cell::Cell;
use std::ffi::{CStr, CString, c_void};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use vmshare::ffi::graph::{RS_WHOLE, rs_limits};
use vmshare::ffi::link::*;
use vmshare::ffi::remote::*;
use vmshare::ffi::vm::{rs_after_fork_child, rs_after_fork_parent, rs_before_fork};
use vmshare::host::contract::rs_value;
use vmshare::host::exchange::*;
use vmshare::status::*;

/// One of the two.
pub struct End {
    pub host: Box<Host>,
    pub link: rs_link,
    /// The other process, for the parent.
    peer: libc::pid_t,
    /// Most pins that there were at a time.
    pub most_pins: Cell<u64>,
}

pub fn ok<T>(status: rs_status, value: T) -> Result<T, rs_status> {
    match status {
        RS_OK => Ok(value),
        status => Err(status),
    }
}

/// How many objects are pinned for the peer.
pub fn pins(host: &Host, link: rs_link, _arguments: &[rs_value]) -> Result<rs_value, rs_status> {
    let mut counts = rs_link_statistics {
        size: size_of::<rs_link_statistics>() as u32,
        ..rs_link_statistics::default()
    };
    // SAFETY: a valid pointer.
    let status = unsafe { rs_link_counts(host.vm, link, &mut counts) };
    ok(status, small(counts.pins as i64))
}

/// A collection after which only these remotes live.
pub fn sweep(host: &Host, lives: impl Fn(rs_value) -> bool) {
    unsafe extern "C" fn is_alive(data: *mut c_void, value: rs_value) -> u32 {
        // SAFETY: the closure of the call below.
        let lives = unsafe { &*data.cast::<&dyn Fn(rs_value) -> bool>() };
        u32::from(lives(value))
    }
    let lives: &dyn Fn(rs_value) -> bool = &lives;
    let data = (&raw const lives).cast_mut().cast();
    // SAFETY: the closure lives during the call.
    let status = unsafe { vmshare::ffi::gc::rs_gc_sweep(host.vm, Some(is_alive), data) };
    assert_eq!(status, RS_OK);
}

/// Calls a function of the peer.
pub fn call(
    host: &Host,
    link: rs_link,
    function: rs_value,
    arguments: &[rs_value],
) -> Result<rs_value, rs_status> {
    let Content::Remote(remote, _) = content(function) else {
        panic!("no remote");
    };
    request(host, link, remote, RS_CALL, "", 0, arguments)
}

/// Calls a function of the peer that has this name.
pub fn call_by_name(
    host: &Host,
    link: rs_link,
    name: &str,
    arguments: &[rs_value],
) -> Result<rs_value, rs_status> {
    request(host, link, RS_NO_REMOTE, RS_CALL, name, 0, arguments)
}

/// The value of a variable of the peer.
pub fn variable_of(host: &Host, link: rs_link, name: &str) -> Result<rs_value, rs_status> {
    request(host, link, RS_NO_REMOTE, RS_READ_VARIABLE, name, 0, &[])
}

/// A whole copy.
pub fn copy_of(host: &Host, target: rs_value) -> Result<rs_value, rs_status> {
    let Content::Remote(remote, _) = content(target) else {
        panic!("no remote");
    };
    let mut value = 0;
    // SAFETY: valid pointers.
    let status = unsafe { rs_remote_copy(host.vm, remote, std::ptr::null(), &mut value) };
    ok(status, value)
}

fn request(
    host: &Host,
    link: rs_link,
    remote: rs_remote,
    code: u32,
    name: &str,
    index: u64,
    arguments: &[rs_value],
) -> Result<rs_value, rs_status> {
    let operation = rs_operation {
        name: name.as_ptr().cast(),
        name_length: name.len() as u64,
        index,
        arguments: arguments.as_ptr(),
        arguments_count: arguments.len() as u64,
        ..rs_operation::new(code)
    };
    let mut result = 0;
    // SAFETY: valid pointers.
    let status = unsafe { rs_remote_request(host.vm, link, remote, &operation, &mut result) };
    ok(status, result)
}

fn export(
    host: &Host,
    link: rs_link,
    name: &str,
    value: rs_value,
    rights: u32,
) -> Result<(), rs_status> {
    let name = CString::new(name).unwrap();
    // SAFETY: valid pointers.
    let status = unsafe { rs_link_export(host.vm, link, name.as_ptr(), value, rights) };
    ok(status, ())
}

impl End {
    /// An end whose peer is this child, or another process if that is 0.
    pub fn new(host: Box<Host>, link: rs_link, peer: libc::pid_t) -> End {
        End {
            host,
            link,
            peer,
            most_pins: Cell::new(0),
        }
    }

    fn ask(
        &self,
        target: rs_value,
        code: u32,
        index: u64,
        arguments: &[rs_value],
    ) -> Result<rs_value, rs_status> {
        let Content::Remote(remote, _) = content(target) else {
            panic!("no remote");
        };
        request(&self.host, self.link, remote, code, "", index, arguments)
    }

    pub fn variable(&self, name: &str) -> Result<rs_value, rs_status> {
        variable_of(&self.host, self.link, name)
    }

    pub fn get(&self, target: rs_value, index: u64) -> Result<rs_value, rs_status> {
        self.ask(target, RS_READ_ELEMENT, index, &[])
    }

    pub fn set(&self, target: rs_value, index: u64, value: rs_value) -> Result<(), rs_status> {
        self.ask(target, RS_WRITE_ELEMENT, index, &[value])
            .map(drop)
    }

    pub fn add(&self, target: rs_value, index: u64, amount: i64) -> Result<rs_value, rs_status> {
        self.ask(target, RS_ADD_ELEMENT, index, &[small(amount)])
    }

    pub fn call_by_name(&self, name: &str, arguments: &[rs_value]) -> Result<rs_value, rs_status> {
        call_by_name(&self.host, self.link, name, arguments)
    }

    pub fn copy(&self, target: rs_value) -> Result<rs_value, rs_status> {
        self.copy_to(target, RS_WHOLE)
    }

    /// A copy of so many levels below the top.
    pub fn copy_to(&self, target: rs_value, depth: u64) -> Result<rs_value, rs_status> {
        let Content::Remote(remote, _) = content(target) else {
            panic!("no remote");
        };
        let limits = rs_limits { depth, bytes: 0 };
        let mut value = 0;
        // SAFETY: valid pointers.
        let status = unsafe { rs_remote_copy(self.host.vm, remote, &limits, &mut value) };
        ok(status, value)
    }

    /// Asks for an element, and does not wait.
    pub fn begin_get(&self, target: rs_value, index: u64) -> u64 {
        let Content::Remote(remote, _) = content(target) else {
            panic!("no remote");
        };
        let operation = rs_operation {
            index,
            ..rs_operation::new(RS_READ_ELEMENT)
        };
        let mut request = 0;
        // SAFETY: valid pointers.
        let status =
            unsafe { rs_remote_begin(self.host.vm, self.link, remote, &operation, &mut request) };
        assert_eq!(status, RS_OK);
        request
    }

    pub fn finish(&self, request: u64) -> Result<rs_value, rs_status> {
        let mut value = 0;
        // SAFETY: valid pointers.
        let status = unsafe { rs_remote_finish(self.host.vm, self.link, request, 1, &mut value) };
        ok(status, value)
    }

    /// The result, if it is there.
    pub fn poll(&self, request: u64) -> Option<rs_value> {
        match self.try_poll(request) {
            Err(RS_MORE) => None,
            outcome => Some(outcome.unwrap()),
        }
    }

    /// The result, or why there is none: `RS_MORE` if it has not come.
    pub fn try_poll(&self, request: u64) -> Result<rs_value, rs_status> {
        let mut value = 0;
        // SAFETY: valid pointers.
        let status = unsafe { rs_remote_finish(self.host.vm, self.link, request, 0, &mut value) };
        ok(status, value)
    }

    pub fn forget(&self, request: u64) {
        // SAFETY: any number may be given.
        let status = unsafe { rs_remote_forget(self.host.vm, self.link, request) };
        assert_eq!(status, RS_OK);
    }

    pub fn path(&self, target: rs_value, steps: &[u64]) -> Result<rs_value, rs_status> {
        let Content::Remote(remote, _) = content(target) else {
            panic!("no remote");
        };
        let mut value = 0;
        // SAFETY: valid pointers.
        let status = unsafe {
            rs_remote_path(
                self.host.vm,
                remote,
                steps.as_ptr(),
                steps.len(),
                &mut value,
            )
        };
        ok(status, value)
    }

    pub fn export(&self, name: &str, value: rs_value, rights: u32) {
        assert_eq!(self.try_export(name, value, rights), Ok(()));
    }

    /// Exports over another link than its own.
    pub fn export_over(&self, link: rs_link, name: &str, value: rs_value, rights: u32) {
        let exported = export(&self.host, link, name, value, rights);
        assert_eq!(exported, Ok(()));
    }

    pub fn try_export(&self, name: &str, value: rs_value, rights: u32) -> Result<(), rs_status> {
        export(&self.host, self.link, name, value, rights)
    }

    /// Serves another link than its own, until that one's peer is gone.
    pub fn serve_over(&self, link: rs_link) {
        // SAFETY: any id may be given.
        while unsafe { rs_link_wait(self.host.vm, link, 0) } == RS_OK {}
    }

    pub fn revoke(&self, value: rs_value) -> Result<(), rs_status> {
        // SAFETY: any value may be given.
        ok(
            unsafe { rs_link_revoke(self.host.vm, self.link, value) },
            (),
        )
    }

    pub fn close(&self, evacuates: bool) -> Result<(), rs_status> {
        self.close_with(if evacuates { RS_LINK_EVACUATE } else { 0 })
    }

    pub fn close_with(&self, flags: u32) -> Result<(), rs_status> {
        // SAFETY: any id may be given.
        ok(
            unsafe { rs_link_close(self.host.vm, self.link, flags, 0) },
            (),
        )
    }

    /// Serves once; false if the peer is gone.
    pub fn serve(&self) -> bool {
        self.serve_for(Duration::ZERO)
    }

    /// Serves for about so long; zero for what is there.
    pub fn serve_for(&self, time: Duration) -> bool {
        let outcome = self.try_serve(time);
        assert!(matches!(outcome, Ok(_) | Err(RS_ERR_DEAD)), "{outcome:?}");
        self.most_pins
            .set(self.most_pins.get().max(self.counts().pins));
        outcome.is_ok()
    }

    /// The same; true if there is more to serve.
    pub fn try_serve(&self, time: Duration) -> Result<bool, rs_status> {
        let budget = time.as_nanos() as u64;
        // SAFETY: any id may be given.
        match unsafe { rs_link_serve(self.host.vm, self.link, budget) } {
            RS_OK => Ok(false),
            RS_MORE => Ok(true),
            status => Err(status),
        }
    }

    /// Waits until there is something to serve, and serves it.
    pub fn wait(&self) -> Result<(), rs_status> {
        // SAFETY: any id may be given.
        ok(unsafe { rs_link_wait(self.host.vm, self.link, 0) }, ())
    }

    /// The event loop of a host that has nothing else to do.
    pub fn serve_until_gone(&self) {
        while self.serve() {
            self.poll_descriptor();
        }
    }

    /// Sleeps until there is something to serve.
    pub fn poll_descriptor(&self) {
        let mut descriptor = -1;
        // SAFETY: a valid pointer.
        let status = unsafe { rs_link_fd(self.host.vm, self.link, &mut descriptor) };
        assert_eq!(status, RS_OK);
        let mut wanted = libc::pollfd {
            fd: descriptor,
            events: libc::POLLIN,
            revents: 0,
        };
        // A peer that is stepped through takes some minutes for a few million instructions.
        // SAFETY: one valid place.
        let ready = unsafe { libc::poll(&mut wanted, 1, 300_000) };
        assert_eq!(ready, 1, "the peer does nothing");
    }

    /// The same, for a peer that may break the protocol; returns how the link has ended.
    pub fn serve_until_gone_or_broken(&self) -> rs_status {
        loop {
            // SAFETY: any id may be given.
            match unsafe { rs_link_serve(self.host.vm, self.link, 0) } {
                RS_OK => std::thread::sleep(Duration::from_micros(100)),
                RS_MORE => {}
                status @ (RS_ERR_DEAD | RS_ERR_PEER) => return status,
                status => panic!("{status}"),
            }
        }
    }

    pub fn counts(&self) -> rs_link_statistics {
        self.try_counts().unwrap()
    }

    pub fn try_counts(&self) -> Result<rs_link_statistics, rs_status> {
        let mut counts = rs_link_statistics {
            size: size_of::<rs_link_statistics>() as u32,
            ..rs_link_statistics::default()
        };
        // SAFETY: a valid pointer.
        let status = unsafe { rs_link_counts(self.host.vm, self.link, &mut counts) };
        ok(status, counts)
    }

    /// How many objects the peer has pinned for this process: a function that it exports says so.
    pub fn pins_of_peer(&self) -> u64 {
        let count = self.call_by_name("pins", &[]).unwrap();
        count as u64 >> 2
    }

    pub fn error(&self) -> (String, String) {
        let (mut kind, mut text) = (std::ptr::null(), std::ptr::null());
        // SAFETY: valid pointers; the texts stay until the next request.
        unsafe {
            let status = rs_link_error(self.host.vm, self.link, &mut kind, &mut text);
            assert_eq!(status, RS_OK);
            let string = |text| CStr::from_ptr(text).to_str().unwrap().to_string();
            (string(kind), string(text))
        }
    }

    /// A collection after which only these remotes live.
    pub fn sweep(&self, lives: impl Fn(rs_value) -> bool) {
        sweep(&self.host, lives);
    }

    /// Runs something in a forked process; returns its exit status.
    pub fn fork(&self, run: impl FnOnce()) -> i32 {
        // SAFETY: around a fork, as the library wants it; the child ends here.
        unsafe {
            assert_eq!(rs_before_fork(self.host.vm), RS_OK);
            let process = libc::fork();
            if process == 0 {
                let run = std::panic::AssertUnwindSafe(|| {
                    assert_eq!(rs_after_fork_child(self.host.vm), RS_OK);
                    run();
                });
                let outcome = std::panic::catch_unwind(run);
                libc::_exit(i32::from(outcome.is_err()));
            }
            assert_eq!(rs_after_fork_parent(self.host.vm), RS_OK);
            let mut status = 0;
            assert_eq!(libc::waitpid(process, &mut status, 0), process);
            status
        }
    }

    /// Kills the child after a while; the thread returns when that was.
    pub fn kill_peer_after(&self, time: Duration) -> JoinHandle<Instant> {
        let peer = self.peer;
        std::thread::spawn(move || {
            std::thread::sleep(time);
            // SAFETY: the child of this process, which has not been waited for.
            assert_eq!(unsafe { libc::kill(peer, libc::SIGKILL) }, 0);
            Instant::now()
        })
    }

    pub fn kill_peer(&self) {
        // SAFETY: the child of this process, which has not been waited for.
        assert_eq!(unsafe { libc::kill(self.peer, libc::SIGKILL) }, 0);
    }
}
