//! Dice: splitmix64, for choices and names, not for keys.

/// From one number to the next; each is to be [stirred](stir).
pub const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// What the dice show for a number: numbers that are near each other show nothing of it.
#[must_use]
pub const fn stir(number: u64) -> u64 {
    let mut z = number;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
