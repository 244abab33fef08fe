//! Text in fixed arrays: C strings that are cut, never allocated.

use core::ffi::c_char;
use core::fmt;

/// Writes into an array of C characters: always ended by a NUL, cut on a character's boundary.
pub struct TextBuffer<'a> {
    array: &'a mut [c_char],
    length: usize,
}

impl<'a> TextBuffer<'a> {
    /// Begins with an empty text. The array must not be empty.
    pub fn new(array: &'a mut [c_char]) -> Self {
        array[0] = 0;
        TextBuffer { array, length: 0 }
    }

    /// Appends bytes as they are, as far as they fit.
    pub fn push_bytes(&mut self, bytes: &[u8]) {
        let room = self.array.len() - 1 - self.length;
        let mut count = bytes.len().min(room);
        while count < bytes.len() && count > 0 && bytes[count] & 0xc0 == 0x80 {
            count -= 1;
        }
        for &byte in &bytes[..count] {
            self.array[self.length] = byte as c_char;
            self.length += 1;
        }
        self.array[self.length] = 0;
    }
}

impl fmt::Write for TextBuffer<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_bytes(text.as_bytes());
        Ok(())
    }
}

/// The bytes of an array up to its NUL.
pub fn bytes(array: &[c_char]) -> &[u8] {
    let length = array.iter().position(|&c| c == 0).unwrap_or(array.len());
    // SAFETY: c_char and u8 have one layout, and the range is inside the array.
    unsafe { core::slice::from_raw_parts(array.as_ptr().cast(), length) }
}

/// Replaces what an array holds.
pub fn set(array: &mut [c_char], text: &[u8]) {
    TextBuffer::new(array).push_bytes(text);
}

/// Shows bytes that are meant to be UTF-8.
pub struct Shown<'a>(pub &'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            f.write_str(chunk.valid())?;
            if !chunk.invalid().is_empty() {
                f.write_str("\u{fffd}")?;
            }
        }
        Ok(())
    }
}
