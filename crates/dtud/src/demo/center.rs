//! The data center: a TCP server that asks the meter each second, and a UDP logger.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::modbus;
use super::scene::{self, HEARTBEAT, REGISTRATION, Reading, SharedScene};

pub(super) struct Center {
    listener: TcpListener,
    scene: SharedScene,
}

impl Center {
    pub(super) async fn bind(scene: SharedScene) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?, scene })
    }

    pub(super) fn port(&self) -> io::Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }

    pub(super) async fn run(self) {
        while let Ok((stream, _)) = self.listener.accept().await {
            let _ = stream.set_nodelay(true);
            let mut session = Session { stream, scene: self.scene.clone(), received: Vec::new() };
            // An error is the end of this session; the device comes again.
            let _ = session.run().await;
        }
    }
}

struct Session {
    stream: TcpStream,
    scene: SharedScene,
    received: Vec<u8>,
}

impl Session {
    async fn run(&mut self) -> io::Result<()> {
        let mut tick = Instant::now() + Duration::from_secs(1);
        loop {
            for _ in 0..QUESTIONS {
                self.listen_until(tick, 0).await?;
                tick += Duration::from_secs(1);
                self.ask(tick - Duration::from_millis(100)).await?;
            }
            // The device says by itself that it is alive.
            tick += REST;
        }
    }

    async fn ask(&mut self, until: Instant) -> io::Result<()> {
        self.received.clear();
        self.stream.write_all(&modbus::request()).await?;
        self.listen_until(until, modbus::ANSWER).await?;
        let answer = std::mem::take(&mut self.received);
        let mut scene = scene::lock(&self.scene);
        match modbus::registers(&answer) {
            Some(values) => {
                scene.good += 1;
                scene.reading = Some(Reading::new(values));
            }
            None if answer.is_empty() => scene.timeouts += 1,
            None => scene.bad += 1,
        }
        Ok(())
    }

    /// Collects bytes until the time, or until there are `enough` (0 = until the time).
    async fn listen_until(&mut self, until: Instant, enough: usize) -> io::Result<()> {
        let mut buf = [0; 1024];
        while enough == 0 || self.received.len() < enough {
            match timeout_at(until, self.stream.read(&mut buf)).await {
                Err(_) => break,
                Ok(count) => match count? {
                    0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                    count => self.received.extend_from_slice(buf.get(..count).unwrap_or_default()),
                },
            }
            self.take_greetings();
        }
        if enough == 0 {
            sleep_until(until).await;
        }
        Ok(())
    }

    fn take_greetings(&mut self) {
        let mut scene = scene::lock(&self.scene);
        if let Some(rest) = self.received.strip_prefix(REGISTRATION) {
            scene.registrations += 1;
            self.received = rest.to_vec();
        }
        while let Some(rest) = self.received.strip_prefix(HEARTBEAT) {
            scene.heartbeats += 1;
            self.received = rest.to_vec();
        }
    }
}

pub(super) struct Logger {
    socket: UdpSocket,
    scene: SharedScene,
}

impl Logger {
    pub(super) async fn bind(scene: SharedScene) -> io::Result<Self> {
        Ok(Self { socket: UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?, scene })
    }

    pub(super) fn port(&self) -> io::Result<u16> {
        Ok(self.socket.local_addr()?.port())
    }

    pub(super) async fn run(self) {
        let mut buf = [0; 2048];
        while let Ok(count) = self.socket.recv(&mut buf).await {
            let mut scene = scene::lock(&self.scene);
            scene.datagrams += 1;
            scene.datagram_bytes += count as u64;
        }
    }
}

/// Questions in a row, one each second, and the rest after them, in which a heartbeat is due.
const QUESTIONS: u32 = 10;
const REST: Duration = Duration::from_secs(3);
