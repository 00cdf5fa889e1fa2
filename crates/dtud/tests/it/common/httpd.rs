//! A device in the HTTPD client mode.

use std::path::Path;

use super::SOON;
use super::daemon::{Daemon, Setup};
use super::http::{Client, HttpServer};
use super::line::Line;

/// A device in mode 3 with the manual's URL and head.
pub(crate) struct Bench {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) daemon: Daemon,
    pub(crate) line: Line,
}

/// How to start one.
pub(crate) fn setup(folder: &Path, server: &HttpServer) -> Setup {
    setup_for(folder, &server.address())
}

/// The same, for a server at `host,port`.
pub(crate) fn setup_for(folder: &Path, address: &str) -> Setup {
    let setup = Setup::new(folder)
        .settings("[link]\nbackoff_max = 1")
        .packing(10)
        .mode(3);
    setup
        .at(&format!("HTPSV={address}"))
        .at("HTPURL=/1.php?")
        .at("HTPHD=Accept:text/html")
}

impl Bench {
    pub(crate) fn new(server: &HttpServer) -> Self {
        Self::set_up(server, |setup, _| setup)
    }

    /// With more settings; the folder is the device's.
    pub(crate) fn set_up(server: &HttpServer, with: impl FnOnce(Setup, &Path) -> Setup) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let daemon = with(setup(folder.path(), server), folder.path()).start();
        let line = daemon.line();
        Self {
            folder,
            daemon,
            line,
        }
    }

    /// What `AT+CINET?` says of the HTTPD client, from the working mode and back to it.
    pub(crate) fn state(&self) -> String {
        self.line.escape();
        let reply = self.line.command("AT+CINET?");
        assert_eq!(self.line.command("AT+ENTM"), "\r\nOK\r\n");
        let line = reply.lines().find(|line| line.starts_with("+CINET:0,"));
        line.unwrap_or_else(|| panic!("no line 0 in {reply}"))
            .to_owned()
    }

    /// A frame, and the request that it becomes on this connection.
    #[track_caller]
    pub(crate) fn asks(&self, frame: &str, client: &mut Client) {
        self.line.send(frame.as_bytes());
        assert_eq!(
            client.request().line,
            format!("GET /1.php?{frame} HTTP/1.1")
        );
    }

    /// A frame, and the request that it becomes on a new connection.
    #[track_caller]
    pub(crate) fn asks_anew(&self, frame: &str, server: &HttpServer) -> Client {
        self.line.send(frame.as_bytes());
        let mut client = server.accept();
        assert_eq!(
            client.request().line,
            format!("GET /1.php?{frame} HTTP/1.1")
        );
        client
    }

    /// The next bytes of the line.
    #[track_caller]
    pub(crate) fn prints(&self, bytes: impl AsRef<[u8]>) {
        self.line.prints(bytes.as_ref(), SOON);
    }
}
