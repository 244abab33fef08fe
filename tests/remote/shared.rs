//! Words that a test and the processes it forks see alike.

use std::ops::Deref;
use std::time::{Duration, Instant};

/// Longer than anything takes that a test waits for.
const LONG: Duration = Duration::from_secs(120);

/// Something that a forked child shares with this process, as long as it is made of atomic words.
pub struct Shared<T>(*mut T);

// SAFETY: what is shared is.
unsafe impl<T: Sync> Sync for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Send for Shared<T> {}

impl<T: Default> Shared<T> {
    pub fn new() -> Shared<T> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        // SAFETY: a new mapping, which has room for it.
        let place = unsafe {
            let size = size_of::<T>();
            let place = libc::mmap(std::ptr::null_mut(), size, access, flags, -1, 0);
            assert_ne!(place, libc::MAP_FAILED);
            place.cast::<T>().write(T::default());
            place
        };
        Shared(place.cast())
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: mapped and written, as long as this is there.
        unsafe { &*self.0 }
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: this one's own mapping.
        unsafe { libc::munmap(self.0.cast(), size_of::<T>()) };
    }
}

/// Waits for another process, which must not take for ever.
pub fn wait_until(condition: impl Fn() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < LONG, "the other process does nothing");
        std::thread::yield_now();
    }
}
