//! The only source of chance in a simulation: splitmix64, small and good enough, so that a seed is a whole run.

/// A stream of pseudo-random numbers (splitmix64, Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The stream of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed ^ 0x5851_f42d_4c95_7f2d)
    }

    /// A stream of its own, so that one actor's draws do not shift another's.
    pub fn fork(&mut self, salt: u64) -> Self {
        Self::new(self.word() ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// The next 64 bits.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// `low..=high`.
    pub fn range(&mut self, low: u64, high: u64) -> u64 {
        debug_assert!(low <= high);
        low + self.word() % (high - low + 1)
    }

    /// `low..=high`, as a length.
    pub fn size(&mut self, low: usize, high: usize) -> usize {
        usize::try_from(self.range(low as u64, high as u64)).unwrap_or(low)
    }

    /// True `percent` times in a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.word() % 100 < percent
    }

    /// One of these; there must be one.
    ///
    /// # Panics
    /// The slice is empty.
    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.size(0, from.len() - 1)].clone()
    }

    /// Waiting times: many short, few long (mean as given, at most ten times that).
    pub fn wait(&mut self, mean: u64) -> u64 {
        let halvings = self.word().trailing_zeros().min(4);
        let top = (mean << halvings) / 2;
        self.range(top / 8, top + 1)
    }

    /// So many bytes.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.word().to_le_bytes()[3]).collect()
    }
}
