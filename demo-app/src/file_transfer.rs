//! Files through a call: cut into pieces here, put together there.

use std::collections::BTreeMap;

use js_sys::{Array, Uint8Array};
use leptos::prelude::*;
use leptos::task::spawn_local;
use pigeonhub_wasm::Link;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, File, HtmlInputElement, Url};

use crate::call::Call;
use crate::chat::{self, What};
use crate::state::State;
use crate::words::{self, FileHeader, FileId, LARGEST_FILE, PIECE, Receipt, Word, readable_size};

/// How a file stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Bytes that went or came so far.
    Moving(u64),
    /// All sent; the other side has not said yet that it is whole.
    Sent,
    /// Whole. On the receiving side with an address to save it from.
    Whole(Option<String>),
    /// It will never be whole, and why.
    Stopped(String),
}

/// A file in the chat.
#[derive(Clone)]
pub struct FileItem {
    /// What it is.
    pub header: FileHeader,
    /// How it stands.
    pub progress: RwSignal<Progress>,
}

/// The files of one call that are on their way.
#[derive(Default)]
pub struct Inbox {
    arriving: BTreeMap<FileId, Arrival>,
    leaving: BTreeMap<FileId, FileItem>,
    sent: u32,
}

struct Arrival {
    receipt: Receipt,
    pieces: Array,
    progress: RwSignal<Progress>,
}

/// Sends the file that the reader chose.
pub fn send_chosen(state: State, call: Call, input: &HtmlInputElement) {
    let file = input.files().and_then(|files| files.get(0));
    // So that the same file can be chosen again.
    input.set_value("");
    let (Some(file), Some(link)) = (file, call.link.get_untracked()) else { return };
    let progress = state.make(|| RwSignal::new(Progress::Moving(0)));
    let item = call.inbox.try_update_value(|inbox| {
        inbox.sent += 1;
        let id = FileId(inbox.sent);
        let header = FileHeader { id, name: file.name(), mime: file.type_(), size: file.size() as u64 };
        let item = FileItem { header, progress };
        inbox.leaving.insert(id, item.clone());
        item
    });
    let Some(item) = item else { return };
    chat::add(call, true, What::File(item.clone()));
    spawn_local(async move {
        let id = item.header.id;
        if let Err(reason) = send(&link, &file, item).await {
            let to_them = "it could not be read to its end".to_owned();
            call.tell(&Word::FileStopped { id, by_sender: true, reason: to_them });
            stop(progress, &reason);
        }
    });
}

async fn send(link: &Link, file: &File, item: FileItem) -> Result<(), String> {
    let FileItem { header, progress } = item;
    let FileHeader { id, size, .. } = header;
    if size > LARGEST_FILE {
        return Err(format!("it is larger than {}", readable_size(LARGEST_FILE)));
    }
    let unsent = |error: pigeonhub_wasm::HubError| error.text;
    link.send_text(&Word::File(header).to_text()).await.map_err(unsent)?;
    let mut gone = 0;
    for index in 0.. {
        if gone == size {
            break;
        }
        // Either side may have stopped it meanwhile.
        if !matches!(progress.get_untracked(), Progress::Moving(_)) {
            return Ok(());
        }
        let until = size.min(gone + PIECE);
        let bytes = read(file, gone, until).await.ok_or("it changed or vanished on disk")?;
        link.send_bytes(&words::piece(id, index, &bytes)).await.map_err(unsent)?;
        gone = until;
        progress.update(|progress| advance(progress, gone));
    }
    progress.update(|progress| {
        if let Progress::Moving(_) = progress {
            *progress = Progress::Sent;
        }
    });
    Ok(())
}

async fn read(file: &File, from: u64, until: u64) -> Option<Vec<u8>> {
    let part = file.slice_with_f64_and_f64(from as f64, until as f64).ok()?;
    let bytes = Uint8Array::new(&JsFuture::from(part.array_buffer()).await.ok()?).to_vec();
    (bytes.len() as u64 == until - from).then_some(bytes)
}

/// A file is announced.
pub fn expect(state: State, call: Call, header: FileHeader) {
    let id = header.id;
    let progress = state.make(|| RwSignal::new(Progress::Moving(0)));
    chat::add(call, false, What::File(FileItem { header: header.clone(), progress }));
    match Receipt::expect(header) {
        Ok(receipt) => {
            let arrival = Arrival { receipt, pieces: Array::new(), progress };
            call.inbox.update_value(|inbox| {
                inbox.arriving.insert(id, arrival);
            });
            finish_if_whole(call, id);
        }
        Err(reason) => refuse(call, id, progress, reason),
    }
}

