//! What two ends tell each other first, and what they agree on.
//!
//! A hello is a message of 40 bytes, the first one of each direction:
//!
//! | bytes | what |
//! |---|---|
//! | 0 to 7 | [`MAGIC`] |
//! | 8 to 11 | the oldest version of what follows that this end speaks |
//! | 12 to 15 | the newest one |
//! | 16 to 23 | features that it has, a bit each |
//! | 24 to 31 | those of them that it can't do without |
//! | 32 to 39 | the longest message that it accepts |
//!
//! Numbers are as the machine has them: both ends are on one machine. What the bits and versions mean is the
//! business of who uses the channel. Later versions may append: what is longer is read up to here.

use crate::status::{RS_ERR_PEER, RS_ERR_UNSUPPORTED, rs_status};

/// Says "this is a hello of vmshare's channels".
pub const MAGIC: u64 = u64::from_ne_bytes(*b"vmshare\x01");

/// Bytes of a hello.
pub const LENGTH: usize = 40;

/// What one end tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The oldest version that it speaks.
    pub oldest: u32,
    /// The newest version that it speaks.
    pub newest: u32,
    /// Features that it has.
    pub features: u64,
    /// Features that it can't do without.
    pub required: u64,
    /// Bytes of the longest message that it accepts.
    pub longest_message: u64,
}

/// What both ends have agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// The newest version that both speak.
    pub version: u32,
    /// Features that both have.
    pub features: u64,
    /// Bytes of the longest message that the peer accepts.
    pub longest_message: u64,
}

impl Hello {
    /// As it is sent.
    pub fn to_bytes(self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        bytes[0..8].copy_from_slice(&MAGIC.to_ne_bytes());
        bytes[8..12].copy_from_slice(&self.oldest.to_ne_bytes());
        bytes[12..16].copy_from_slice(&self.newest.to_ne_bytes());
        bytes[16..24].copy_from_slice(&self.features.to_ne_bytes());
        bytes[24..32].copy_from_slice(&self.required.to_ne_bytes());
        bytes[32..40].copy_from_slice(&self.longest_message.to_ne_bytes());
        bytes
    }

    /// As it was received. `RS_ERR_PEER` if it is none.
    pub fn of_bytes(bytes: &[u8]) -> Result<Hello, rs_status> {
        let bytes: &[u8; LENGTH] = bytes.first_chunk().ok_or(RS_ERR_PEER)?;
        let long = |at: usize| u64::from_ne_bytes(core::array::from_fn(|index| bytes[at + index]));
        let short = |at: usize| u32::from_ne_bytes(core::array::from_fn(|index| bytes[at + index]));
        if long(0) != MAGIC {
            return Err(RS_ERR_PEER);
        }
        Ok(Hello {
            oldest: short(8),
            newest: short(12),
            features: long(16),
            required: long(24),
            longest_message: long(32),
        })
    }

    /// What this end and a peer that says `theirs` agree on: both come to the same, or to `RS_ERR_UNSUPPORTED`.
    pub fn agree(&self, theirs: &Hello) -> Result<Agreement, rs_status> {
        let version = self.newest.min(theirs.newest);
        let features = self.features & theirs.features;
        let required = self.required | theirs.required;
        if version < self.oldest.max(theirs.oldest) || features & required != required {
            return Err(RS_ERR_UNSUPPORTED);
        }
        Ok(Agreement {
            version,
            features,
            longest_message: theirs.longest_message,
        })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const HELLO: Hello = Hello {
        oldest: 2,
        newest: 5,
        features: 0b0111,
        required: 0b0001,
        longest_message: 1000,
    };

    #[test]
    fn a_hello_arrives_as_it_was_sent() {
        assert_eq!(Hello::of_bytes(&HELLO.to_bytes()), Ok(HELLO));
    }

    #[test]
    fn both_ends_come_to_the_same() {
        let other = Hello {
            oldest: 1,
            newest: 3,
            features: 0b1011,
            required: 0b0010,
            longest_message: 2000,
        };
        let agreed = HELLO.agree(&other).unwrap();
        assert_eq!((agreed.version, agreed.features), (3, 0b0011));
        assert_eq!(agreed.longest_message, 2000);
        let agreed = other.agree(&HELLO).unwrap();
        assert_eq!((agreed.version, agreed.features), (3, 0b0011));
        assert_eq!(agreed.longest_message, 1000);
    }

    #[test]
    fn without_a_common_version_or_a_required_feature_both_refuse() {
        let too_old = Hello {
            oldest: 1,
            newest: 1,
            ..HELLO
        };
        let too_poor = Hello {
            features: 0b0110,
            required: 0,
            ..HELLO
        };
        let too_demanding = Hello {
            features: 0b1111,
            required: 0b1000,
            ..HELLO
        };
        for other in [too_old, too_poor, too_demanding] {
            assert_eq!(HELLO.agree(&other), Err(RS_ERR_UNSUPPORTED));
            assert_eq!(other.agree(&HELLO), Err(RS_ERR_UNSUPPORTED));
        }
    }

    #[test]
    fn what_is_no_hello_breaks_the_protocol() {
        let bytes = HELLO.to_bytes();
        assert_eq!(Hello::of_bytes(&bytes[..39]), Err(RS_ERR_PEER));
        let mut other = bytes;
        other[3] ^= 1;
        assert_eq!(Hello::of_bytes(&other), Err(RS_ERR_PEER));
    }
}
