//! Dice: a small generator, seeded afresh by the host for every call.

/// SplitMix64 (Steele, Lea, Flood 2014). It spreads waits and makes ids unique; nothing secret
/// depends on it.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number, all equally likely.
    pub(crate) const fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number up to and including `most`. The bias of the remainder is far below what a wait
    /// could show.
    pub(crate) const fn up_to(&mut self, most: u64) -> u64 {
        self.roll() % most.saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_reference_implementation() {
        let mut dice = Dice::new(1_234_567);
        assert_eq!(dice.roll(), 6_457_827_717_110_365_317);
        assert_eq!(dice.roll(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn no_number_is_above_the_most() {
        let mut dice = Dice::new(7);
        assert!((0..1000).all(|_| dice.up_to(5) <= 5));
        assert_eq!(dice.up_to(0), 0);
        dice.up_to(u64::MAX);
    }
}
