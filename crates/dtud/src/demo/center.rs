//! The data center: a TCP server that counts the readings, and the network in front of it, which can be cut.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::reading::Reading;
use super::scene::{self, HEARTBEAT, REGISTRATION, Scene, SharedScene};

pub(super) struct Center {
    listener: TcpListener,
    port: u16,
    scene: SharedScene,
}

impl Center {
    pub(super) async fn bind(scene: SharedScene) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        Ok(Self {
            listener,
            port,
            scene,
        })
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// Serves while the network is there; cut, it refuses every connection.
    pub(super) async fn run(self, mut cut: watch::Receiver<bool>) {
        let mut listener = Some(self.listener);
        let mut sessions = JoinSet::new();
        loop {
            let open = match listener.take() {
                Some(listener) => listener,
                None => listen_again(self.port).await,
            };
            serve(open, &mut cut, &mut sessions, &self.scene).await;
            // The demo is over where nobody can say any more that the network is back.
            if cut.wait_for(|cut| !cut).await.is_err() {
                return;
            }
        }
    }
}

async fn listen_again(port: u16) -> TcpListener {
    loop {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            Ok(listener) => return listener,
            // Somebody else has the port for a moment.
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
}

/// Takes connections until the network is cut.
///
/// Nothing of the device may be acknowledged and then not read: all that is connected is taken first, then the port is
/// closed, and only then the device hears that its connection is over.
async fn serve(
    listener: TcpListener,
    cut: &mut watch::Receiver<bool>,
    sessions: &mut JoinSet<()>,
    scene: &SharedScene,
) {
    let (network, _) = watch::channel(());
    loop {
        tokio::select! {
            biased;
            Ok((stream, _)) = listener.accept() => {
                let session = Session { stream, scene: scene.clone(), received: Vec::new() };
                let network = network.subscribe();
                // An error is the end of this session; the device comes again.
                sessions.spawn(async move { let _ = session.run(network).await; });
            }
            _ = cut.wait_for(|cut| *cut) => break,
        }
        while sessions.try_join_next().is_some() {}
    }
    drop(listener);
    drop(network);
}

struct Session {
    stream: TcpStream,
    scene: SharedScene,
    received: Vec<u8>,
}

impl Session {
    async fn run(mut self, mut network: watch::Receiver<()>) -> io::Result<()> {
        self.stream.set_nodelay(true)?;
        let mut buf = [0; 1024];
        loop {
            tokio::select! {
                count = self.stream.read(&mut buf) => {
                    let Some(receipt) = self.take(&buf, count?) else { return Ok(()) };
                    self.stream.write_all(receipt.as_bytes()).await?;
                }
                _ = network.changed() => break,
            }
        }
        self.stream.shutdown().await?;
        while let Ok(count) = timeout(LAST_BYTES, self.stream.read(&mut buf)).await {
            if self.take(&buf, count?).is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Counts what came, and says what is answered; `None` = the device has closed.
    fn take(&mut self, buf: &[u8], count: usize) -> Option<String> {
        if count == 0 {
            return None;
        }
        self.received
            .extend_from_slice(buf.get(..count).unwrap_or_default());
        let mut scene = scene::lock(&self.scene);
        let mut receipts = String::new();
        while let Some(used) = take_one(&self.received, &mut scene, &mut receipts) {
            self.received.drain(..used);
        }
        Some(receipts)
    }
}

/// Takes the first thing of the device that is whole; says how long it was.
fn take_one(received: &[u8], scene: &mut Scene, receipts: &mut String) -> Option<usize> {
    if received.starts_with(REGISTRATION) {
        scene.registrations += 1;
        return Some(REGISTRATION.len());
    }
    if received.starts_with(HEARTBEAT) {
        scene.heartbeats += 1;
        return Some(HEARTBEAT.len());
    }
    let length = received.windows(2).position(|pair| pair == b"\r\n")? + 2;
    let line = std::str::from_utf8(received.get(..length)?)
        .ok()
        .map(str::trim_end);
    match line.and_then(Reading::parse) {
        Some(reading) => {
            scene.account.arrive(reading.number, length);
            if reading.number % RECEIPT_EVERY == 0 {
                receipts.push_str(&format!("OK {:04}\r\n", reading.number));
            }
        }
        None => scene.account.damaged += 1,
    }
    Some(length)
}

/// How long the rest of a connection may take.
const LAST_BYTES: Duration = Duration::from_secs(2);
/// So many readings get one receipt.
const RECEIPT_EVERY: u64 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_and_readings_are_told_apart_however_they_come() {
        let stream =
            b"DTU-0001#0001 230.0 V  5.00 A  1115 W\r\nHBHB#0002 230.1 V  5.01 A  1116 W\r\nx\r\n#00";
        let mut scene = Scene::default();
        (0..2).for_each(|_| scene.account.send(32));
        let (mut received, mut receipts) = (Vec::new(), String::new());
        for byte in stream {
            received.push(*byte);
            while let Some(used) = take_one(&received, &mut scene, &mut receipts) {
                received.drain(..used);
            }
        }
        assert_eq!((scene.registrations, scene.heartbeats), (1, 2));
        assert_eq!(
            (scene.account.arrived.frames, scene.account.damaged),
            (2, 1)
        );
        assert_eq!((received.as_slice(), receipts.as_str()), (&b"#00"[..], ""));
    }
}
