//! A page that shows PigeonHub: calls across nodes, and what happens when a node dies.
//!
//! What can be thought without a browser is pure and tested: [`address`], [`words`], [`mesh`],
//! [`mesh_layout`], [`narration`]. [`state`] holds what the page knows; [`session`], [`board`], [`call`],
//! [`file_transfer`], [`media`] and [`mesh_poll`] change it; the rest shows it.

mod address;
mod app;
mod board;
mod board_view;
mod call;
mod call_view;
mod chat;
mod clock;
mod control;
mod event_log;
mod file_transfer;
mod file_view;
mod icon;
mod join;
mod media;
mod mesh;
mod mesh_layout;
mod mesh_poll;
mod mesh_view;
mod narration;
mod people;
mod picture;
mod remember;
mod session;
mod state;
mod words;

fn main() {
    // What stood there while the module was loading has done its work.
    if let Some(waiting) = leptos::prelude::document().get_element_by_id("loading") {
        waiting.remove();
    }
    leptos::mount::mount_to_body(app::App);
}
