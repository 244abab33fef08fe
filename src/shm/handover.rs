//! What a child needs to join a channel: two descriptors, and their numbers as text.
//!
//! Both are closed on exec until the child itself, between `fork` and `exec`, says otherwise: a program that another
//! thread starts at the same time does not get them.

use super::system::check;
use crate::status::{RS_ERR_ARGUMENT, rs_status};
use core::ffi::c_int;
use core::fmt;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// The descriptors of a channel's other end. The text of one, such as `5,6`, is what the child is told,
/// by its arguments or environment.
pub struct Handover {
    /// The segment.
    pub segment: OwnedFd,
    /// The socket.
    pub socket: OwnedFd,
}

impl Handover {
    /// Lets these two survive an `exec`. For the child, between `fork` and `exec`: only calls that are allowed there.
    pub fn keep_on_exec(&self) -> Result<(), rs_status> {
        set_descriptor_flags(self.segment.as_raw_fd(), 0)?;
        set_descriptor_flags(self.socket.as_raw_fd(), 0)
    }

    /// Takes the descriptors that a text names, and closes them on exec again. `RS_ERR_ARGUMENT` if the text is
    /// no such text, or names what is not open.
    ///
    /// # Safety
    /// The text is what this process was given by the one that started it, and is used once: nothing
    /// else in the process uses or closes these descriptors.
    pub unsafe fn of_text(text: &str) -> Result<Handover, rs_status> {
        let (segment, socket) = text.split_once(',').ok_or(RS_ERR_ARGUMENT)?;
        let number = |text: &str| text.parse::<RawFd>().map_err(|_| RS_ERR_ARGUMENT);
        let (segment, socket) = (number(segment)?, number(socket)?);
        // SAFETY: the caller's promise.
        unsafe { Handover::of_descriptors(segment, socket) }
    }

    /// Takes two descriptors, and closes them on exec again. `RS_ERR_ARGUMENT` if they are not two open ones.
    ///
    /// # Safety
    /// They were given to this process by the one that started it, and nothing else here uses or closes them.
    pub unsafe fn of_descriptors(segment: RawFd, socket: RawFd) -> Result<Handover, rs_status> {
        if segment == socket || segment < 0 || socket < 0 {
            return Err(RS_ERR_ARGUMENT);
        }
        set_descriptor_flags(segment, libc::FD_CLOEXEC)?;
        set_descriptor_flags(socket, libc::FD_CLOEXEC)?;
        // SAFETY: both are open, and the caller says that nobody else owns them.
        unsafe {
            Ok(Handover {
                segment: OwnedFd::from_raw_fd(segment),
                socket: OwnedFd::from_raw_fd(socket),
            })
        }
    }
}

impl fmt::Display for Handover {
    fn fmt(&self, text: &mut fmt::Formatter) -> fmt::Result {
        write!(
            text,
            "{},{}",
            self.segment.as_raw_fd(),
            self.socket.as_raw_fd()
        )
    }
}

fn set_descriptor_flags(descriptor: RawFd, flags: c_int) -> Result<(), rs_status> {
    // SAFETY: no memory is passed.
    check(unsafe { libc::fcntl(descriptor, libc::F_SETFD, flags) })?;
    Ok(())
}
