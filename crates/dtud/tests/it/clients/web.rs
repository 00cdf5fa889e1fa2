//! HTTP servers that no one here wrote: nginx and Python's http.server, plain and with TLS, asked by the HTTPD client
//! mode with the manual's example (2.1.3).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::common::daemon::{Daemon, Setup};
use super::common::httpd;
use super::common::line::Line;
use super::common::server::Server;
use super::common::{SOON, eventually};
use super::program::{Running, run};

/// Until the server listens the device tries again.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server in the background, and the folder with its files.
struct Web {
    /// `http://` or `https://` and where.
    address: String,
    folder: tempfile::TempDir,
    _port: Server,
    _running: Running,
}

impl Web {
    /// `start` gets the folder and the port.
    fn new(scheme: &str, name: &str, start: impl FnOnce(&Path, u16) -> Command) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = Server::refusing();
        let mut command = start(folder.path(), port.port());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let running = Running::start(command, name);
        Self {
            address: format!("{scheme}127.0.0.1,{}", port.port()),
            folder,
            _port: port,
            _running: running,
        }
    }

    /// A device in mode 3 that asks it.
    fn device(&self, with: impl FnOnce(Setup) -> Setup) -> Device {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = self.folder.path().join("ca.pem");
        let setup = httpd::setup_for(folder.path(), &self.address);
        let setup = if root.exists() {
            setup.settings(&format!("[http]\nextra_root = \"{}\"", root.display()))
        } else {
            setup
        };
        let daemon = with(setup).start();
        let line = daemon.line();
        Device {
            _folder: folder,
            _daemon: daemon,
            line,
        }
    }
}

struct Device {
    _folder: tempfile::TempDir,
    _daemon: Daemon,
    line: Line,
}

impl Device {
    #[track_caller]
    fn asks(&self, frame: &str, answer: &str) {
        self.line.send(frame.as_bytes());
        self.prints(answer);
    }

    #[track_caller]
    fn prints(&self, text: &str) {
        let got = self.line.receive(text.len(), PATIENCE);
        assert!(
            got == text.as_bytes(),
            "{:?} is not {text:?}",
            String::from_utf8_lossy(&got)
        );
    }
}

/// A certificate for this machine, made by an authority of its own, by openssl as its manual shows.
fn certificate(folder: &Path) {
    let file = |name: &str| folder.join(name).display().to_string();
    let openssl = |arguments: &[&str]| {
        let arguments: Vec<&dyn AsRef<std::ffi::OsStr>> = arguments
            .iter()
            .map(|argument| argument as &dyn AsRef<std::ffi::OsStr>)
            .collect();
        let outcome = run("openssl", &arguments, SOON);
        assert!(outcome.success, "{}", outcome.out);
    };
    let (ca, ca_key, key, request, leaf) = (
        file("ca.pem"),
        file("ca.key"),
        file("key.pem"),
        file("request.pem"),
        file("leaf.pem"),
    );
    let new_key = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ];
    let authority = [
        "req",
        "-x509",
        "-days",
        "2",
        "-subj",
        "/CN=authority",
        "-keyout",
        &ca_key,
        "-out",
        &ca,
    ];
    openssl(&[&authority[..], &new_key].concat());
    let names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
    let server = [
        "req",
        "-new",
        "-subj",
        "/CN=server",
        "-addext",
        names,
        "-keyout",
        &key,
        "-out",
        &request,
    ];
    openssl(&[&server[..], &new_key].concat());
    openssl(&[
        "x509",
        "-req",
        "-days",
        "2",
        "-in",
        &request,
        "-CA",
        &ca,
        "-CAkey",
        &ca_key,
        "-CAcreateserial",
        "-copy_extensions",
        "copy",
        "-out",
        &leaf,
    ]);
}

