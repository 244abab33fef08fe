//! The ways in which a host can be laid out, all of which are measured.

/// Where flags live.
pub const PLACEMENTS: [&str; 3] = ["header", "side", "split"];
/// How objects are described.
pub const DESCRIPTIONS: [&str; 2] = ["layouts", "callbacks"];

/// A placement and a description.
#[derive(Clone, Copy)]
pub struct Variant {
    /// Where flags live.
    pub placement: &'static str,
    /// How objects are described.
    pub description: &'static str,
}

impl Variant {
    /// As a part of an id.
    pub fn id(self) -> String {
        format!("{}/{}", self.placement, self.description)
    }

    /// As arguments of a program.
    pub fn arguments(self) -> String {
        format!("{} {}", self.placement, self.description)
    }
}

/// Every placement with every description.
pub fn all() -> impl Iterator<Item = Variant> {
    PLACEMENTS.into_iter().flat_map(|placement| {
        DESCRIPTIONS.map(|description| Variant {
            placement,
            description,
        })
    })
}