/// A piece came.
pub fn take_piece(call: Call, message: &[u8]) {
    let Some((id, index, bytes)) = words::read_piece(message) else { return };
    let taken = call.inbox.try_update_value(|inbox| {
        let arrival = inbox.arriving.get_mut(&id)?;
        let taken = arrival.receipt.take(index, bytes.len());
        if taken.is_ok() {
            arrival.pieces.push(&Uint8Array::from(bytes));
        }
        Some((taken, arrival.receipt.arrived, arrival.progress))
    });
    // Pieces of a file that was stopped may still be on their way.
    let Some((taken, arrived, progress)) = taken.flatten() else { return };
    match taken {
        Ok(()) => {
            progress.update(|progress| advance(progress, arrived));
            finish_if_whole(call, id);
        }
        Err(reason) => refuse(call, id, progress, reason),
    }
}

fn finish_if_whole(call: Call, id: FileId) {
    let whole = |inbox: &mut Inbox| {
        let whole = inbox.arriving.get(&id)?.receipt.is_whole();
        whole.then(|| inbox.arriving.remove(&id))?
    };
    let Some(Arrival { receipt, pieces, progress }) = call.inbox.try_update_value(whole).flatten() else {
        return;
    };
    let kind = BlobPropertyBag::new();
    kind.set_type(&receipt.header.mime);
    let blob = Blob::new_with_u8_array_sequence_and_options(&pieces, &kind);
    match blob.and_then(|blob| Url::create_object_url_with_blob(&blob)) {
        Ok(url) => {
            progress.set(Progress::Whole(Some(url)));
            call.tell(&Word::FileWhole { id, size: receipt.arrived });
        }
        Err(_) => refuse(call, id, progress, "the browser could not keep it"),
    }
}

/// The other side has the file.
pub fn delivered(call: Call, id: FileId, size: u64) {
    let item = call.inbox.try_update_value(|inbox| inbox.leaving.remove(&id)).flatten();
    if let Some(FileItem { header, progress }) = item {
        match header.size == size {
            true => progress.set(Progress::Whole(None)),
            false => stop(progress, "a part of it is missing there"),
        }
    }
}

/// The other side has no more of a file, or wants no more of it.
pub fn stopped(call: Call, id: FileId, by_sender: bool, reason: &str) {
    let ended = call.inbox.try_update_value(|inbox| {
        if by_sender {
            inbox.arriving.remove(&id).map(|arrival| arrival.progress)
        } else {
            inbox.leaving.remove(&id).map(|item| item.progress)
        }
    });
    if let Some(progress) = ended.flatten() {
        stop(progress, reason);
    }
}

/// The reader wants no more of a file.
pub fn give_up(call: Call, item: &FileItem, mine: bool) {
    let id = item.header.id;
    stopped(call, id, !mine, "you stopped it");
    call.tell(&Word::FileStopped { id, by_sender: mine, reason: "the other side stopped it".to_owned() });
}

/// All files of a call that are on their way are lost.
pub fn abandon(call: Call, reason: &str) {
    let all = call.inbox.try_update_value(|inbox| {
        let arriving = std::mem::take(&mut inbox.arriving).into_values().map(|arrival| arrival.progress);
        let leaving = std::mem::take(&mut inbox.leaving).into_values().map(|item| item.progress);
        arriving.chain(leaving).collect::<Vec<_>>()
    });
    for progress in all.unwrap_or_default() {
        stop(progress, reason);
    }
}

fn refuse(call: Call, id: FileId, progress: RwSignal<Progress>, reason: &str) {
    call.inbox.update_value(|inbox| {
        inbox.arriving.remove(&id);
    });
    stop(progress, reason);
    call.tell(&Word::FileStopped { id, by_sender: false, reason: reason.to_owned() });
}

fn stop(progress: RwSignal<Progress>, reason: &str) {
    progress.set(Progress::Stopped(reason.to_owned()));
}

fn advance(progress: &mut Progress, bytes: u64) {
    if let Progress::Moving(_) = progress {
        *progress = Progress::Moving(bytes);
    }
}
