//! Several machines on this one: network namespaces, and the wires between them.
//!
//! A room is a network namespace with one interface, a TUN device. What is sent into it comes out
//! here, and goes into the device of the room that it is for, if the wire between the two lets it
//! pass: late, now and then, or not at all. So the weather is the same whatever the kernel was built
//! with (`tc netem` is missing in many), and may differ from wire to wire. Namespaces and devices
//! have no names outside and end with the last process and thread in them.

use std::collections::HashMap;
use std::io;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};
use std::sync::mpsc;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tun_rs::{AsyncDevice, DeviceBuilder, Layer, SyncDevice};

/// All rooms are in 10.77.0.0/24.
const NETWORK: [u8; 3] = [10, 77, 0];
/// The room of this process.
const HERE: u8 = 1;
const MTU: u16 = 1500;

/// How a wire treats what is sent through it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Weather {
    /// How much of it is lost: 0 is nothing, 1 all.
    pub loss: f64,
    /// How late the rest arrives.
    pub delay: Duration,
}

impl Weather {
    /// Nothing comes through.
    pub const CUT: Self = Self { loss: 1.0, delay: Duration::ZERO };
}

/// The wires between all rooms. Dropped, nothing comes through any of them any more.
pub struct Wires {
    weather: Arc<Mutex<HashMap<(u8, u8), Weather>>>,
    rooms: u8,
    _carriers: JoinSet<()>,
}

/// A machine of its own, as far as the network is concerned.
#[derive(Clone)]
pub struct Room {
    number: u8,
    starts: mpsc::Sender<(Command, mpsc::Sender<io::Result<Child>>)>,
}

/// Moves the calling thread into a network namespace of its own, and with it all threads and
/// processes that it starts from now on. An error where that is not allowed.
pub fn leave_the_network() -> io::Result<()> {
    Ok(unshare(CloneFlags::CLONE_NEWNET)?)
}

/// Whether namespaces and devices can be made here, else why not.
pub fn can_be_laid() -> Result<(), String> {
    let tried = thread::spawn(|| leave_the_network().and_then(|()| device(HERE).map(drop))).join();
    match tried {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            Err(format!("no network namespaces ({error}): root, `ip` and /dev/net/tun are needed"))
        }
        Err(_) => Err("no network namespaces".into()),
    }
}

impl Wires {
    /// Lays wires to as many rooms. The calling thread [left the network](leave_the_network): its
    /// namespace becomes the room of the clients.
    pub fn lay(rooms: u8) -> io::Result<(Self, Vec<Room>)> {
        let weather = Arc::<Mutex<HashMap<_, _>>>::default();
        let mut devices = HashMap::from([(HERE, AsyncDevice::new(device(HERE)?)?)]);
        let mut made = Vec::new();
        for number in (HERE + 1..).take(rooms.into()) {
            let (room, device) = Room::make(number)?;
            devices.insert(number, AsyncDevice::new(device)?);
            made.push(room);
        }
        let devices: Arc<HashMap<u8, AsyncDevice>> = Arc::new(devices);
        let mut carriers = JoinSet::new();
        for number in devices.keys().copied() {
            let (late, waiting) = unbounded_channel();
            carriers.spawn(carry(number, Arc::clone(&devices), Arc::clone(&weather), late));
            carriers.spawn(carry_late(Arc::clone(&devices), waiting));
        }
        Ok((Self { weather, rooms, _carriers: carriers }, made))
    }

    /// The weather between every two rooms.
    pub fn everywhere(&self, weather: Weather) {
        self.set(
            (HERE..=HERE + self.rooms).flat_map(|one| (HERE..=HERE + self.rooms).map(move |two| (one, two))),
            weather,
        );
    }

    /// The weather between a room and all others.
    pub fn around(&self, room: &Room, weather: Weather) {
        self.set((HERE..=HERE + self.rooms).map(|other| (room.number, other)), weather);
    }

    /// The weather between a room and all others but that of the clients.
    pub fn between_nodes(&self, room: &Room, weather: Weather) {
        self.set((HERE + 1..=HERE + self.rooms).map(|other| (room.number, other)), weather);
    }

    fn set(&self, pairs: impl Iterator<Item = (u8, u8)>, weather: Weather) {
        let mut known = self.weather.lock().unwrap_or_else(PoisonError::into_inner);
        for (one, two) in pairs {
            known.insert((one, two), weather);
            known.insert((two, one), weather);
        }
    }
}

