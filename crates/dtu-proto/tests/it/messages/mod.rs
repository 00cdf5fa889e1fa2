//! Short messages as timed scripts (manual 2.1.2, 2.8.5, 2.8.6.33; decisions 8 and 10).
#![allow(missing_docs, clippy::unwrap_used)]

use sms_codec::address::Address;
use sms_codec::dcs::Dcs;
use sms_codec::pdu::{Deliver, Pdu, Tpdu};
use sms_codec::udh::{Concat, Header, Ports, Reference};
use sms_codec::user_data::{Body, UserData};

use bytes::Bytes;
use dtu_proto::config::{Charset, Config, FactoryPassword, Options, WorkingMode};
use dtu_proto::event::{Event, Input, MessageLoss, ModemInput, Origin, Power};
use dtu_proto::radio::{Operator, SubmitFailure};
use dtu_proto::status::MessageCounters;
use dtu_proto::testing::pdu::{deliver, number, parts, report, stamp, submit_of};
use dtu_proto::testing::{Bench, LINK1, one_link};
use dtu_proto::time::Duration;

mod applications;
mod incoming;
mod kept;
mod line;
mod outgoing;
mod phones;
mod references;
mod storage;

const BANNER: &str = "\r\nUSR-GPRS232-DTU\r\n";
const PHONE: &str = "+8613800138000";

fn sms_mode() -> Config {
    Config {
        mode: WorkingMode::Sms,
        heartbeat_interval: 0,
        restart_time: 0,
        password: "abc".into(),
        ..Config::default()
    }
}

fn at_mode() -> Config {
    Config {
        mode: WorkingMode::AtCommand,
        ..sms_mode()
    }
}

fn data_mode() -> Config {
    Config {
        password: "abc".into(),
        ..one_link()
    }
}

fn booted(config: Config) -> Bench {
    let mut dev = Bench::with_modem(config);
    dev.at(1000).prints(BANNER);
    dev
}

fn counters(dev: &Bench) -> MessageCounters {
    dev.dtu.status(dev.now).messages.counters
}

fn losses(dev: &mut Bench) -> Vec<String> {
    let told = |event: Event| {
        if let Event::MessageLost(loss) = event {
            Some(loss.to_string())
        } else {
            None
        }
    };
    std::mem::take(&mut dev.events)
        .into_iter()
        .filter_map(told)
        .collect()
}

/// The escape; what is printed behind its `+ok`.
fn escaped(dev: &mut Bench) -> String {
    dev.wait(1000)
        .serial("+++")
        .wait(21)
        .prints("a")
        .serial("a")
        .wait(4021);
    let printed = dev.printed();
    String::from(printed.strip_prefix("\\r\\n+ok\\r\\n").unwrap())
}
