//! Over a link of the device, by `psw,AT+…`.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};

use crate::common::SOON;
use crate::device::Device;
use crate::program::{Ended, command, dtuctl, says};

/// A port of this machine that nobody else is given: connections come from others.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// One that may be commanded over link 1, and says `7001` when it comes.
pub(crate) fn device(port: u16) -> Device {
    Device::with_window(
        1,
        &[
            "CIPSW=pump7",
            "CINETAT=1",
            "CIPPACK=1,\"37303031\",1",
            &format!("CIPSCONT=1,\"TCP\",\"127.0.0.1\",{port},1"),
        ],
    )
}

pub(crate) fn via(way: &str, password: &str, arguments: &[&str]) -> Command {
    let mut command = command(&[&["--via", way], arguments].concat());
    command.env("DTUCTL_PASSWORD", password);
    command
}

fn ended(child: Child) -> Ended {
    child.wait_with_output().unwrap().into()
}

#[test]
fn a_device_that_dials_in_is_read_and_set() {
    let port = free_port();
    let device = device(port);
    let way = format!("listen:127.0.0.1:{port}");
    let read = via(&way, "pump7", &["at", "AT+CSQ", "AT+CIPNUM?"])
        .spawn()
        .unwrap();
    let read = ended(read).with(0);
    assert_eq!(read.out, "+CSQ: 31, 99\nOK\n+CIPNUM: 10086\nOK\n");
    assert!(read.err.contains("the device says 7001"), "{}", read.err);
    assert!(!read.err.contains("pump7"), "{}", read.err);

    // --at commands run again at each restart of this program, so the stored values are looked at.
    let file = device.file("new.toml", "CIMODID = \"Pump 7\"\nCIPNUM = \"10010\"\n");
    let done = via(&way, "pump7", &["apply", &file, "--json"])
        .spawn()
        .unwrap();
    let done = ended(done).with(0);
    assert_eq!(done.json()["outcome"], "done", "{done:?}");
    let again = via(&way, "pump7", &["apply", &file]).spawn().unwrap();
    assert_eq!(ended(again).with(0).out, "nothing to do\n");
}

/// A box that has dialled `port`: it takes its number and its password, until the connection ends; all that it heard.
fn plays_a_box(port: u16) -> Vec<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let (mut password, mut number) = (String::from("pump7"), String::from("10086"));
    let mut heard = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        // Quotes or none: the device takes both.
        let text = String::from_utf8_lossy(&buffer[..count]).replace('"', "");
        let line = text
            .strip_prefix(&format!("{password},"))
            .map(str::to_owned);
        heard.push(text);
        let reply = match line.as_deref() {
            None => continue,
            Some("AT") => String::new(),
            Some("AT+CIPNUM?") => format!("\r\n+CIPNUM: {number}\r\n"),
            Some("AT+CINETAT?") => "\r\n+CINETAT:1\r\n".to_owned(),
            Some("AT+CSTT?") => "\r\n+CSTT: \"cmnet\", \"me\", \"****\"\r\n".to_owned(),
            Some("AT+CIPNUM=10010") => {
                "10010".clone_into(&mut number);
                String::new()
            }
            Some("AT+CIPSW=pump8;W") => {
                "pump8".clone_into(&mut password);
                String::new()
            }
            Some(_) => {
                stream.write_all(b"\r\nERROR\r\n").unwrap();
                continue;
            }
        };
        stream
            .write_all(format!("{reply}\r\nOK\r\n").as_bytes())
            .unwrap();
    }
    heard
}

/// dtuctl as a center, with such a box.
fn with_a_box(arguments: &[&str]) -> (Ended, Vec<String>) {
    let mut child = via("listen:127.0.0.1:0", "pump7", arguments)
        .spawn()
        .unwrap();
    let said = says(&mut child, ";");
    let port = said
        .trim_end_matches(';')
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let player = std::thread::spawn(move || plays_a_box(port));
    let ended = ended(child);
    (ended, player.join().unwrap())
}

/// The new one is used from its reply on; nothing that is set before it shuts the way.
#[test]
fn the_password_is_set_last_and_used_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.toml");
    std::fs::write(&file, "CIPSW = \"pump8\"\nCIPNUM = \"10010\"\n").unwrap();
    let (done, heard) = with_a_box(&["apply", file.to_str().unwrap()]);
    let done = done.with(0);
    assert!(done.out.contains("not verifiable: CIPSW"), "{}", done.out);
    let at = |text: &str| heard.iter().position(|heard| heard == text);
    let last = at("pump7,AT+CIPSW=pump8;W").unwrap();
    assert!(at("pump7,AT+CIPNUM=10010").unwrap() < last, "{heard:?}");
    let behind = &heard[last + 1..];
    assert!(
        behind.iter().all(|heard| heard.starts_with("pump8,AT")),
        "{behind:?}"
    );
    assert!(
        behind.contains(&"pump8,AT+CIPNUM?".to_owned()),
        "it is read back"
    );
}

/// Over the network a device shows `****`: that is never taken for a password, nor sent as one.
#[test]
fn a_secret_that_is_not_told_is_never_made_up() {
    let (refused, heard) = with_a_box(&["set", "CSTT.APN=uninet"]);
    let refused = refused.with(1);
    assert!(
        refused.err.contains("CSTT.PASSWORD is not known"),
        "{}",
        refused.err
    );
    let sets = |heard: &&String| heard.contains('=');
    assert_eq!(heard.iter().find(sets), None);
    let (shut, _) = with_a_box(&["set", "CINETAT=0"]);
    let shut = shut.with(1);
    assert!(shut.err.contains("would shut the way"), "{}", shut.err);
}

#[test]
fn a_wrong_password_is_told_and_reaches_nobody_else() {
    let port = free_port();
    let _device = device(port);
    let way = format!("listen:127.0.0.1:{port}");
    let refused = ended(via(&way, "wrong", &["at", "AT"]).spawn().unwrap()).with(1);
    assert!(
        refused.err.contains("the password is another one"),
        "{}",
        refused.err
    );
    assert!(!refused.err.contains("wrong,"), "{}", refused.err);
}

#[test]
fn a_relay_is_dialled_with_the_password_of_a_file() {
    let center = TcpListener::bind("127.0.0.1:0").unwrap();
    let device = device(center.local_addr().unwrap().port());
    let (to_device, _) = center.accept().unwrap();
    let relay = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = relay.local_addr().unwrap();
    std::thread::spawn(move || {
        let (client, _) = relay.accept().unwrap();
        let copy = |mut from: TcpStream, mut to: TcpStream| {
            std::thread::spawn(move || std::io::copy(&mut from, &mut to))
        };
        copy(client.try_clone().unwrap(), to_device.try_clone().unwrap());
        copy(to_device, client);
    });
    let file = device.file("password", "pump7\n");
    let way = format!("tcp:{address}");
    let read = dtuctl(&["--via", &way, "--password-file", &file, "status", "--json"]).with(0);
    assert_eq!(read.json()["links"][0]["state"], "CONNECTED");
}

#[test]
fn without_a_password_nothing_is_dialled() {
    let refused = command(&["--via", "tcp:127.0.0.1:1", "at", "AT"])
        .env_remove("DTUCTL_PASSWORD")
        .output()
        .unwrap();
    let refused = Ended::from(refused).with(2);
    assert!(refused.err.contains("--password-file"), "{}", refused.err);
    dtuctl(&["--via", "sms:10086", "at", "AT"]).with(2);
    dtuctl(&["--via", "listen:127.0.0.1:0", "--port", "x", "at", "AT"]).with(2);
}
