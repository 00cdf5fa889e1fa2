//! The file as it is written: every key may be missing.

use std::ops::Range;

use dtu_proto::config::Expect;
use dtu_proto::event::LinkId;
use serde::Deserialize;
use toml::Spanned;

use super::values::{
    AtLine, BasePath, Charset, Command, ConsoleAddressValue, DropPolicyValue, FactoryPasswordValue,
    FlowControl, HostName, Int, Interface, Led, Line, ModemDevice, OwnNumber, PasswordValue,
    PathValue, Phone, Pin, ProxyAddress, PtyGroup, PtyMode, Reply, RoleValue, ShutdownValue, Size,
    Spool, SpoolSync, TokenValue,
};
use crate::serial::Access;

use super::{
    Commands, Console, Device, Http, Leds, Link, Modem, Packing, Places, Serial, Settings,
    SpoolSettings,
};

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct File {
    at: Option<Vec<Spanned<Command>>>,
    pub(super) serial: SerialTable,
    pub(super) device: DeviceTable,
    packing: PackingTable,
    pub(super) modem: ModemTable,
    http: HttpTable,
    pub(super) console: ConsoleTable,
    leds: LedTable,
    pub(super) link: LinkTable,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SerialTable {
    line: Option<Line>,
    pub(super) flow_control: FlowControl,
    pub(super) rs485: Option<Spanned<bool>>,
    hold: Option<Int<0, 3600>>,
    escape_gap: Option<Int<20, 1000>>,
    pty_mode: Option<PtyMode>,
    pty_group: Option<PtyGroup>,
    charset: Charset,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DeviceTable {
    setup_window: Option<Int<0, 3600>>,
    shutdown: Option<ShutdownValue>,
    recovery: Option<bool>,
    password: Option<PasswordValue>,
    factory_password: Option<FactoryPasswordValue>,
    pub(super) sms_allow: Option<Spanned<Vec<Phone>>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PackingTable {
    length_enabled: bool,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ModemTable {
    device: Option<ModemDevice>,
    pin: Option<Pin>,
    baud: Option<Int<300, 4_000_000>>,
    pub(super) init: Option<Spanned<Vec<AtLine>>>,
    interface: Option<Interface>,
    script: Option<Spanned<PathValue>>,
    number: Option<OwnNumber>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct HttpTable {
    extra_root: Option<Spanned<PathValue>>,
    answer_max: Option<Int<0, 86_400>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ConsoleTable {
    addr: Option<ConsoleAddressValue>,
    hosts: Vec<HostName>,
    trusted_proxies: Vec<ProxyAddress>,
    base: Option<BasePath>,
    pub(super) certificate: Option<Spanned<PathValue>>,
    pub(super) key: Option<Spanned<PathValue>>,
    pub(super) tls: Option<Spanned<ConsoleTls>>,
    insecure: bool,
    metrics_token: Option<TokenValue>,
}

/// Where the certificate comes from, if there is no file of it.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ConsoleTls {
    /// The console makes it.
    #[serde(rename = "self")]
    Own,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LedTable {
    pow: Option<Led>,
    net: Option<Led>,
    data: Option<Led>,
}

/// A table of link keys. `[link]` has the tables of single links besides; serde cannot refuse unknown keys of a
/// flattened struct, so the keys are written twice by this macro.
macro_rules! link_table {
    ($name:ident { $($extra:tt)* }) => {
        #[derive(Default, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub(super) struct $name {
            pub(super) cache: Option<Spanned<CacheSize>>,
            drop_policy: Option<DropPolicyValue>,
            resend: Option<bool>,
            spool: Option<Spool>,
            pub(super) spool_size: Option<Spanned<SpoolSize>>,
            spool_sync: Option<SpoolSync>,
            backoff_max: Option<Int<1, 3600>>,
            short_link_idle: Option<Int<1, 255>>,
            pub(super) role: Option<Spanned<RoleValue>>,
            interface: Option<Interface>,
            expect: ExpectTable,
            $($extra)*
        }

        impl $name {
            /// Lays what is written here over `link`; says whether frames go to the disk.
            fn lay_over(&self, link: &mut Link, disk: &mut Disk) {
                set(&mut link.cache, self.cache.as_ref().and_then(|size| usize::try_from(size.get_ref().0).ok()));
                set(&mut link.drop_policy, self.drop_policy.map(|value| value.0));
                set(&mut link.resend, self.resend);
                set(&mut disk.used, self.spool.map(|spool| spool == Spool::Disk));
                set(&mut disk.settings.size, self.spool_size.as_ref().map(|size| size.get_ref().0));
                set(&mut disk.settings.sync, self.spool_sync);
                set(&mut link.backoff_max, self.backoff_max.map(Int::seconds));
                set(&mut link.short_link_idle, self.short_link_idle.map(Int::seconds));
                set(&mut link.role, self.role.as_ref().map(|role| Some(role.get_ref().0)));
                set(&mut link.interface, self.interface.as_ref().map(|interface| interface.0.clone()));
                set(&mut link.expect_register, self.expect.register.as_ref().map(|expect| Some(expect.settle())));
                set(&mut link.expect_heartbeat, self.expect.heartbeat.as_ref().map(|expect| Some(expect.settle())));
            }
        }
    };
}
link_table!(OneLink {});
link_table!(LinkTable {
    #[serde(rename = "1")]
    link1: OneLink,
    #[serde(rename = "2")]
    link2: OneLink,
    #[serde(rename = "3")]
    link3: OneLink,
    #[serde(rename = "4")]
    link4: OneLink,
});

/// One frame of the longest kind fits.
type CacheSize = Size<1024, { 256 << 20 }>;
type SpoolSize = Size<{ 64 << 10 }, { 64 << 30 }>;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ExpectTable {
    register: Option<ExpectValue>,
    heartbeat: Option<ExpectValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectValue {
    reply_hex: Reply,
    within: Option<Int<1, 3600>>,
    misses: Option<Int<1, 255>>,
    #[serde(default)]
    pass: bool,
}

impl ExpectValue {
    fn settle(&self) -> Expect {
        Expect {
            reply: self.reply_hex.0.clone(),
            within: self.within.map_or(DEFAULT_WITHIN, Int::seconds),
            misses: self.misses.map_or(DEFAULT_MISSES, Int::byte),
            pass: self.pass,
        }
    }
}

/// Where a link's frames go.
struct Disk {
    used: bool,
    settings: SpoolSettings,
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

impl LinkTable {
    pub(super) const fn one(&self, link: LinkId) -> &OneLink {
        [&self.link1, &self.link2, &self.link3, &self.link4][link.index()]
    }

    /// What all links share, with one link's own over it.
    pub(super) fn settle(&self, one: Option<&OneLink>) -> Link {
        let mut link = Link::default();
        let mut disk = Disk {
            used: false,
            settings: SpoolSettings {
                size: DEFAULT_SPOOL,
                sync: SpoolSync::default(),
            },
        };
        self.lay_over(&mut link, &mut disk);
        if let Some(one) = one {
            one.lay_over(&mut link, &mut disk);
        }
        link.spool = disk.used.then_some(disk.settings);
        link
    }
}

impl File {
    /// What is missing gets its default.
    pub(super) fn settle(&self) -> Settings {
        let at = self
            .at
            .iter()
            .flatten()
            .map(|command| command.get_ref().0.clone())
            .collect();
        Settings {
            at: Commands(at),
            serial: Serial {
                line: self.serial.line.as_ref().map(|line| line.0.clone()),
                flow_control: self.serial.flow_control,
                rs485: self
                    .serial
                    .rs485
                    .as_ref()
                    .is_some_and(|rs485| *rs485.get_ref()),
                hold: self
                    .serial
                    .hold
                    .map_or(Serial::default().hold, Int::seconds),
                escape_gap: self
                    .serial
                    .escape_gap
                    .map_or(Serial::default().escape_gap, Int::milliseconds),
                access: Access {
                    mode: self
                        .serial
                        .pty_mode
                        .as_ref()
                        .map_or(Access::default().mode, |mode| mode.0),
                    group: self.serial.pty_group.as_ref().map(|group| group.0),
                },
                charset: self.serial.charset,
            },
            device: self.device.settle(),
            packing: Packing {
                length_enabled: self.packing.length_enabled,
            },
            modem: self.modem.settle(),
            http: Http {
                extra_root: self
                    .http
                    .extra_root
                    .as_ref()
                    .map(|path| path.get_ref().0.clone()),
                answer_max: self
                    .http
                    .answer_max
                    .map_or(Http::default().answer_max, Int::seconds),
            },
            console: self.console.settle(),
            leds: self.leds.settle(),
            links: LinkId::ALL.map(|link| self.link.settle(Some(self.link.one(link)))),
            modes: self.link.settle(None),
            places: Places::default(),
        }
    }

    /// Where the AT lines stand.
    pub(super) fn at_spans(&self) -> impl Iterator<Item = Range<usize>> {
        self.at.iter().flatten().map(Spanned::span)
    }

    pub(super) fn script_span(&self) -> Option<Range<usize>> {
        self.modem.script.as_ref().map(Spanned::span)
    }

    pub(super) fn extra_root_span(&self) -> Option<Range<usize>> {
        self.http.extra_root.as_ref().map(Spanned::span)
    }
}

impl DeviceTable {
    fn settle(&self) -> Device {
        let mut device = Device::default();
        set(
            &mut device.setup_window,
            self.setup_window.map(Int::seconds),
        );
        set(&mut device.shutdown, self.shutdown.map(|value| value.0));
        set(&mut device.recovery, self.recovery);
        set(
            &mut device.password,
            self.password.as_ref().map(|value| Some(value.0.clone())),
        );
        set(
            &mut device.factory_password,
            self.factory_password.map(|value| value.0),
        );
        let numbers = self
            .sms_allow
            .as_ref()
            .map(|list| list.get_ref().iter().map(|phone| phone.0.clone()));
        set(&mut device.sms_allow, numbers.map(Iterator::collect));
        device
    }
}

impl ModemTable {
    fn settle(&self) -> Modem {
        let default = Modem::default();
        let init = self
            .init
            .as_ref()
            .map(|list| list.get_ref().iter().map(|line| line.0.clone()).collect());
        Modem {
            device: self.device.as_ref().map(|device| device.0.clone()),
            pin: self.pin.as_ref().map(|pin| pin.0.clone()),
            baud: self.baud.map_or(default.baud, Int::number),
            init: init.unwrap_or_default(),
            interface: self
                .interface
                .as_ref()
                .and_then(|interface| interface.0.clone()),
            script: self
                .script
                .as_ref()
                .map(|script| script.get_ref().0.clone()),
            number: self.number.as_ref().map(|number| number.0),
            log: None,
        }
    }
}

impl ConsoleTable {
    fn settle(&self) -> Console {
        let path = |of: &Option<Spanned<PathValue>>| of.as_ref().map(|of| of.get_ref().0.clone());
        Console {
            addr: self.addr.as_ref().map(|addr| addr.0),
            hosts: self.hosts.iter().map(|host| host.0.clone()).collect(),
            trusted_proxies: self.trusted_proxies.iter().map(|proxy| proxy.0).collect(),
            base: self.base.as_ref().map(|base| base.0.clone()),
            certificate: path(&self.certificate),
            key: path(&self.key),
            tls_self: self.tls.is_some(),
            insecure: self.insecure,
            metrics_token: self.metrics_token.as_ref().map(|token| token.0.clone()),
        }
    }
}

impl LedTable {
    fn settle(&self) -> Leds {
        let name = |led: &Option<Led>| led.as_ref().map(|led| led.0.clone());
        Leds {
            pow: name(&self.pow),
            net: name(&self.net),
            data: name(&self.data),
        }
    }
}

const DEFAULT_SPOOL: u64 = 64 << 20;
const DEFAULT_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);
const DEFAULT_MISSES: u8 = 3;
