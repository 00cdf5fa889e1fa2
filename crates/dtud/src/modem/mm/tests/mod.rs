use super::super::note::Note;
use super::fake::{BEARER, Fake, HOLD, MODEM, SIM, object, value};
use super::worker::Transport;
use super::*;
use bytes::Bytes;
use dtu_proto::config::Apn;
use dtu_proto::event::{ModemInput, ModemOutput};
use dtu_proto::radio::{
    Abilities, CallEnd, CallNews, Cell, ModemIdentity, Operator, PhoneNumber, Registration, Signal,
    SimState, SubmitFailure,
};
use modem_proto::PinHistory;
use sms_codec::address::Address;
use sms_codec::hex;
use sms_codec::pdu::{Pdu, Status, Submit, Tpdu};
use sms_codec::split::split;
use sms_codec::udh::{Header, Ports, Reference};
use sms_codec::user_data::{Body, UserData};
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;
use zbus::zvariant::OwnedValue;

mod card;
mod messages;
mod modem;

/// A modem with everything, registered.
fn modem(fake: &Fake) {
    let values = [
        ("State", value(8i32)),
        ("Sim", value(object(SIM))),
        ("Manufacturer", value("Quectel")),
        ("Model", value("EC25")),
        ("EquipmentIdentifier", value("860000000000017")),
        ("UnlockRequired", value(1u32)),
        (
            "UnlockRetries",
            value(std::collections::HashMap::from([(2u32, 3u32)])),
        ),
        ("StateFailedReason", value(0u32)),
        ("SignalQuality", value((67u32, true))),
        ("OwnNumbers", value(vec!["+8613800138000"])),
    ];
    fake.put(MODEM, ".Modem", &values);
    let network = [
        ("RegistrationState", value(1u32)),
        ("OperatorName", value("China Mobile")),
        ("OperatorCode", value("46000")),
    ];
    fake.put(MODEM, ".Modem.Modem3gpp", &network);
    let location = [("Capabilities", value(5u32)), ("Enabled", value(1u32))];
    fake.put(MODEM, ".Modem.Location", &location);
    for interface in [
        ".Modem.Messaging",
        ".Modem.Voice",
        ".Modem.Simple",
        ".Modem.Time",
    ] {
        fake.put(MODEM, interface, &[]);
    }
    fake.put(SIM, ".Sim", &[("Imsi", value("460001234567890"))]);
}

fn options() -> Options {
    Options {
        index: None,
        pin: None,
        note: None,
        carries_data: false,
    }
}

/// The driver, polled as the loop does.
struct Host {
    mm: Mm,
    started: std::time::Instant,
}

impl Host {
    fn new(fake: &Fake, options: Options) -> Self {
        let mm = Mm::through(Transport::Peer(Some(fake.serve())), options);
        Self {
            mm,
            started: std::time::Instant::now(),
        }
    }

    fn now(&self) -> Instant {
        Instant::from_micros(u64::try_from(self.started.elapsed().as_micros()).unwrap())
    }

    async fn next(&mut self) -> ModemInput {
        let news = poll_fn(|cx| {
            let now = self.now();
            self.mm.poll(cx, now).map_or(Poll::Pending, Poll::Ready)
        });
        tokio::time::timeout(SOON, news).await.expect("news")
    }

    async fn order(&mut self, order: ModemOutput) {
        let now = self.now();
        poll_fn(|cx| {
            self.mm.order(order.clone(), now, cx);
            Poll::Ready(())
        })
        .await;
    }

    /// Everything up to the news that `wanted` likes.
    async fn until(&mut self, wanted: impl Fn(&ModemInput) -> bool) -> Vec<ModemInput> {
        let mut all = Vec::new();
        loop {
            let news = self.next().await;
            let last = wanted(&news);
            all.push(news);
            if last {
                return all;
            }
        }
    }

    async fn until_clock(&mut self) -> Vec<ModemInput> {
        self.until(|news| matches!(news, ModemInput::Clock(_)))
            .await
    }

    async fn message(&mut self) -> (u64, Tpdu) {
        match self
            .until(|news| matches!(news, ModemInput::Message { .. }))
            .await
            .pop()
        {
            Some(ModemInput::Message { id, pdu }) => (id, Pdu::decode(&pdu).unwrap().pdu.tpdu),
            other => panic!("{other:?}"),
        }
    }

    async fn call(&mut self) -> CallNews {
        match self
            .until(|news| matches!(news, ModemInput::Call(_)))
            .await
            .pop()
        {
            Some(ModemInput::Call(news)) => news,
            other => panic!("{other:?}"),
        }
    }

    async fn submit(&mut self, pdu: Vec<u8>) -> Result<u8, SubmitFailure> {
        self.order(ModemOutput::Submit {
            token: 5,
            pdu: Bytes::from(pdu),
        })
        .await;
        match self
            .until(|news| matches!(news, ModemInput::Submitted { .. }))
            .await
            .pop()
        {
            Some(ModemInput::Submitted { token: 5, outcome }) => outcome,
            other => panic!("{other:?}"),
        }
    }
}

const SOON: Duration = Duration::from_secs(20);

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(test);
}

/// Waits for calls that nothing is told of.
async fn called(fake: &Fake, wanted: &str) {
    let looking = async {
        while !fake.calls().iter().any(|call| call == wanted) {
            tokio::task::yield_now().await;
        }
    };
    let found = tokio::time::timeout(SOON, looking).await;
    assert!(found.is_ok(), "no {wanted:?} in {:?}", fake.calls());
}

fn submit(data: UserData) -> Submit {
    Submit::new(Address::number("+8613912345678").unwrap(), data)
}

fn octets(submit: Submit) -> Vec<u8> {
    Pdu {
        smsc: None,
        tpdu: Tpdu::Submit(submit),
    }
    .encode()
    .unwrap()
}
