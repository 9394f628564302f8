//! What one does in a call at the demo, and what the other side sees of it.

use pigeonhub_tests::{Mesh, PATIENCE, eventually, one_browser_test_at_a_time};
use serde_json::{Value, json};

use crate::visitor::Visitor;

/// The brightest that a video shows now, from 0 to 255.
const BRIGHTNESS: &str = "const canvas = new OffscreenCanvas(32, 24).getContext('2d');
    canvas.drawImage(document.querySelector(args[0]), 0, 0, 32, 24);
    const pixels = canvas.getImageData(0, 0, 32, 24).data;
    return Math.max(...pixels.filter((value, index) => index % 4 !== 3));";

/// The loudest of what a video sounds like in two seconds, from 0 to 1. The fake microphone beeps once
/// in each.
const LOUDNESS: &str = "const context = new AudioContext();
    const ear = new AnalyserNode(context, { fftSize: 32768 });
    context.createMediaStreamSource(document.querySelector(args[0]).srcObject).connect(ear);
    await context.resume();
    let loudest = 0;
    for (const end = context.currentTime + 2; context.currentTime < end; ) {
      await new Promise((later) => setTimeout(later, 200));
      const wave = new Float32Array(ear.fftSize);
      ear.getFloatTimeDomainData(wave);
      loudest = Math.max(loudest, ...wave);
    }
    await context.close();
    return loudest;";

/// The nodes that the way of a call's signals leads by in the picture, and whether it is still used.
const WAY: &str = "const path = document.querySelector(`[data-testid='path-${args[0]}']`);
    if (!path) return null;
    const steps = Array.from({ length: path.getTotalLength() }, (_, step) => path.getPointAtLength(step));
    const leadsBy = (node) => {
      const { e, f } = node.transform.baseVal.consolidate().matrix;
      return steps.some(({ x, y }) => Math.hypot(x - e, y - f) < 2);
    };
    const nodes = [...document.querySelectorAll('g.node')].filter(leadsBy).map((node) => node.dataset.testid);
    return { nodes, isUsed: path.dataset.inUse };";

/// From now on a page keeps all tracks of its camera and microphone, copies too, and gets them this late
/// (milliseconds).
const KEEP_TRACKS: &str = "window.tracks = [];
    const keep = (stream) => (window.tracks.push(...stream.getTracks()), stream);
    const { clone } = MediaStream.prototype, { getUserMedia } = MediaDevices.prototype;
    MediaStream.prototype.clone = function () { return keep(clone.call(this)); };
    MediaDevices.prototype.getUserMedia = async function (wanted) {
      await new Promise((later) => setTimeout(later, args[0]));
      return keep(await getUserMedia.call(this, wanted));
    };";

impl Visitor {
    /// Waits until a figure of somebody's video is within these bounds.
    async fn measures(&self, other: &Self, script: &str, bounds: std::ops::Range<f64>) {
        let what = format!("{}: within {bounds:?} for {}: {script}", self.name, other.name);
        let video = json!(Self::in_call(other, "remote-video"));
        eventually(&what, PATIENCE, async || {
            let figure = self.browser.run(script, std::slice::from_ref(&video)).await;
            bounds.contains(&figure.as_f64()?).then_some(())
        })
        .await;
    }

    /// Hears and sees the other side, or does not.
    async fn perceives(&self, other: &Self, voice: bool, picture: bool) {
        self.measures(other, LOUDNESS, if voice { 0.05..f64::MAX } else { 0.0..0.01 }).await;
        self.measures(other, BRIGHTNESS, if picture { 150.0..256.0 } else { 0.0..40.0 }).await;
    }

    /// Reads this over somebody's picture.
    async fn is_noted(&self, other: &Self, text: &str) {
        let css = format!("[data-testid='call-{}'] .note", other.id);
        let read = "return document.querySelector(args[0])?.textContent ?? null";
        eventually(&format!("{} reads of {}: {text:?}", self.name, other.name), PATIENCE, async || {
            (self.browser.run(read, &[json!(css)]).await == text).then_some(())
        })
        .await;
    }

    /// So many tracks were opened until now, and so many are still on.
    async fn has_tracks(&self, opened: usize, live: usize) {
        let count = "return [tracks.length, tracks.filter((track) => track.readyState === 'live').length]";
        let what = format!("{}: {opened} tracks were opened, {live} are live", self.name);
        eventually(&what, PATIENCE, async || {
            (self.browser.run(count, &[]).await == json!([opened, live])).then_some(())
        })
        .await;
    }

