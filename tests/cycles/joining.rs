//! How two heaps of this process are joined.

use crate::heap::Heap;
use vmshare::ffi::link::*;
use vmshare::host::exchange::*;
use vmshare::status::*;

/// Makes a link: the parent's end, and the child's.
pub type Join = fn(&Heap, &Heap) -> (rs_link, rs_link);

/// Small rings, which are full now and then.
fn options() -> rs_link_options {
    rs_link_options {
        size: size_of::<rs_link_options>() as u32,
        ring_bytes: 4096,
        ..rs_link_options::default()
    }
}

/// A copy of a descriptor.
pub fn duplicate(descriptor: i32) -> i32 {
    // SAFETY: no memory is passed.
    let copy = unsafe { libc::fcntl(descriptor, libc::F_DUPFD_CLOEXEC, 0) };
    assert!(copy >= 0);
    copy
}

/// As a child that its parent starts.
pub fn inherited(parent: &Heap, child: &Heap) -> (rs_link, rs_link) {
    let options = options();
    let (mut own, mut theirs, mut end) = (0, 0, rs_link_end::default());
    // SAFETY: valid pointers; the copies of the descriptors are given away.
    unsafe {
        let status = rs_link_new(parent.vm, parent.main, &options, &mut own, &mut end);
        assert_eq!(status, RS_OK);
        let copy = rs_link_end {
            segment: duplicate(end.segment),
            socket: duplicate(end.socket),
        };
        let status = rs_link_adopt(child.vm, child.main, &options, &copy, &mut theirs);
        assert_eq!(status, RS_OK);
        assert_eq!(rs_link_spawned(parent.vm, own, libc::getpid()), RS_OK);
    }
    (own, theirs)
}

/// As a process that another one has connected to.
pub fn by_socket(parent: &Heap, child: &Heap) -> (rs_link, rs_link) {
    let mut sockets = [0; 2];
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
    let (mut own, mut theirs) = (0, 0);
    // SAFETY: valid pointers; the sockets are given away.
    unsafe {
        let status = libc::socketpair(libc::AF_UNIX, kind, 0, sockets.as_mut_ptr());
        assert_eq!(status, 0);
        let status = rs_link_accept(parent.vm, parent.main, &options(), sockets[0], &mut own);
        assert_eq!(status, RS_OK);
        let status = rs_link_connect(child.vm, child.main, &options(), sockets[1], 0, &mut theirs);
        assert_eq!(status, RS_OK);
    }
    (own, theirs)
}
