//! Somebody at the demo.

use std::path::Path;

use pigeonhub_tests::{Browser, PATIENCE, TestNode, eventually};
use serde_json::json;
use thirtyfour::prelude::*;

/// Somebody at the demo.
pub struct Visitor {
    pub name: &'static str,
    pub id: String,
    pub browser: Browser,
}

impl Visitor {
    /// Opens the demo of a node, and joins through it; the others are for when it dies.
    pub async fn join(name: &'static str, node: &TestNode, others: &[&TestNode]) -> Self {
        let urls: Vec<_> = [node].iter().chain(others).map(|node| node.url("")).collect();
        Self::join_at(name, &urls, "").await
    }

    /// The same with the URLs of the nodes, and something at the end of the page's address.
    pub async fn join_at(name: &'static str, nodes: &[String], fragment: &str) -> Self {
        let query = format!("join=1&nodes={}{fragment}", nodes.join(","));
        let mut visitor = Self::open(name, &nodes[0], &query, &[]).await;
        visitor.is_inside().await;
        visitor
    }

    /// Opens the demo of a node with more in the page's address, and flags for the browser.
    pub async fn open(name: &'static str, node: &str, query: &str, flags: &[&str]) -> Self {
        let url = format!("{node}/demo/?name={name}&network=demo&sessions=1&{query}");
        let browser = Browser::start_with(name, flags).await;
        browser.driver.goto(url).await.unwrap();
        Self { name, id: String::new(), browser }
    }

    /// Waits until the page is in the network, and says who it is.
    pub async fn is_inside(&mut self) {
        let own = self.find("[data-testid=me-id]").await;
        self.id = own.attr("data-peer-id").await.unwrap().unwrap();
    }

    /// Waits for an element that can be seen.
    pub async fn find(&self, css: &str) -> WebElement {
        let what = format!("{} sees {css}", self.name);
        eventually(&what, PATIENCE * 2, async || {
            let element = self.browser.driver.find(By::Css(css)).await.ok()?;
            element.is_displayed().await.ok()?.then_some(element)
        })
        .await
    }

    /// Waits until an element is no longer there.
    pub async fn gone(&self, css: &str) {
        eventually(&format!("{} no longer sees {css}", self.name), PATIENCE, async || {
            self.browser.driver.find_all(By::Css(css)).await.ok()?.is_empty().then_some(())
        })
        .await;
    }

    /// Clicks an element, once it is there.
    pub async fn click(&self, css: &str) {
        let what = format!("{} clicks {css}", self.name);
        // What is drawn anew in between is looked for again.
        eventually(&what, PATIENCE * 2, async || {
            let element = self.browser.driver.find(By::Css(css)).await.ok()?;
            element.scroll_into_view().await.ok()?;
            element.click().await.ok()
        })
        .await;
    }

    /// Waits until an element says this.
    pub async fn is_told(&self, css: &str, text: &str) {
        eventually(&format!("{} reads in {css}: {text}", self.name), PATIENCE * 2, async || {
            let element = self.browser.driver.find(By::Css(css)).await.ok()?;
            element.text().await.ok()?.contains(text).then_some(())
        })
        .await;
    }

    /// Goes on with the Tab key to an element, and presses Enter there.
    pub async fn enter(&self, css: &str) {
        eventually(&format!("{} comes to {css} by Tab", self.name), PATIENCE * 2, async || {
            self.browser.driver.action_chain().send_keys(Key::Tab).perform().await.unwrap();
            let is_there = "return !!document.activeElement?.matches(`${args[0]}:focus-visible`)";
            (self.browser.run(is_there, &[json!(css)]).await == true).then_some(())
        })
        .await;
        self.browser.driver.action_chain().send_keys(Key::Enter).perform().await.unwrap();
    }

    /// Something in the call with somebody.
    pub fn in_call(other: &Self, testid: &str) -> String {
        format!("[data-testid='call-{}'] [data-testid='{testid}']", other.id)
    }

    /// Calls somebody; done when both can speak.
    pub async fn call(&self, other: &Self, how: &str) {
        self.click(&format!("[data-testid='peer-{}'] [data-testid='{how}']", other.id)).await;
        self.connected(other).await;
    }

    /// Waits until a call is connected.
    pub async fn connected(&self, other: &Self) {
        self.find(&format!("{}[data-state=connected]", Self::in_call(other, "link-state"))).await;
    }

    async fn say(&self, other: &Self, text: &str) {
        self.find(&Self::in_call(other, "chat-input")).await.send_keys(text).await.unwrap();
        self.click(&Self::in_call(other, "chat-send")).await;
    }

    async fn reads(&self, other: &Self, text: &str) {
        let css = format!("{} li[data-mine=false]", Self::in_call(other, "chat-log"));
        eventually(&format!("{} reads {text}", self.name), PATIENCE, async || {
            for line in self.browser.driver.find_all(By::Css(&css)).await.ok()? {
                if line.text().await.ok()?.contains(text) {
                    return Some(());
                }
            }
            None
        })
        .await;
    }

    /// Waits until the event log says this.
    pub async fn logs(&self, text: &str) {
        self.is_told("[data-testid=log]", text).await;
    }

    /// How many frames of somebody's video were shown until now.
    async fn frames(&self, other: &Self) -> u64 {
        let css = Self::in_call(other, "remote-video");
        let count = "return document.querySelector(args[0])?.getVideoPlaybackQuality().totalVideoFrames ?? 0";
        self.browser.run(count, &[json!(css)]).await.as_u64().unwrap()
    }

    /// Waits until frames of somebody's video are shown.
    pub async fn sees_video(&self, other: &Self) {
        let before = self.frames(other).await;
        eventually(&format!("{} sees {}", self.name, other.name), PATIENCE * 2, async || {
            (self.frames(other).await >= before + 10).then_some(())
        })
        .await;
    }

    /// Sends a file; the other one has the same bytes at the end.
    pub async fn send_file(&self, other: &Self, path: &Path, length: usize) {
        // The field itself is hidden behind a button.
        let field = self.browser.driver.find(By::Css(Self::in_call(other, "file-input"))).await.unwrap();
        field.send_keys(path.to_str().unwrap()).await.unwrap();
        for (visitor, partner) in [(self, other), (other, self)] {
            visitor.find(&format!("{}[data-state=whole]", Self::in_call(partner, "file"))).await;
        }
        let link = other.find(&Self::in_call(self, "file-link")).await;
        let url = link.attr("href").await.unwrap().unwrap();
        let received = "return (await (await fetch(args[0])).arrayBuffer()).byteLength";
        assert_eq!(other.browser.run(received, &[json!(url)]).await, length);
    }
}

/// A line from each to the other.
pub async fn assert_chat(one: &Visitor, other: &Visitor, text: &str) {
    for (from, to) in [(one, other), (other, one)] {
        from.say(to, &format!("{text}, says {}", from.name)).await;
        to.reads(from, &format!("{text}, says {}", from.name)).await;
    }
}
