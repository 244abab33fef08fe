//! A peer that keeps to no protocol: it has the memory and the socket of a link, and writes what the script says.

use crate::messages;
use crate::script::Script;
use std::cell::Cell;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use vmshare::host::exchange::rs_link_end;
use vmshare::remote::cycles::FEATURE;
use vmshare::shm::hello::Hello;
use vmshare::shm::ring::Part;
use vmshare::shm::sealed::Unsealed;
use vmshare::shm::segment::{CONSUMED, End, HEADER, PUBLISHED, SLEEPING, WORDS};

/// Bytes of each ring: the fewest, so that it is full and goes around often.
pub const RING: usize = 4096;

const SIZE: usize = HEADER + 2 * RING;

pub struct Liar {
    start: *mut u8,
    socket: Cell<Option<OwnedFd>>,
    end: End,
    written: Cell<u64>,
    /// A request of the other side that it may answer.
    asked: Cell<u64>,
}

impl Liar {
    /// Takes the descriptors of an end, and says nothing yet.
    pub fn new(descriptors: rs_link_end, end: End) -> Liar {
        // SAFETY: the descriptors are this one's, and the mapping is new.
        unsafe {
            let segment = OwnedFd::from_raw_fd(descriptors.segment);
            let access = libc::PROT_READ | libc::PROT_WRITE;
            let file = segment.as_raw_fd();
            let null = std::ptr::null_mut();
            let start = libc::mmap(null, SIZE, access, libc::MAP_SHARED, file, 0);
            assert_ne!(start, libc::MAP_FAILED);
            Liar {
                start: start.cast(),
                socket: Cell::new(Some(OwnedFd::from_raw_fd(descriptors.socket))),
                end,
                written: Cell::new(0),
                asked: Cell::new(1),
            }
        }
    }

    /// Greets as an honest peer does.
    pub fn greet(&self) {
        let hello = Hello {
            oldest: 1,
            newest: 1,
            features: FEATURE,
            required: 0,
            longest_message: 1 << 20,
        };
        self.frame(Part::Whole as u64, 0, &hello.to_bytes());
    }

    /// Asks for something by name, with an object of its own.
    pub fn lend_an_object(&self, code: u32, name: &str) {
        let words = messages::request_with_object(code, name);
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        self.frame(Part::Whole as u64, messages::REQUEST, &bytes);
    }

    /// Does one thing.
    pub fn act(&self, script: &Script) {
        match script.below(13) {
            0..3 => self.send(script, messages::REQUEST, messages::request(script)),
            3 => {
                let answer = messages::answer(script, self.asked.get());
                self.send(script, messages::ANSWER, answer);
            }
            4 => self.send(script, messages::RELEASE, messages::release(script)),
            5 => self.send(script, messages::EVACUATION, messages::evacuation(script)),
            6 => self.read(),
            7 => self.scribble(script),
            8 => self.lie_about_a_cursor(script),
            9 => self.signal(script),
            12 => {
                let (kind, words) = messages::other(script, self.asked.get());
                self.send(script, kind, words);
            }
            10 if script.below(2) == 0 => self.send_sealed_image(script),
            10 => self.send_frames_by_hand(script),
            _ => match script.below(8) {
                0 => drop(self.socket.take()),
                1 => self.send(script, messages::GOODBYE, Vec::new()),
                2 => self.greet(),
                _ => self.ring(),
            },
        }
    }

    /// Answers what it was asked for, more or less.
    pub fn respond(&self, script: &Script) {
        self.read();
        match script.below(8) {
            0 => {}
            1 => self.act(script),
            2 | 3 => self.send_sealed_image(script),
            4 => {
                let (kind, words) = messages::other(script, self.asked.get());
                self.send(script, kind, words);
            }
            _ => {
                let answer = messages::answer(script, self.asked.get());
                self.send(script, messages::ANSWER, answer);
            }
        }
    }

    fn word(&self, at: usize) -> &AtomicU64 {
        assert!(at + 8 <= SIZE && at.is_multiple_of(8));
        // SAFETY: the word lies in the mapping, aligned.
        unsafe { &*self.start.add(at).cast::<AtomicU64>() }
    }

    fn own(&self, word: usize) -> &AtomicU64 {
        self.word(self.end as usize * WORDS + word)
    }

    fn theirs(&self, word: usize) -> &AtomicU64 {
        self.word(self.end.other() as usize * WORDS + word)
    }

    fn place(&self, end: End, position: u64) -> &AtomicU64 {
        let place = (position as usize % RING) & !7;
        self.word(HEADER + end as usize * RING + place)
    }

    /// Writes a frame whose header says what is passed, and publishes it.
    fn frame(&self, part: u64, kind: u32, payload: &[u8]) {
        let length = payload.len() as u64;
        self.frame_that_says(length | part << 30 | u64::from(kind) << 32, payload);
    }

    fn frame_that_says(&self, header: u64, payload: &[u8]) {
        let mut position = self.written.get();
        let mut put = |word| {
            self.place(self.end, position).store(word, Ordering::SeqCst);
            position += 8;
        };
        put(header);
        for bytes in payload.chunks(8) {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            put(u64::from_ne_bytes(word));
        }
        self.written.set(position);
        self.own(PUBLISHED).store(position, Ordering::SeqCst);
    }

