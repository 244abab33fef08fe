//! Whether the process at the other end lives.
//!
//! Two things tell, and both are needed. The socket hangs up when its last copy is closed: also when the peer executes
//! another program, but not while a grandchild has inherited it. The process's descriptor becomes readable
//! when it ends, whoever holds what. Either is enough to call the peer gone, and that is for good.
//!
//! Knowing costs nothing: both are looked at only where this end waits. A process id alone would not do,
//! since a new process may get it; so the descriptor is taken while the process can't be reaped yet. Where the
//! system refuses to give one (before Linux 5.3, or in a sandbox), hanging up must do.

use super::socket::Socket;
use super::system::owned;
use crate::status::{RS_ERR_DEAD, rs_status};
use core::ffi::c_int;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What is known about the peer's life.
pub struct Peer {
    process: Option<OwnedFd>,
    gone: bool,
}

impl Peer {
    /// Nothing is known yet but the socket.
    pub fn unknown() -> Peer {
        Peer {
            process: None,
            gone: false,
        }
    }

    /// A child that this process has started and not reaped yet, so that the number is still its own.
    pub fn child(process: libc::pid_t) -> Result<OwnedFd, rs_status> {
        open(process)
    }

    /// Who made the other end of this socket. For a child that has inherited one that is its
    /// parent: with `is_parent` a number that is not the parent's any more is not believed.
    pub fn of_socket(socket: &Socket, is_parent: bool) -> Peer {
        let process = socket.peer_process().or_else(|_| {
            let number = socket.peer()?;
            let process = open(number)?;
            // SAFETY: no preconditions.
            let parent = unsafe { libc::getppid() };
            match is_parent && parent != number {
                true => Err(RS_ERR_DEAD),
                false => Ok(process),
            }
        });
        Peer {
            process: process.ok(),
            gone: false,
        }
    }

    /// The peer's process is known from now on.
    pub fn set_process(&mut self, process: OwnedFd) {
        self.process = Some(process);
    }

    /// The process, to wait for its end; `None` if only hanging up tells.
    pub fn process(&self) -> Option<BorrowedFd<'_>> {
        self.process.as_ref().map(|process| process.as_fd())
    }

    /// Its end was seen.
    pub fn is_gone(&self) -> bool {
        self.gone
    }

    /// Its end has been seen.
    pub fn set_gone(&mut self) {
        self.gone = true;
    }
}

fn open(process: libc::pid_t) -> Result<OwnedFd, rs_status> {
    // SAFETY: no memory is passed.
    let opened = unsafe { libc::syscall(libc::SYS_pidfd_open, process, 0) };
    owned(opened as c_int)
}
