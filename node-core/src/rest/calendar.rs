//! Points in time as people and JavaScript's `toISOString` write them.

use alloc::format;
use alloc::string::String;

use pigeonhub_protocol::Millis;

/// `2025-01-31T23:59:59.999Z`.
#[must_use]
pub fn iso_8601(at: Millis) -> String {
    const DAY: u64 = 24 * 60 * 60 * 1000;
    let (year, month, day) = civil_from_days(at.0 / DAY);
    let millis = at.0 % DAY;
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{millis:03}Z")
}

/// The date in the Gregorian calendar so many days after 1970-01-01.
///
/// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years begin in March, so that the
/// leap day is the last one, in eras of 400 years.
const fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}
