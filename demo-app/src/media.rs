//! This page's own camera and microphone, shared by all calls.

use js_sys::Reflect;
use leptos::prelude::*;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{MediaStream, MediaStreamConstraints, MediaStreamTrack};

/// Camera and microphone.
#[derive(Clone, Copy)]
pub struct Media {
    /// What is sent, if anything is.
    pub stream: RwSignal<Option<MediaStream>, LocalStorage>,
    /// The microphone is on. It may be on without a stream: then it will be.
    pub mic: RwSignal<bool>,
    /// The camera is on, likewise.
    pub camera: RwSignal<bool>,
    /// What went wrong, in plain words.
    pub trouble: RwSignal<Option<String>>,
}

impl Media {
    /// Nothing is open.
    pub fn new() -> Self {
        Self {
            stream: RwSignal::new_local(None),
            mic: RwSignal::new(true),
            camera: RwSignal::new(true),
            trouble: RwSignal::new(None),
        }
    }

    /// The stream: opened with what there is, or none if there is nothing (then `trouble` says why).
    pub async fn open(&self) -> Option<MediaStream> {
        if let Some(stream) = self.stream.get_untracked() {
            return Some(stream);
        }
        let mut first_trouble = None;
        // A machine without a camera can still speak, one without a microphone can still be seen.
        for (video, audio) in [(true, true), (false, true), (true, false)] {
            match ask(video, audio).await {
                Ok(stream) => {
                    let missing = first_trouble.map(|name: String| explain(&name, video, audio));
                    return Some(self.take(stream, video, audio, missing));
                }
                Err(name) => first_trouble = first_trouble.or(Some(name)),
            }
        }
        self.trouble.set(first_trouble.map(|name| explain(&name, false, false)));
        None
    }

    /// Has this stream, unless another call opened one in the meantime: then that is it.
    fn take(&self, stream: MediaStream, video: bool, audio: bool, missing: Option<String>) -> MediaStream {
        if let Some(first) = self.stream.get_untracked() {
            stop(&stream);
            return first;
        }
        self.trouble.set(missing);
        self.stream.set(Some(Clone::clone(&stream)));
        // What was off stays off.
        self.set_mic(audio && self.mic.get_untracked());
        self.set_camera(video && self.camera.get_untracked());
        stream
    }

    /// Whether the stream has a picture at all.
    pub fn has_camera(&self) -> bool {
        self.stream.with(|s| s.as_ref().is_some_and(|s| s.get_video_tracks().length() > 0))
    }

    /// Turns the microphone on or off for all calls.
    pub fn set_mic(&self, on: bool) {
        self.mic.set(on);
        self.enable("audio", on);
    }

    /// Turns the camera on or off for all calls.
    pub fn set_camera(&self, on: bool) {
        self.camera.set(on);
        self.enable("video", on);
    }

    /// Lets go of both: their lights go out. The next call begins with both on.
    pub fn close(&self) {
        self.stream.with_untracked(|stream| stream.iter().for_each(stop));
        self.stream.set(None);
        self.mic.set(true);
        self.camera.set(true);
    }

    fn enable(&self, kind: &str, on: bool) {
        self.stream.with_untracked(|stream| {
            for track in stream.iter().flat_map(tracks).filter(|track| track.kind() == kind) {
                track.set_enabled(on);
            }
        });
    }
}

fn stop(stream: &MediaStream) {
    tracks(stream).for_each(|track| track.stop());
}

fn tracks(stream: &MediaStream) -> impl Iterator<Item = MediaStreamTrack> + use<> {
    stream.get_tracks().into_iter().map(MediaStreamTrack::from)
}

/// Asks the browser, or gives the name of its error.
async fn ask(video: bool, audio: bool) -> Result<MediaStream, String> {
    let name = |thrown: JsValue| {
        let name = Reflect::get(&thrown, &"name".into()).ok().and_then(|name| name.as_string());
        name.unwrap_or_else(|| "Error".to_owned())
    };
    let wanted = MediaStreamConstraints::new();
    wanted.set_video(&video.into());
    wanted.set_audio(&audio.into());
    // Pages that are neither HTTPS nor on this machine have no `mediaDevices` at all.
    let devices = window().navigator().media_devices().map_err(|_| "Insecure".to_owned())?;
    if devices.is_undefined() {
        return Err("Insecure".to_owned());
    }
    let promise = devices.get_user_media_with_constraints(&wanted).map_err(name)?;
    JsFuture::from(promise).await.map(MediaStream::from).map_err(name)
}

/// What is wrong, what it means for the call, and what to do.
fn explain(error: &str, video: bool, audio: bool) -> String {
    let (what, remedy) = match error {
        "NotFoundError" | "OverconstrainedError" => ("was not found", "Plug one in and turn it on below."),
        "NotAllowedError" | "SecurityError" => {
            ("may not be used", "Allow it beside the page's address, then turn it on below.")
        }
        "NotReadableError" | "AbortError" => {
            ("is busy", "Close the program that uses it, then turn it on below.")
        }
        "Insecure" => ("is out of reach", "Browsers give cameras only to HTTPS pages and to localhost."),
        _ => ("could not be opened", "Try again below."),
    };
    let (device, goes_on) = match (video, audio) {
        (false, true) => ("Your camera", "The call goes on with your voice only."),
        (true, false) => ("Your microphone", "The call goes on with your picture only."),
        _ => ("Your camera or microphone", "The call goes on without them: you still see, hear and chat."),
    };
    format!("{device} {what}. {goes_on} {remedy}")
}

#[cfg(test)]
mod tests {
    use super::explain;

    #[test]
    fn trouble_is_named_with_its_consequence_and_remedy() {
        assert_eq!(
            explain("NotFoundError", false, true),
            "Your camera was not found. The call goes on with your voice only. Plug one in and turn it on below."
        );
        assert!(explain("NotAllowedError", false, false).contains("Allow it beside the page's address"));
        assert!(explain("Insecure", false, false).contains("HTTPS"));
    }
}
