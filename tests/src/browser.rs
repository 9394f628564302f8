//! Real pages: a Chromium of its own for each, driven by a ChromeDriver of its own.

mod lid;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::Method;
use serde_json::{Value, json};
use thirtyfour::prelude::*;
use thirtyfour::{ChromeCapabilities, ChromiumLikeCapabilities};
use tokio::runtime::Runtime;
use tokio::sync::{Mutex, MutexGuard, oneshot};
use tokio::time::timeout;

pub use self::lid::Lid;
use crate::{PATIENCE, chrome, chromedriver, fresh_id, http};

/// Two Chromiums and two nodes keep two cores busy; more make tests slow, and slow tests fail.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// Waits until no other browser test of this process runs. (`cargo nextest` has a process for each
/// test: `.config/nextest.toml` says the same to it.)
pub async fn one_browser_test_at_a_time() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().await
}

/// A browser with an empty profile, a fake camera and a fake microphone. Dropping it ends it.
pub struct Browser {
    /// What drives it.
    pub driver: WebDriver,
    /// For the picture of a failure.
    name: String,
    url: String,
    id: Pid,
    chromedriver: Child,
    profile: PathBuf,
}

impl Browser {
    /// Starts a browser that shows an empty page, with more flags; they outweigh the usual ones.
    pub async fn start_with(name: &str, flags: &[&str]) -> Self {
        http::provide_cryptography();
        let profile = std::env::temp_dir().join(format!("pigeonhub-{}", fresh_id()));
        fs::create_dir(&profile).expect("a directory for the browser's profile");
        let (chromedriver, port) = launch_driver().await;
        // From here on Drop ends the driver, whatever happens.
        let mut starting = Starting { chromedriver: Some(chromedriver), profile: Some(profile.clone()) };
        let url = format!("http://127.0.0.1:{port}");
        let driver =
            WebDriver::new(url.as_str(), capabilities(&profile, flags)).await.expect("Chromium starts");
        let id = driver.capabilities().get("goog:processID").and_then(Value::as_i64).expect("its process id");
        driver.set_script_timeout(Duration::from_secs(60)).await.expect("a limit for scripts");
        Self {
            name: name.into(),
            url: format!("{url}/session/{}", driver.session_id()),
            id: Pid::from_raw(i32::try_from(id).expect("a process id")),
            chromedriver: starting.chromedriver.take().expect("started"),
            profile: starting.profile.take().expect("made"),
            driver,
        }
    }

    /// Starts a browser at this page.
    pub async fn at(name: &str, url: &str) -> Self {
        let browser = Self::start_with(name, &[]).await;
        browser.driver.goto(url).await.expect("the page loads");
        browser
    }

    /// Runs the body of an async function in the page and returns its JSON.
    ///
    /// # Panics
    /// With what it throws: `{name, code, message}`.
    pub async fn run(&self, body: &str, arguments: &[Value]) -> Value {
        match self.try_run(body, arguments).await {
            Ok(value) => value,
            Err(thrown) => panic!("{}: the page threw {thrown} in\n{body}", self.name),
        }
    }

    /// The same; what it throws is an error: `{name, code, message}`.
    pub async fn try_run(&self, body: &str, arguments: &[Value]) -> Result<Value, Value> {
        let script = format!(
            "const done = arguments[arguments.length - 1], args = [...arguments].slice(0, -1);
             (async (...args) => {{ {body} }})(...args).then(
               value => done({{ value: value ?? null }}),
               e => done({{ thrown: {{ isError: e instanceof Error, name: e?.name, code: e?.code, message: String(e?.message ?? e) }} }}),
             );",
        );
        let result = self.driver.execute_async(script, arguments.to_vec()).await;
        let result = result.unwrap_or_else(|error| panic!("{}: {error} in\n{body}", self.name));
        let result = result.json().clone();
        match result.get("thrown") {
            Some(thrown) => Err(thrown.clone()),
            None => Ok(result["value"].clone()),
        }
    }

