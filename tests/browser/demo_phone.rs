//! The demo on a phone, and by keyboard alone.

use pigeonhub_tests::{Mesh, one_browser_test_at_a_time};
use serde_json::json;

use crate::visitor::Visitor;

impl Visitor {
    /// Nothing of the page is beside a window of this width.
    async fn fits(&self, width: u32) {
        let widths = "return [innerWidth, Math.max(innerWidth, document.documentElement.scrollWidth)]";
        assert_eq!(
            self.browser.run(widths, &[]).await,
            json!([width, width]),
            "{} scrolls sideways",
            self.name
        );
    }
}

#[tokio::test]
async fn a_browser_as_small_as_a_phone_and_a_keyboard_are_enough_to_join_call_and_hang_up() {
    const WIDTH: u32 = 390;
    let _turn = one_browser_test_at_a_time().await;
    let mesh = Mesh::patient(2).await;
    let ben = Visitor::join("Ben", &mesh.nodes[1], &[]).await;
    let mut ada = Visitor::open("Ada", &mesh.nodes[0].url(""), "", &[]).await;
    for visitor in [&ada, &ben] {
        visitor.browser.resize(WIDTH, 844).await;
    }

    ada.fits(WIDTH).await;
    ada.enter("[data-testid=join]").await;
    ada.is_inside().await;
    ada.find(&format!("[data-testid='peer-{}']", ben.id)).await;
    ada.fits(WIDTH).await;
    ada.enter(&format!("[data-testid='peer-{}'] [data-testid=call-video]", ben.id)).await;
    ada.connected(&ben).await;
    ben.enter(&Visitor::in_call(&ada, "answer-video")).await;
    for (visitor, other) in [(&ada, &ben), (&ben, &ada)] {
        visitor.sees_video(other).await;
        visitor.fits(WIDTH).await;
    }
    ada.enter(&Visitor::in_call(&ben, "hangup")).await;
    ben.find(&format!("{}[data-state=closed]", Visitor::in_call(&ada, "link-state"))).await;
    for visitor in [&ada, &ben] {
        visitor.fits(WIDTH).await;
    }
}
