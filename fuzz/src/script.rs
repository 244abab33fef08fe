//! A fuzzer's bytes as decisions, one after the other. At their end every decision is 0.

#![allow(dead_code)]

use std::cell::Cell;

pub struct Script {
    bytes: Vec<u8>,
    next: Cell<usize>,
}

impl Script {
    pub fn new(bytes: &[u8]) -> Script {
        Script {
            bytes: bytes.to_vec(),
            next: Cell::new(0),
        }
    }

    pub fn is_over(&self) -> bool {
        self.next.get() >= self.bytes.len()
    }

    pub fn byte(&self) -> u8 {
        let next = self.next.get();
        self.next.set(next + 1);
        self.bytes.get(next).copied().unwrap_or(0)
    }

    /// One of so many.
    pub fn below(&self, bound: usize) -> usize {
        usize::from(self.byte()) % bound
    }

    pub fn word(&self) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }

    /// A number of any size; small ones, and those near a limit, more often.
    pub fn number(&self) -> u64 {
        match self.byte() {
            small @ 0..224 => u64::from(small),
            224..232 => 1 << (self.byte() % 64),
            232..240 => (1 << (self.byte() % 64)) - 1,
            240..244 => u64::MAX - u64::from(self.byte()),
            _ => self.word(),
        }
    }

    /// One of several; none if there are none.
    pub fn pick<T: Copy>(&self, all: &[T]) -> Option<T> {
        let chosen = self.byte();
        all.get(usize::from(chosen) % all.len().max(1)).copied()
    }

    /// Some bytes, fewer than `bound`.
    pub fn bytes(&self, bound: usize) -> Vec<u8> {
        (0..self.below(bound)).map(|_| self.byte()).collect()
    }
}
