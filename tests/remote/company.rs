//! Processes that meet over a socket, and three of them.

use crate::end::End;
use crate::items::Host;
use crate::pair::{DEFAULT, alone, expect_end, fork_to, join_link, new_link, open_descriptors};
use vmshare::ffi::link::*;
use vmshare::host::exchange::*;
use vmshare::status::*;

/// Runs a parent and a child that meet over a socket.
pub fn two_by_socket(server: impl FnOnce(&End), client: impl FnOnce(&End)) {
    let _alone = alone();
    let before = open_descriptors();
    let [ours, theirs] = sockets();
    let child = fork_to(|| {
        drop_descriptor(ours);
        let host = Host::new(true);
        let link = connect(&host, theirs);
        client(&End::new(host, link, 0));
    });
    drop_descriptor(theirs);
    let host = Host::new(true);
    let link = accept(&host, ours);
    let own = End::new(host, link, child);
    server(&own);
    expect_end(child);
    let _ = own.close(false);
    drop(own);
    assert_eq!(open_descriptors(), before, "every descriptor is closed");
}

/// Runs a parent and two children that are linked to it, and to each other; each is told its link that its end
/// does not say.
pub fn three(
    parent: impl FnOnce(&End, rs_link),
    first: impl FnOnce(&End, rs_link),
    second: impl FnOnce(&End, rs_link),
) {
    let _alone = alone();
    let host = Host::new(true);
    let (link_of_first, end_of_first) = new_link(&host, &DEFAULT);
    let (link_of_second, end_of_second) = new_link(&host, &DEFAULT);
    let [of_first, of_second] = sockets();
    let first = fork_to(|| {
        drop_descriptor(of_first);
        let host = Host::new(true);
        let link = join_link(&host, &DEFAULT, end_of_first);
        let other = connect(&host, of_second);
        first(&End::new(host, link, 0), other);
    });
    // SAFETY: the children have not been waited for.
    let status = unsafe { rs_link_spawned(host.vm, link_of_first, first) };
    assert_eq!(status, RS_OK);
    let second = fork_to(|| {
        drop_descriptor(of_second);
        let host = Host::new(true);
        let link = join_link(&host, &DEFAULT, end_of_second);
        let other = accept(&host, of_first);
        second(&End::new(host, link, 0), other);
    });
    // SAFETY: as above.
    let status = unsafe { rs_link_spawned(host.vm, link_of_second, second) };
    assert_eq!(status, RS_OK);
    drop_descriptor(of_first);
    drop_descriptor(of_second);
    let own = End::new(host, link_of_first, first);
    parent(&own, link_of_second);
    let _ = own.close(false);
    // SAFETY: any id may be given.
    let status = unsafe { rs_link_close(own.host.vm, link_of_second, 0, 0) };
    assert_eq!(status, RS_OK);
    expect_end(first);
    expect_end(second);
}

fn sockets() -> [i32; 2] {
    let mut ends = [0; 2];
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
    // SAFETY: room for two.
    let status = unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) };
    assert_eq!(status, 0);
    ends
}

fn drop_descriptor(descriptor: i32) {
    // SAFETY: nobody else has it.
    assert_eq!(unsafe { libc::close(descriptor) }, 0);
}

fn accept(host: &Host, socket: i32) -> rs_link {
    let mut link = 0;
    // SAFETY: a valid pointer; the link gets the socket.
    let status = unsafe { rs_link_accept(host.vm, host.main, std::ptr::null(), socket, &mut link) };
    assert_eq!(status, RS_OK);
    link
}

fn connect(host: &Host, socket: i32) -> rs_link {
    let mut link = 0;
    // SAFETY: a valid pointer; the link gets the socket.
    let status =
        unsafe { rs_link_connect(host.vm, host.main, std::ptr::null(), socket, 0, &mut link) };
    assert_eq!(status, RS_OK);
    link
}
