//! A page with a module of functions, which tests call.

use std::fmt;
use std::path::Path;

use pigeonhub_tests::{Browser, Lid, PATIENCE, PageServer, eventually};
use serde_json::{Value, json};

/// Serves the pages of this directory.
pub async fn serve() -> PageServer {
    PageServer::start(&Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/pages")).await
}

/// A browser that has loaded one of the modules in `pages/`.
pub struct Page {
    name: &'static str,
    module: &'static str,
    browser: Browser,
}

impl Page {
    /// Opens a browser for this module.
    pub async fn open(server: &PageServer, name: &'static str, module: &'static str) -> Self {
        Self { name, module, browser: Browser::at(name, &server.url("/")).await }
    }

    /// Calls a function of the module.
    pub async fn call(&self, function: &str, arguments: impl Into<Value>) -> Value {
        let body = "const [module, name, values] = args; return (await import(module))[name](...values);";
        let module = format!("/pages/{}", self.module);
        self.browser.run(body, &[json!(module), json!(function), arguments.into()]).await
    }

    /// Calls a function until it returns something.
    pub async fn until(&self, function: &str, arguments: impl Into<Value>) -> Value {
        let arguments = arguments.into();
        let what = format!("{}: {function}{arguments}", self.name);
        eventually(&what, PATIENCE * 2, async || {
            let value = self.call(function, arguments.clone()).await;
            (!value.is_null()).then_some(value)
        })
        .await
    }

    /// Closes the lid of its laptop.
    pub async fn close_lid(&self) -> Lid<'_> {
        self.browser.close_lid().await
    }

    /// The browser freezes the page.
    pub async fn freeze(&self) {
        self.browser.freeze().await;
    }

    /// It runs again.
    pub async fn thaw(&self) {
        self.browser.thaw().await;
    }

    /// Goes to another page.
    pub async fn leave(&self, url: &str) {
        self.browser.driver.goto(url).await.unwrap();
    }

    /// Waits for this message of a peer.
    pub async fn hears(&self, from: &str, message: &str) {
        self.until("heard", [from, message]).await;
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
