//! `status`.

use crate::device::Device;
use crate::program::on;
use crate::scripted::Scripted;

#[test]
fn a_device_tells_of_itself() {
    let device = Device::start(&[]);
    let text = on(&device.port(), &["status"]).with(0).out;
    for line in [
        "mode       0 (transparent)\n",
        "signal     -51 dBm\n",
        "operator   China Mobile\n",
        "address    10.0.0.2\n",
        "link 1     OFF, in 0, out 0, received 0, waiting 0, dropped 0, reconnects 0\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let json = on(&device.port(), &["status", "--json"]).with(0).json();
    assert_eq!(json["mode"], 0);
    assert_eq!(json["imei"].as_str().unwrap().len(), 15);
    assert_eq!(
        json["links"][3],
        serde_json::json!({ "link": 4, "state": "OFF" })
    );
    assert_eq!(json["counters"]["DEVICE"]["restarts"], 0);
    assert_eq!(json["counters"]["4"]["state"], "OFF");
}

/// A real box has no counters, and without a network no operator.
#[test]
fn what_a_box_does_not_know_stays_away() {
    let device = Scripted::start(|line| match line {
        "AT+CIVER?" => "\r\n+CIVER:V2.1.03\r\n\r\nOK\r\n".to_owned(),
        "AT+CSQ" => "\r\n+CSQ: 99, 99\r\n\r\nOK\r\n".to_owned(),
        "AT+COPS?" => "\r\n+COPS: 0\r\n\r\nOK\r\n".to_owned(),
        _ => "\r\nERROR\r\n".to_owned(),
    });
    let json = on(device.port(), &["status", "--json"]).with(0).json();
    assert_eq!(json["version"], "V2.1.03");
    for name in ["imei", "mode", "dbm", "operator", "ip"] {
        assert_eq!(json[name], serde_json::Value::Null, "{name}");
    }
    let text = on(device.port(), &["status"]).with(0).out;
    assert!(text.contains("signal     not told\n"), "{text}");
}