impl Room {
    /// A thread in a namespace of its own starts what is to run there.
    fn make(number: u8) -> io::Result<(Self, SyncDevice)> {
        let (starts, wanted) = mpsc::channel::<(Command, mpsc::Sender<io::Result<Child>>)>();
        let (says, device_is) = mpsc::channel();
        thread::spawn(move || {
            let made = leave_the_network().and_then(|()| device(number));
            // Nobody may wait any more, here and below.
            let _ = says.send(made);
            for (mut command, answer) in wanted {
                let _ = answer.send(command.spawn());
            }
        });
        let device = device_is.recv().map_err(io::Error::other)??;
        Ok((Self { number, starts }, device))
    }

    /// Its address.
    #[must_use]
    pub fn host(&self) -> String {
        host(self.number)
    }

    /// Starts a process in it.
    pub(crate) fn spawn(&self, command: Command) -> io::Result<Child> {
        let (answer, child) = mpsc::channel();
        self.starts.send((command, answer)).map_err(io::Error::other)?;
        child.recv().map_err(io::Error::other)?
    }
}

fn host(number: u8) -> String {
    let [a, b, c] = NETWORK;
    format!("{a}.{b}.{c}.{number}")
}

/// The one interface of the calling thread's namespace.
fn device(number: u8) -> io::Result<SyncDevice> {
    let device = DeviceBuilder::new().name("wire").layer(Layer::L3).enable(false).build_sync()?;
    let address = format!("{}/24", host(number));
    let mtu = MTU.to_string();
    ip(&["address", "add", &address, "dev", "wire"])?;
    ip(&["link", "set", "wire", "mtu", &mtu, "up"])?;
    ip(&["link", "set", "lo", "up"])?;
    Ok(device)
}

fn ip(arguments: &[&str]) -> io::Result<()> {
    let status = Command::new("ip").args(arguments).stdin(Stdio::null()).status()?;
    let failed = || io::Error::other(format!("`ip {}` ended with {status}", arguments.join(" ")));
    if status.success() { Ok(()) } else { Err(failed()) }
}

/// A machine that goes from network to network, as laptops and phones do. Its own loopback is always
/// there. Made by a thread that [left the network](leave_the_network): all in its namespace is on it.
pub struct Roamer {
    _device: SyncDevice,
}

impl Roamer {
    /// In a first network.
    pub fn new() -> io::Result<Self> {
        Ok(Self { _device: device(HERE)? })
    }

    /// Leaves the network that it is in: nothing comes or goes any more by the address that it had.
    pub fn leave(&self) -> io::Result<()> {
        ip(&["address", "flush", "dev", "wire"])
    }

    /// Comes into another one, where it has another address.
    pub fn enter(&self) -> io::Result<()> {
        ip(&["address", "add", "10.78.0.1/24", "dev", "wire"])
    }
}

type Late = (Instant, u8, Vec<u8>);

/// Carries what is sent from a room.
async fn carry(
    from: u8,
    devices: Arc<HashMap<u8, AsyncDevice>>,
    weather: Arc<Mutex<HashMap<(u8, u8), Weather>>>,
    late: UnboundedSender<Late>,
) {
    let mut packet = [0; MTU as usize];
    while let Ok(length) = devices[&from].recv(&mut packet).await {
        let packet = &packet[..length];
        // IPv4 only; the last byte of the target's address is its room.
        let Some(to) = packet.get(16..20).filter(|_| packet[0] >> 4 == 4).map(|target| target[3]) else {
            continue;
        };
        let known = weather.lock().unwrap_or_else(PoisonError::into_inner).get(&(from, to)).copied();
        let Weather { loss, delay } = known.unwrap_or_default();
        if loss > 0.0 && dice() < loss {
            continue;
        }
        if delay.is_zero() {
            bring(&devices, to, packet).await;
        } else {
            // The other side ends when this one does.
            let _ = late.send((Instant::now() + delay, to, packet.to_vec()));
        }
    }
}

/// Brings what is late, in order: one wire's delay is the same for all.
async fn carry_late(devices: Arc<HashMap<u8, AsyncDevice>>, mut waiting: UnboundedReceiver<Late>) {
    while let Some((due, to, packet)) = waiting.recv().await {
        sleep_until(due).await;
        bring(&devices, to, &packet).await;
    }
}

async fn bring(devices: &HashMap<u8, AsyncDevice>, to: u8, packet: &[u8]) {
    if let Some(device) = devices.get(&to) {
        // A full device loses packets, as wires do.
        let _ = device.send(packet).await;
    }
}

/// From 0 to 1.
fn dice() -> f64 {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).expect("random bytes");
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}
