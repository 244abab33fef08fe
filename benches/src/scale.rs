//! How large, how often, how long.

/// Sizes of one run.
#[derive(Clone, Copy, PartialEq)]
pub struct Scale {
    /// Objects of a graph that fits the caches.
    pub cached: usize,
    /// Objects of a graph that does not.
    pub uncached: usize,
    /// Objects of the graphs that fail, and that main writes to.
    pub middle: usize,
    /// Objects of the list that is as deep as it is long.
    pub deep: usize,
    /// Elements of the list that another process has.
    pub list: usize,
    /// Times that each program is run.
    pub turns: usize,
    /// Rounds within one run of a program, for a small graph.
    pub rounds: usize,
    /// Rounds within one run of a program, for a large graph.
    pub large_rounds: usize,
    /// Seconds of each turn of a measurement of main's pauses.
    pub seconds: f64,
    /// Levels of the tree of arrays that CRuby shares too.
    pub levels: usize,
}

/// What the table is made of.
pub const REAL: Scale = Scale {
    cached: 10_000,
    uncached: 10_000_000,
    middle: 1_000_000,
    deep: 10_000_000,
    list: 20_000,
    turns: 3,
    rounds: 101,
    large_rounds: 5,
    seconds: 2.0,
    levels: 6,
};

/// Small sizes, which only show that everything works.
pub const QUICK: Scale = Scale {
    cached: 10_000,
    uncached: 200_000,
    middle: 100_000,
    deep: 1_000_000,
    list: 2_000,
    turns: 1,
    rounds: 5,
    large_rounds: 2,
    seconds: 0.5,
    levels: 4,
};
