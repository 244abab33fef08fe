//! The handle of a vm, and what is held over a fork.
//!
//! A handle is the address of a [`Shell`]. Shells are never given back: a call with a closed handle finds
//! one that says so, and not freed memory. They are kept in a list, so that leak checkers see
//! them as reachable; a process that opens and closes vms for ever pays 48 bytes for each.
//!
//! A forked child is recognised by a page that the kernel hands to children zeroed. It holds the number of
//! the process that the library has got used to; each vm remembers the one it was last made for.

use super::Vm;
use crate::autoshare::{Autoshare, Held};
use crate::host::Host;
use crate::host::contract::{rs_ractor, rs_vm};
use crate::host::memory::{Box, boxed};
use crate::status::*;
use core::cell::UnsafeCell;
use core::ptr;
// Handles and forks are outside of the models, and need statics, which loom's atomics can't be.
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU64, Ordering};

/// Says "this is a shell" at the place where a handle points.
const MAGIC: u64 = 0x7673_6861_7265_0001;

/// The vm may be called.
const OPEN: u8 = 1;
/// The vm failed inside: it may only be closed.
const POISONED: u8 = 2;
/// The vm is gone.
const CLOSED: u8 = 3;

/// What a handle points to.
#[repr(C, align(16))]
pub struct Shell {
    magic: u64,
    /// The process that the vm was made for.
    process: AtomicU64,
    vm: AtomicPtr<Vm>,
    next: AtomicPtr<Shell>,
    state: AtomicU8,
}

/// All shells of the process, newest first.
static SHELLS: AtomicPtr<Shell> = AtomicPtr::new(ptr::null_mut());
/// How many vms there ever were.
static VMS: AtomicU64 = AtomicU64::new(0);
/// The number of this process, in a page that is zero in a forked child; null before the first vm.
static PROCESS: AtomicPtr<AtomicU64> = AtomicPtr::new(ptr::null_mut());
/// The number that the next child gets.
static NEXT_PROCESS: AtomicU64 = AtomicU64::new(2);

/// The number of this process; `None` in a forked child that the library does not know yet, or
/// without support by the system `Some(0)`.
fn process() -> Option<u64> {
    let page = PROCESS.load(Ordering::Acquire);
    if page.is_null() {
        return Some(0);
    }
    // SAFETY: the page is mapped for good.
    match unsafe { (*page).load(Ordering::Relaxed) } {
        0 => None,
        number => Some(number),
    }
}

/// Makes the page that tells a child from its parent, once.
fn watch_forks() {
    if !PROCESS.load(Ordering::Acquire).is_null() {
        return;
    }
    // SAFETY: a new anonymous mapping; advice on it; then the only reference to it is published.
    unsafe {
        let size = libc::sysconf(libc::_SC_PAGESIZE) as usize;
        let page = libc::mmap(
            ptr::null_mut(),
            size,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        );
        if page == libc::MAP_FAILED {
            return;
        }
        let place = page.cast::<AtomicU64>();
        (*place).store(1, Ordering::Relaxed);
        #[cfg(target_os = "linux")]
        let unsupported = libc::madvise(page, size, libc::MADV_WIPEONFORK) != 0;
        #[cfg(not(target_os = "linux"))]
        let unsupported = true;
        let published = !unsupported
            && PROCESS
                .compare_exchange(ptr::null_mut(), place, Ordering::AcqRel, Ordering::Acquire)
                .is_ok();
        if !published {
            libc::munmap(page, size);
        }
    }
}

/// In a forked child: the library gets used to it.
fn know_this_process() -> u64 {
    if let Some(number) = process() {
        return number;
    }
    let number = NEXT_PROCESS.fetch_add(1, Ordering::Relaxed);
    // SAFETY: `process` found the page, which is mapped for good.
    unsafe { (*PROCESS.load(Ordering::Acquire)).store(number, Ordering::Relaxed) };
    number
}

/// Makes a vm and its handle.
pub fn open(host: Host) -> Result<(*mut rs_vm, rs_ractor), rs_status> {
    watch_forks();
    let process = know_this_process();
    let allocator = host.allocator();
    let number = VMS.fetch_add(1, Ordering::Relaxed) + 1;
    let (vm, main) = Vm::new(host, number)?;
    let vm = boxed(vm, allocator)?;
    // SAFETY: malloc's memory has this size and alignment.
    let shell = unsafe { libc::malloc(size_of::<Shell>()) }.cast::<Shell>();
    if shell.is_null() {
        return Err(RS_ERR_MEMORY);
    }
    let (vm, _) = Box::into_raw_with_allocator(vm);
    // SAFETY: the memory is new, and large enough.
    unsafe {
        shell.write(Shell {
            magic: MAGIC,
            process: AtomicU64::new(process),
            vm: AtomicPtr::new(vm),
            next: AtomicPtr::new(ptr::null_mut()),
            state: AtomicU8::new(OPEN),
        });
        enlist(&*shell);
    }
    Ok((shell.cast(), main))
}

