//! The link's socket: it carries wake-ups and descriptors, and hangs up when the peer ends.
//!
//! It is of the kind that keeps messages apart (SOCK_SEQPACKET), so that a wake-up, a message of one byte, is
//! never glued to one that brings a descriptor, and what a descriptor came with is known. Each
//! call says MSG_DONTWAIT: the flag O_NONBLOCK belongs to the open file, which the peer has inherited, so
//! the peer could clear it.
//!
//! | message | brings |
//! |---|---|
//! | `w` | nothing: the receiver shall look at the rings |
//! | `d` | one descriptor, for the next message of the ring that announces one |
//!
//! A descriptor is sent before the ring's message that announces it is published, and both keep their order, so whoever
//! reads the announcement finds the descriptor in the socket, as the next one.

use super::system::{check, last_errno, last_failure, owned};
use crate::status::{RS_ERR_LIMIT, RS_ERR_PEER, RS_ERR_UNSUPPORTED, rs_status};
use core::ffi::{c_int, c_uint, c_void};
use core::mem::{MaybeUninit, zeroed};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

const WAKE_UP: u8 = b'w';
const DESCRIPTOR: u8 = b'd';

/// getsockopt: the peer's process as a descriptor; the libc crate has no name for it.
const SO_PEERPIDFD: c_int = 77;

const FLAGS: c_int = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;

/// Bytes of control data for exactly one descriptor: the kernel closes what does not fit.
// SAFETY: the macro computes with its argument only.
const CONTROL: usize = unsafe { libc::CMSG_LEN(size_of::<c_int>() as c_uint) } as usize;

/// What a message says.
#[derive(Debug)]
pub enum Signal {
    /// Look at the rings.
    WakeUp,
    /// A descriptor, closed on exec.
    Descriptor(OwnedFd),
    /// The peer has closed its end.
    HungUp,
}

/// One end of a link's socket.
pub struct Socket(OwnedFd);

/// Control data, aligned as the kernel wants it.
#[repr(C, align(8))]
struct Control([MaybeUninit<u8>; 64]);

