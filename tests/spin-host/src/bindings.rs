//! Spin's own interfaces in Rust, generated from `wit/`.

// Generated code has no documentation; the .wit files have what there is to say.
#![allow(missing_docs)]

wasmtime::component::bindgen!({
    path: "wit",
    world: "spin",
    imports: { default: async | trappable },
    require_store_data_send: true,
    with: {
        "spin:sqlite/sqlite.connection": crate::sqlite::Connection,
        "fermyon:spin/sqlite.connection": crate::sqlite::Connection,
    },
});