fn enlist(shell: &Shell) {
    let mut first = SHELLS.load(Ordering::Acquire);
    loop {
        shell.next.store(first, Ordering::Relaxed);
        let own = ptr::from_ref(shell).cast_mut();
        match SHELLS.compare_exchange(first, own, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return,
            Err(now) => first = now,
        }
    }
}

impl Shell {
    /// The shell that a handle points to.
    pub fn find(handle: *mut rs_vm) -> Result<&'static Shell, rs_status> {
        if handle.is_null() {
            return Err(RS_ERR_ARGUMENT);
        }
        let shell = handle.cast::<Shell>();
        // SAFETY: the caller promises a handle of rs_vm_new, whose shell is never given back. What
        // is checked here is beyond the promise: a pointer to something else that is readable.
        let is_shell = shell.is_aligned() && unsafe { (*shell).magic } == MAGIC;
        match is_shell {
            // SAFETY: as above.
            true => Ok(unsafe { &*shell }),
            false => Err(RS_ERR_FOREIGN),
        }
    }

    /// The vm, if it may be called.
    pub fn vm(&self) -> Result<&Vm, rs_status> {
        match self.state.load(Ordering::Acquire) {
            OPEN => {}
            POISONED => return Err(RS_ERR_POISONED),
            _ => return Err(RS_ERR_CLOSED),
        }
        match process() {
            Some(number) if number == self.process.load(Ordering::Relaxed) => Ok(self.inner()),
            _ => Err(RS_ERR_FORKED),
        }
    }

    /// The vm, in a forked child that gets to know the library.
    pub fn vm_in_child(&self) -> Result<&Vm, rs_status> {
        match self.state.load(Ordering::Acquire) {
            OPEN => Ok(self.inner()),
            POISONED => Err(RS_ERR_POISONED),
            _ => Err(RS_ERR_CLOSED),
        }
    }

    /// The vm is at home in this process now.
    pub fn adopt(&self) {
        self.process.store(know_this_process(), Ordering::Relaxed);
    }

    fn inner(&self) -> &Vm {
        // SAFETY: an open shell owns its vm until `close`, during which the host makes no other call.
        unsafe { &*self.vm.load(Ordering::Acquire) }
    }

    /// The library failed inside: only closing is left.
    pub fn poison(&self) {
        self.state.store(POISONED, Ordering::Release);
    }

    /// Ends the vm.
    pub fn close(&self) -> Result<(), rs_status> {
        let state = self.state.load(Ordering::Acquire);
        if state == OPEN {
            let vm = self.vm()?;
            vm.expect_outside()?;
            if vm.is_walking() {
                return Err(RS_BUSY);
            }
        }
        if state == CLOSED || self.state.swap(CLOSED, Ordering::AcqRel) == CLOSED {
            return Err(RS_ERR_CLOSED);
        }
        let vm = self.vm.swap(ptr::null_mut(), Ordering::AcqRel);
        // SAFETY: the pointer came from a box with the host's allocator, and nobody else has taken
        // it: the state was open or poisoned before.
        unsafe {
            let allocator = (*vm).host().allocator();
            drop(Box::from_raw_in(vm, allocator));
        }
        Ok(())
    }
}

/// All locks of a vm, between `rs_before_fork` and what ends it.
pub struct ForkHold {
    held: AtomicBool,
    guards: UnsafeCell<Option<Held<'static>>>,
}

// SAFETY: the guards are put in and taken out by the thread that holds all locks, in the parent
// and in the child; `held` tells others to keep out.
unsafe impl Sync for ForkHold {}
// SAFETY: as above.
unsafe impl Send for ForkHold {}

impl ForkHold {
    /// Nothing is held.
    pub fn new() -> Self {
        ForkHold {
            held: AtomicBool::new(false),
            guards: UnsafeCell::new(None),
        }
    }

    /// Whether a fork is under way.
    pub fn is_held(&self) -> bool {
        self.held.load(Ordering::Acquire)
    }

    /// Takes and keeps all locks.
    pub fn hold(&self, autoshare: &Autoshare) {
        let guards = autoshare.hold();
        // SAFETY: the guards borrow from the vm, which also owns this; they are taken out, or with
        // the vm never dropped, before it goes.
        let guards = unsafe { core::mem::transmute::<Held<'_>, Held<'static>>(guards) };
        // SAFETY: this thread holds all locks, so no other is between `hold` and `take`.
        unsafe { *self.guards.get() = Some(guards) };
        self.held.store(true, Ordering::Release);
    }

    /// Takes the guards out, to be dropped.
    pub fn take(&self) -> Option<Held<'_>> {
        if !self.held.swap(false, Ordering::AcqRel) {
            return None;
        }
        // SAFETY: only one `take` finds `held` set, and no `hold` comes before the guards are
        // dropped.
        unsafe { (*self.guards.get()).take() }
    }
}

impl Default for ForkHold {
    fn default() -> Self {
        ForkHold::new()
    }
}