    /// Makes the window this large, as small as that of a phone even.
    pub async fn resize(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Gives a command of the DevTools protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) {
        let command = json!({"cmd": command, "params": parameters});
        http::post(format!("{}/goog/cdp/execute", self.url), &command).await.ok();
    }

    /// Saves a picture of the page.
    pub async fn screenshot(&self, path: &Path) {
        let picture = self.driver.screenshot_as_png().await.expect("a screenshot");
        fs::write(path, picture).expect("the screenshot is saved");
    }

    /// Leaves a picture of the page in the target directory. The test's own runtime does not run
    /// any more, so this takes one of its own.
    fn show_failure(&self) {
        let url = format!("{}/screenshot", self.url);
        let picture = thread::spawn(move || {
            let runtime = Runtime::new().ok()?;
            let answer = runtime.block_on(http::try_send(http::request(Method::GET, url)))?;
            STANDARD.decode(answer.json()["value"].as_str()?).ok()
        });
        let Ok(Some(picture)) = picture.join() else { return };
        // Tests run in `target/<profile>/deps`.
        let Ok(test) = std::env::current_exe() else { return };
        let Some(target) = test.ancestors().nth(3) else { return };
        let path = target.join(format!("failure-{}.png", self.name));
        if fs::write(&path, picture).is_ok() {
            eprintln!("--- what {} saw: {}", self.name, path.display());
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if thread::panicking() {
            self.show_failure();
        }
        // The processes are ended by id, so the session needs no farewell.
        let _ = self.driver.clone().leak();
        let _ = kill(self.id, Signal::SIGKILL);
        end(&mut self.chromedriver);
        remove(&self.profile);
    }
}

/// What is to be ended if a browser does not start.
struct Starting {
    chromedriver: Option<Child>,
    profile: Option<PathBuf>,
}

impl Drop for Starting {
    fn drop(&mut self) {
        self.chromedriver.iter_mut().for_each(end);
        self.profile.iter().for_each(|profile| remove(profile));
    }
}

fn end(child: &mut Child) {
    // It may have ended already.
    let _ = child.kill();
    let _ = child.wait();
}

/// Deletes a profile; the last writes of a dying browser may get in between.
fn remove(profile: &Path) {
    for _ in 0..200 {
        if fs::remove_dir_all(profile).is_ok() || !profile.exists() {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
}

fn capabilities(profile: &Path, flags: &[&str]) -> ChromeCapabilities {
    let mut capabilities = DesiredCapabilities::chrome();
    capabilities.set_binary(&chrome().to_string_lossy()).expect("JSON");
    let profile = format!("--user-data-dir={}", profile.display());
    let usual = [
        profile.as_str(),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        // Pictures enough to be counted, few enough to be encoded beside everything else.
        "--use-fake-device-for-media-stream=fps=10",
        "--use-fake-ui-for-media-stream",
        // Two browsers on a machine without multicast cannot look up each other's `.local` names.
        "--disable-features=WebRtcHideLocalIpsWithMdns",
        "--window-size=1360,1000",
    ];
    for flag in usual.iter().chain(flags) {
        capabilities.add_arg(flag).expect("JSON");
    }
    capabilities
}

/// Starts a driver at a free port. It looks for one that is free with IPv4 and IPv6 alike, and gives
/// up when its first idea is not.
async fn launch_driver() -> (Child, u16) {
    for _ in 0..20 {
        let mut child = Command::new(chromedriver())
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("ChromeDriver starts");
        let output = child.stdout.take().expect("piped");
        let (says, port) = oneshot::channel();
        thread::spawn(move || say_port(output, says));
        if let Ok(Ok(port)) = timeout(PATIENCE, port).await {
            return (child, port);
        }
        end(&mut child);
    }
    panic!("ChromeDriver found no free port");
}

/// Reads a driver's output to its end, and says the port once it is known.
fn say_port(output: impl Read, says: oneshot::Sender<u16>) {
    let mut says = Some(says);
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        if let Some((_, port)) = line.split_once("started successfully on port ")
            && let Some(says) = says.take()
        {
            // Nobody may be waiting any more.
            let _ = says.send(port.trim_end_matches('.').parse().expect("a port"));
        }
    }
}