/// A static answer with the query's `data`, the body of a POST by way of a proxy, and a file in chunks.
fn nginx(tls: bool) -> Web {
    Web::new(
        if tls { "https://" } else { "http://" },
        "nginx",
        |folder, port| {
            if tls {
                certificate(folder);
            }
            std::fs::write(folder.join("lines.txt"), numbered_lines()).expect("write a file");
            let path = folder.display();
            let listen = if tls {
                format!(
                    "{port} ssl; ssl_certificate {path}/leaf.pem; ssl_certificate_key {path}/key.pem"
                )
            } else {
                port.to_string()
            };
            let proxied = if tls { "https" } else { "http" };
            let text = format!(
                "daemon off; master_process off; pid {path}/pid; error_log {path}/error.log;\n\
             events {{}}\n\
             http {{\n\
             log_format of_connection '$connection_requests $request $status';\n\
             access_log {path}/access.log of_connection; client_body_temp_path {path}/body; proxy_temp_path {path}/proxy;\n\
             fastcgi_temp_path {path}/fastcgi; uwsgi_temp_path {path}/uwsgi; scgi_temp_path {path}/scgi;\n\
             server {{\n\
             listen 127.0.0.1:{listen};\n\
             default_type text/plain;\n\
             location = /1.php {{ return 200 \"[$arg_data]\"; }}\n\
             location = /post {{ proxy_pass {proxied}://127.0.0.1:{port}/said; proxy_set_header X-Body $request_body; }}\n\
             location = /said {{ return 200 \"[$http_x_body]\"; }}\n\
             location /lines {{ alias {path}/lines.txt; sub_filter_types *; sub_filter nowhere nowhere; }}\n\
             }}\n\
             }}\n",
            );
            let configuration = folder.join("nginx.conf");
            std::fs::write(&configuration, text).expect("write the configuration");
            let mut command = Command::new("nginx");
            command
                .arg("-e")
                .arg(folder.join("error.log"))
                .arg("-p")
                .arg(folder)
                .arg("-c")
                .arg(configuration);
            command
        },
    )
}

/// Half a megabyte of which no part is like another.
fn numbered_lines() -> String {
    (0..32_768)
        .map(|number| format!("line {number:09}\n"))
        .collect()
}

const HANDLER: &str = r#"
import http.server, ssl, sys, urllib.parse

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = sys.argv[2]
    def answer(self, text):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        if self.protocol_version != "HTTP/1.0":
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        self.answer(b"[" + query["data"][0].encode("latin-1") + b"]")
    def do_POST(self):
        self.answer(b"[" + self.rfile.read(int(self.headers["Content-Length"])) + b"]")

server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
if len(sys.argv) > 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3] + "/leaf.pem", sys.argv[3] + "/key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"#;

fn python(version: &'static str, tls: bool) -> Web {
    Web::new(
        if tls { "https://" } else { "" },
        "python3",
        |folder, port| {
            let script: PathBuf = folder.join("server.py");
            std::fs::write(&script, HANDLER).expect("write the script");
            let mut command = Command::new("python3");
            command.arg(script).arg(port.to_string()).arg(version);
            if tls {
                certificate(folder);
                command.arg(folder);
            }
            command
        },
    )
}

#[test]
fn manual_2_1_3_nginx_answers_the_example() {
    for tls in [false, true] {
        let web = nginx(tls);
        let device = web.device(|setup| setup);
        device.asks("data=12345", "[12345]");
        device.asks("data=6&more=7", "[6]");
        // nginx writes its log when it is done with a request. One connection served both.
        let log = web.folder.path().join("access.log");
        let log = eventually("both requests in the log", PATIENCE, || {
            std::fs::read_to_string(&log)
                .ok()
                .filter(|text| text.lines().count() >= 2)
        });
        let wanted = [
            "1 GET /1.php?data=12345 HTTP/1.1 200",
            "2 GET /1.php?data=6&more=7 HTTP/1.1 200",
        ];
        assert_eq!(log.lines().collect::<Vec<_>>(), wanted);
    }
}

#[test]
fn nginx_takes_a_post() {
    for tls in [false, true] {
        let web = nginx(tls);
        let device = web.device(|setup| setup.at("HTPTP=POST").at("HTPURL=/post"));
        device.asks("a frame", "[a frame]");
        device.asks("another", "[another]");
    }
}

#[test]
fn nginx_sends_a_file_in_chunks_and_every_byte_is_printed() {
    for tls in [false, true] {
        let web = nginx(tls);
        let device = web.device(|setup| setup.at("HTPURL=/lines?").at("HTPFLT=OFF"));
        for _ in 0..2 {
            device.line.send(b"x");
            let head = device.line.receive_to(b"\r\n\r\n", PATIENCE);
            let head = String::from_utf8(head).expect("a head is text");
            assert!(head.contains("Transfer-Encoding: chunked"), "{head}");
            device.prints(&numbered_lines());
        }
    }
}

#[test]
fn manual_2_1_3_python_answers_the_example() {
    for (version, tls) in [
        ("HTTP/1.1", false),
        ("HTTP/1.0", false),
        ("HTTP/1.1", true),
        ("HTTP/1.0", true),
    ] {
        let web = python(version, tls);
        let device = web.device(|setup| setup);
        device.asks("data=12345", "[12345]");
        device.asks("data=%41+%42", "[A B]");
        // Escaped by the device, read by a server's own rules.
        device.asks("data=a b\"c", "[a b\"c]");
    }
}