    /// Sends a message of words, some of which are not what they were to be; a long one in pieces.
    fn send(&self, script: &Script, kind: u32, mut words: Vec<u64>) {
        for _ in 0..script.below(4) {
            let place = script.below(words.len().max(1));
            if let Some(word) = words.get_mut(place) {
                *word = script.number();
            }
        }
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        if bytes.len() <= RING / 4 {
            self.frame(Part::Whole as u64, kind, &bytes);
        } else {
            let length = bytes.len() as u64;
            self.frame(Part::Opening as u64, kind, &length.to_ne_bytes());
            for piece in bytes.chunks(RING / 4).take(3) {
                self.frame(Part::Piece as u64, kind, piece);
            }
        }
        if script.below(4) != 0 {
            self.ring();
        }
    }

    /// Answers by an image in sealed memory, or in memory that is not.
    fn send_sealed_image(&self, script: &Script) {
        let mut image = messages::image(script);
        for _ in 0..script.below(3) {
            let place = script.below(image.len());
            image[place] = script.number();
        }
        let bytes: Vec<u8> = image.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let mut unsealed = Unsealed::new(bytes.len()).unwrap();
        unsealed.write(0, &bytes).unwrap();
        let sealed = unsealed.seal().unwrap();
        match script.below(4) {
            0 => self.say(b"d", &[0]),
            1 => {}
            _ => self.say(b"d", &[sealed.descriptor().as_raw_fd()]),
        }
        let words = image.len() as u64;
        let answer = messages::sealed_image(script, self.asked.get(), words);
        self.send(script, messages::ANSWER | messages::WITH_DESCRIPTOR, answer);
    }

    fn send_frames_by_hand(&self, script: &Script) {
        for _ in 0..script.below(4) {
            let payload = script.bytes(64);
            match script.below(3) {
                0 => self.frame_that_says(script.word(), &payload),
                1 => self.frame(script.below(4) as u64, u32::from(script.byte()), &payload),
                _ => {
                    let total = script.number().to_ne_bytes();
                    self.frame(Part::Opening as u64, u32::from(script.byte()), &total);
                }
            }
        }
    }

    /// Takes everything that it was sent, and notes the number of the last request.
    pub fn read(&self) {
        let published = self.theirs(PUBLISHED).load(Ordering::SeqCst);
        let mut position = self.own(CONSUMED).load(Ordering::SeqCst);
        while position < published && published - position <= RING as u64 {
            let word = |at: u64| self.place(self.end.other(), at).load(Ordering::SeqCst);
            let header = word(position);
            let kind = header >> 32;
            if [messages::REQUEST, messages::MARKER]
                .map(u64::from)
                .contains(&kind)
            {
                self.asked.set(word(position.wrapping_add(8)));
            }
            let length = header & ((1 << 30) - 1);
            position = position.saturating_add(8 + length.next_multiple_of(8));
        }
        self.own(CONSUMED).store(published, Ordering::SeqCst);
        self.ring();
    }

    fn scribble(&self, script: &Script) {
        let at = script.word() as usize % SIZE;
        for (offset, byte) in script.bytes(16).into_iter().enumerate() {
            let place = (at + offset) % SIZE;
            // SAFETY: the byte lies in the mapping; this thread alone uses it now.
            unsafe { self.start.add(place).write_volatile(byte) };
        }
    }

    fn lie_about_a_cursor(&self, script: &Script) {
        let cursor = [PUBLISHED, CONSUMED, SLEEPING][script.below(3)];
        let word = match script.below(3) {
            0 => self.theirs(cursor),
            _ => self.own(cursor),
        };
        let distance = script.number().wrapping_mul(8);
        let before = word.load(Ordering::SeqCst);
        let value = match script.below(3) {
            0 => script.word(),
            1 => before.wrapping_add(distance),
            _ => before.wrapping_sub(distance),
        };
        word.store(value, Ordering::SeqCst);
    }

    fn ring(&self) {
        self.say(b"w", &[]);
    }

    /// Sends anything through the socket, descriptors too.
    fn signal(&self, script: &Script) {
        let text = match script.below(4) {
            0 => b"d".to_vec(),
            1 => b"w".to_vec(),
            _ => script.bytes(20),
        };
        let count = script.below(20);
        // Standard input may be sent: it is never read.
        self.say(&text, &vec![0; count]);
    }

    fn say(&self, text: &[u8], descriptors: &[i32]) {
        let Some(socket) = self.socket.take() else {
            return;
        };
        let mut control = [0u64; 20];
        // SAFETY: all that the message points to is this frame's, which has room for the descriptors.
        unsafe {
            let mut part = libc::iovec {
                iov_base: text.as_ptr().cast_mut().cast(),
                iov_len: text.len(),
            };
            let mut message: libc::msghdr = std::mem::zeroed();
            message.msg_iov = &mut part;
            message.msg_iovlen = 1;
            if !descriptors.is_empty() {
                let size = size_of_val(descriptors) as u32;
                message.msg_control = control.as_mut_ptr().cast();
                message.msg_controllen = libc::CMSG_SPACE(size) as usize;
                let first = libc::CMSG_FIRSTHDR(&message);
                (*first).cmsg_level = libc::SOL_SOCKET;
                (*first).cmsg_type = libc::SCM_RIGHTS;
                (*first).cmsg_len = libc::CMSG_LEN(size) as usize;
                let data = libc::CMSG_DATA(first).cast::<i32>();
                data.copy_from(descriptors.as_ptr(), descriptors.len());
            }
            let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
            libc::sendmsg(socket.as_raw_fd(), &message, flags);
        }
        self.socket.set(Some(socket));
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        // SAFETY: the mapping is this one's own.
        unsafe { libc::munmap(self.start.cast(), SIZE) };
    }
}
