//! Remote objects: links between processes, and references over them.
//!
//! - [`link`]: one end of a link; [`session`]: its messages.
//! - [`pins`]: what the peer refers to; [`remotes`]: what this process refers to.
//! - [`wire`], [`values`]: what messages hold.
//! - [`ask`]: asking; [`serve`]: answering.

pub mod ask;
pub mod link;
pub mod pins;
pub mod remotes;
pub mod serve;
pub mod session;
pub mod values;
pub mod wire;
