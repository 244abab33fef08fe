//! The words of an image, wherever they lie.

use crate::host::memory::Vec;
#[cfg(vmshare_links)]
use crate::host::memory::words_of;
#[cfg(vmshare_links)]
use crate::shm::sealed::SealedBytes;

/// Words that never change.
pub enum Words {
    /// This process's own.
    Own(Vec<u64>),
    /// In memory that nobody can write any more.
    #[cfg(vmshare_links)]
    Sealed(SealedBytes),
}

impl Words {
    /// All of them.
    pub fn get(&self) -> &[u64] {
        match self {
            Words::Own(words) => words,
            // A mapping begins at a page. If it is not whole words, it is no image.
            #[cfg(vmshare_links)]
            Words::Sealed(bytes) => words_of(bytes.bytes()).unwrap_or(&[]),
        }
    }
}
