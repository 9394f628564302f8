//! The house in real pages.
