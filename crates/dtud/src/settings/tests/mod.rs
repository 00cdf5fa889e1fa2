use super::*;
use crate::serial::Access;
use dtu_proto::event::LinkId;

mod keys;
mod pages;

fn read(text: &str) -> Settings {
    Settings::parse(Path::new("dtud.toml"), text).unwrap()
}

fn link(number: u8) -> LinkId {
    LinkId::from_number(number).unwrap()
}

const EVERY_KEY: &str = r#"
at = ["CIPR=9600", "AT+CIAPPLY"]
[serial]
line = "tty:/dev/ttyS0"
flow_control = "rtscts"
rs485 = false
hold = 9
escape_gap = 500
pty_mode = "0660"
pty_group = "root"
charset = "utf-8"
[device]
setup_window = 0
shutdown = "stop"
recovery = false
password = "a\"b;1"
factory_password = "off"
sms_allow = ["+8613812345678", "10086"]
[packing]
length_enabled = true
[modem]
device = "at:/dev/ttyUSB2"
pin = "1234"
baud = 921600
init = ["AT+QURCCFG=\"urcport\",\"usbat\""]
interface = "wwan0"
script = "radio.txt"
number = "13800000000"
[http]
extra_root = "/etc/our-ca.pem"
answer_max = 90
[console]
addr = "0.0.0.0:7201"
hosts = ["dtu.example.org"]
trusted_proxies = ["10.0.0.1"]
base = "/dtu"
certificate = "/etc/console.pem"
key = "/etc/console.key"
insecure = true
metrics_token = "0123456789abcdef"
[link]
cache = "15KiB"
drop_policy = "block"
resend = false
spool = "disk"
spool_size = 1048576
spool_sync = "always"
backoff_max = 60
short_link_idle = 255
role = "always"
interface = "eth0"
[link.expect]
register = { reply_hex = "4f4B", within = 7, misses = 2 }
heartbeat = { reply_hex = "00" }
[leds]
pow = "green:power"
net = "/sys/x"
data = "d"
"#;
