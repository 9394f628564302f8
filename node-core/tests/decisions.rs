//! Decision tables: this event on these facts gives exactly these replies, changes and errands, and
//! nothing else. Peers are letters, node `n1` decides, lines are explained in `support/lines.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support {
    pub mod lines;
    pub mod scene;
    pub mod words;
}

mod decide {
    mod admit;
    mod announce;
    mod between;
    mod depart;
    mod lease;
    mod passed;
    mod proof;
    mod settled;
    mod signal;
}