    async fn sees_way(&self, other: &Self, way: Value) {
        eventually(&format!("{} sees the way {way}", self.name), PATIENCE, async || {
            (self.browser.run(WAY, &[json!(other.id)]).await == way).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn who_mutes_or_hangs_up_in_one_browser_is_not_heard_or_seen_in_the_other() {
    let _turn = one_browser_test_at_a_time().await;
    let mesh = Mesh::patient(3).await;
    let ada = Visitor::join("Ada", &mesh.nodes[0], &[]).await;
    let ben = Visitor::join("Ben", &mesh.nodes[1], &[]).await;
    for visitor in [&ada, &ben] {
        visitor.browser.run(KEEP_TRACKS, &[json!(0)]).await;
    }
    ada.call(&ben, "call-video").await;
    ben.click(&Visitor::in_call(&ada, "answer-video")).await;
    for (visitor, other) in [(&ada, &ben), (&ben, &ada)] {
        visitor.sees_video(other).await;
        // Ben's answer with his camera went through the call itself.
        let nodes = ["node-node-a", "node-node-b"];
        visitor.sees_way(other, json!({"nodes": nodes, "isUsed": "false"})).await;
    }
    ben.perceives(&ada, true, true).await;
    ben.is_noted(&ada, "").await;

    let (mute, camera) = (Visitor::in_call(&ben, "mute"), Visitor::in_call(&ben, "camera"));
    ada.click(&mute).await;
    ben.is_noted(&ada, "Ada is muted").await;
    ben.perceives(&ada, false, true).await;
    ada.click(&camera).await;
    ben.is_noted(&ada, "Ada's camera and microphone are off").await;
    ben.perceives(&ada, false, false).await;
    ada.perceives(&ben, true, true).await;
    ada.click(&mute).await;
    ben.is_noted(&ada, "Ada's camera is off").await;
    ben.perceives(&ada, true, false).await;
    ada.click(&camera).await;
    ben.is_noted(&ada, "").await;
    ben.perceives(&ada, true, true).await;

    for visitor in [&ada, &ben] {
        visitor.has_tracks(2, 2).await;
    }
    ada.click(&Visitor::in_call(&ben, "hangup")).await;
    ben.find(&format!("{}[data-state=closed]", Visitor::in_call(&ada, "link-state"))).await;
    ben.logs("Ada hung up.").await;
    // The lights of both cameras go out, and nothing of the call is left.
    for (visitor, other) in [(&ada, &ben), (&ben, &ada)] {
        visitor.has_tracks(2, 0).await;
        visitor.sees_way(other, Value::Null).await;
    }
    let shown = "return document.querySelector(args[0]).srcObject";
    assert_eq!(ben.browser.run(shown, &[json!(Visitor::in_call(&ada, "remote-video"))]).await, Value::Null);
    let left = "return document.querySelectorAll(args[0]).length";
    assert_eq!(ada.browser.run(left, &[json!(format!("[data-testid='call-{}']", ben.id))]).await, 0);
}

#[tokio::test]
async fn a_browser_asked_for_its_camera_twice_or_in_vain_turns_it_off_with_the_last_call() {
    let _turn = one_browser_test_at_a_time().await;
    let mesh = Mesh::patient(2).await;
    let ada = Visitor::join("Ada", &mesh.nodes[0], &[]).await;
    let ben = Visitor::join("Ben", &mesh.nodes[1], &[]).await;
    let cleo = Visitor::join("Cleo", &mesh.nodes[1], &[]).await;
    ada.browser.run(KEEP_TRACKS, &[json!(1_000)]).await;
    let hang_up = |other| Visitor::in_call(other, "hangup");

    // Both calls wait for the camera: the second to get one shares the first one's.
    for other in [&ben, &cleo] {
        ada.click(&format!("[data-testid='peer-{}'] [data-testid=call-video]", other.id)).await;
    }
    for other in [&ben, &cleo] {
        ada.connected(other).await;
        other.sees_video(&ada).await;
    }
    ada.has_tracks(4, 2).await;
    ada.click(&hang_up(&ben)).await;
    cleo.sees_video(&ada).await;
    ada.has_tracks(4, 2).await;
    ada.click(&hang_up(&cleo)).await;
    ada.has_tracks(4, 0).await;

    // The call is over before the camera is there.
    ada.click(&format!("[data-testid='peer-{}'] [data-testid=call-video]", ben.id)).await;
    ada.click(&hang_up(&ben)).await;
    ada.has_tracks(6, 0).await;
}