impl Socket {
    /// Two connected ends, both closed on exec.
    pub fn pair() -> Result<(Socket, Socket), rs_status> {
        let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
        let mut ends = [-1; 2];
        // SAFETY: the array has room for both.
        check(unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) })?;
        // SAFETY: the kernel has just made both for this caller.
        let [mine, theirs] = ends.map(|end| unsafe { OwnedFd::from_raw_fd(end) });
        Ok((Socket(mine), Socket(theirs)))
    }

    /// Takes a connected socket that was made elsewhere. `RS_ERR_UNSUPPORTED` if it is of another kind.
    pub fn adopt(socket: OwnedFd) -> Result<Socket, rs_status> {
        let family = option(socket.as_fd(), libc::SO_DOMAIN)?;
        let kind = option(socket.as_fd(), libc::SO_TYPE)?;
        if (family, kind) != (libc::AF_UNIX, libc::SOCK_SEQPACKET) {
            return Err(RS_ERR_UNSUPPORTED);
        }
        Ok(Socket(socket))
    }

    /// The descriptor.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Gives the descriptor away.
    pub fn into_descriptor(self) -> OwnedFd {
        self.0
    }

    /// Sends a wake-up. A full socket is as good: it holds wake-ups that the peer has not read.
    pub fn wake(&self) -> Result<(), rs_status> {
        self.send(WAKE_UP, None).map(|_| ())
    }

    /// Sends a descriptor; `false` if there is no room now.
    pub fn try_send_descriptor(&self, descriptor: BorrowedFd) -> Result<bool, rs_status> {
        self.send(DESCRIPTOR, Some(descriptor))
    }

    fn send(&self, byte: u8, descriptor: Option<BorrowedFd>) -> Result<bool, rs_status> {
        let mut control = Control([MaybeUninit::uninit(); 64]);
        let mut bytes = libc::iovec {
            iov_base: (&raw const byte).cast_mut().cast::<c_void>(),
            iov_len: 1,
        };
        // SAFETY: the struct consists of numbers and pointers.
        let mut message: libc::msghdr = unsafe { zeroed() };
        message.msg_iov = &mut bytes;
        message.msg_iovlen = 1;
        if let Some(descriptor) = descriptor {
            attach(&mut message, &mut control, descriptor);
        }
        // SAFETY: everything that the message points to is this frame's.
        if unsafe { libc::sendmsg(self.0.as_raw_fd(), &message, FLAGS) } >= 0 {
            return Ok(true);
        }
        match last_errno() {
            libc::EAGAIN | libc::EINTR => Ok(false),
            _ => Err(last_failure()),
        }
    }

    /// The next message; `None` if there is none now.
    ///
    /// `RS_ERR_PEER` if it is no message of this protocol, `RS_ERR_LIMIT` if this process has no room for another
    /// descriptor. What came with it is closed then, and the order of descriptors is lost with it.
    pub fn try_receive(&self) -> Result<Option<Signal>, rs_status> {
        let mut control = Control([MaybeUninit::uninit(); 64]);
        let mut byte = 0u8;
        let mut bytes = libc::iovec {
            iov_base: (&raw mut byte).cast::<c_void>(),
            iov_len: 1,
        };
        // SAFETY: the struct consists of numbers and pointers.
        let mut message: libc::msghdr = unsafe { zeroed() };
        message.msg_iov = &mut bytes;
        message.msg_iovlen = 1;
        message.msg_control = control.0.as_mut_ptr().cast();
        message.msg_controllen = CONTROL as _;
        let flags = FLAGS | libc::MSG_CMSG_CLOEXEC;
        // SAFETY: everything that the message points to is this frame's, with the sizes that it tells.
        let received = unsafe { libc::recvmsg(self.0.as_raw_fd(), &mut message, flags) };
        if received < 0 {
            return match last_errno() {
                libc::EAGAIN | libc::EINTR => Ok(None),
                libc::ECONNRESET => Ok(Some(Signal::HungUp)),
                _ => Err(last_failure()),
            };
        }
        // Taken first, so that it is closed whatever is found next.
        let descriptor = detach(&message);
        if message.msg_flags & libc::MSG_CTRUNC != 0 {
            return Err(match descriptor {
                Some(_) => RS_ERR_PEER,
                None => RS_ERR_LIMIT,
            });
        }
        if message.msg_flags & libc::MSG_TRUNC != 0 {
            return Err(RS_ERR_PEER);
        }
        match (received, byte, descriptor) {
            (0, _, None) => Ok(Some(Signal::HungUp)),
            (1, WAKE_UP, None) => Ok(Some(Signal::WakeUp)),
            (1, DESCRIPTOR, Some(descriptor)) => Ok(Some(Signal::Descriptor(descriptor))),
            _ => Err(RS_ERR_PEER),
        }
    }

    /// The process that made this socket's other end: who connected, or who called `socketpair` for both.
    pub fn peer(&self) -> Result<libc::pid_t, rs_status> {
        let mut peer = libc::ucred {
            pid: 0,
            uid: 0,
            gid: 0,
        };
        get_option(self.descriptor(), libc::SO_PEERCRED, &mut peer)?;
        Ok(peer.pid)
    }

    /// As `peer`, as a descriptor of that process. `RS_ERR_UNSUPPORTED` before Linux 6.5.
    pub fn peer_process(&self) -> Result<OwnedFd, rs_status> {
        owned(option(self.descriptor(), SO_PEERPIDFD)?)
    }
}

/// Attaches a descriptor to a message that is to be sent.
fn attach(message: &mut libc::msghdr, control: &mut Control, descriptor: BorrowedFd) {
    message.msg_control = control.0.as_mut_ptr().cast();
    message.msg_controllen = CONTROL as _;
    // SAFETY: the control data is large enough for a header and one descriptor, and aligned.
    unsafe {
        let first = libc::CMSG_FIRSTHDR(message);
        (*first).cmsg_level = libc::SOL_SOCKET;
        (*first).cmsg_type = libc::SCM_RIGHTS;
        (*first).cmsg_len = CONTROL as _;
        libc::CMSG_DATA(first)
            .cast::<c_int>()
            .write_unaligned(descriptor.as_raw_fd());
    }
}

/// The descriptor that a received message has brought. There is room for one only, so there are no others.
fn detach(message: &libc::msghdr) -> Option<OwnedFd> {
    // SAFETY: the kernel has written the control data, and its length to the message.
    unsafe {
        let first = libc::CMSG_FIRSTHDR(message);
        if first.is_null()
            || (*first).cmsg_level != libc::SOL_SOCKET
            || (*first).cmsg_type != libc::SCM_RIGHTS
            || ((*first).cmsg_len as usize) < CONTROL
        {
            return None;
        }
        let descriptor = libc::CMSG_DATA(first).cast::<c_int>().read_unaligned();
        Some(OwnedFd::from_raw_fd(descriptor))
    }
}

fn option(socket: BorrowedFd, name: c_int) -> Result<c_int, rs_status> {
    let mut value = 0;
    get_option(socket, name, &mut value)?;
    Ok(value)
}

fn get_option<T: Copy>(socket: BorrowedFd, name: c_int, value: &mut T) -> Result<(), rs_status> {
    let mut size = size_of::<T>() as libc::socklen_t;
    // SAFETY: the value has the size that is told; it is a number or a struct of numbers.
    check(unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            name,
            (&raw mut *value).cast::<c_void>(),
            &mut size,
        )
    })?;
    Ok(())
}
