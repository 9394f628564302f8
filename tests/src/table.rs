//! Markdown tables, medians, and figures with their aims.

use std::fmt;

/// A Markdown table, all columns to the right.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With these headings.
    #[must_use]
    pub fn new(columns: &[&str]) -> Self {
        Self { rows: vec![columns.iter().map(|&column| column.into()).collect()] }
    }

    /// Adds a row, and shows it at once.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        eprintln!("  {}", cells.join(" | "));
        self.rows.push(cells.into());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, row) in self.rows.iter().enumerate() {
            writeln!(f, "| {} |", row.join(" | "))?;
            if number == 0 {
                writeln!(f, "|{}", " ---: |".repeat(row.len()))?;
            }
        }
        Ok(())
    }
}

/// What a figure should be.
#[derive(Clone, Copy)]
pub enum Aim {
    /// No less.
    AtLeast(f64),
    /// No more.
    AtMost(f64),
}

impl Aim {
    /// The figure, and whether the aim is met.
    #[must_use]
    pub fn judge(self, figure: f64) -> String {
        let met = match self {
            Self::AtLeast(least) => figure >= least,
            Self::AtMost(most) => figure <= most,
        };
        format!("{figure:.2} {}", if met { "met" } else { "**missed**" })
    }
}

/// The middle figure; 0 of none.
pub fn median(figures: impl Iterator<Item = f64>) -> f64 {
    quantile(&mut figures.collect::<Vec<_>>(), 0.5)
}

/// The figure that this part of all figures does not exceed; 0 of none. Sorts them.
pub fn quantile(figures: &mut [f64], part: f64) -> f64 {
    figures.sort_by(f64::total_cmp);
    let last = figures.len().saturating_sub(1);
    figures.get((last as f64 * part).round() as usize).copied().unwrap_or_default()
}
