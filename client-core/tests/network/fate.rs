//! Chance, replayable.

/// An xorshift generator.
#[derive(Clone)]
pub struct Fate(u64);

impl Fate {
    pub fn new(seed: u64) -> Self {
        let mut fate = Self(seed ^ 0x9E37_79B9_7F4A_7C15 | 1);
        for _ in 0..8 {
            fate.roll();
        }
        fate
    }

    pub fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        (self.roll() >> 11) % limit
    }

    pub fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }
}
