//! The frame of the serial command mode, written as its page describes it (and not with the device's own codec).

/// Data and its destination.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packet<'a> {
    func: u8,
    wait: u8,
    port: u16,
    host: Host<'a>,
    data: &'a [u8],
}

#[derive(Clone, Copy, Debug)]
enum Host<'a> {
    /// 127.0.0.1.
    Here,
    Name(&'a str),
}

impl<'a> Packet<'a> {
    /// A long TCP connection to this machine.
    pub(crate) const fn tcp(port: u16, data: &'a [u8]) -> Self {
        Self {
            func: 1,
            wait: 0,
            port,
            host: Host::Here,
            data,
        }
    }

    /// A datagram to this machine.
    pub(crate) const fn udp(port: u16, data: &'a [u8]) -> Self {
        Self {
            func: 0,
            ..Self::tcp(port, data)
        }
    }

    /// A short connection that waits so many seconds.
    pub(crate) const fn short(self, seconds: u8) -> Self {
        Self {
            func: self.func | 2,
            wait: seconds,
            ..self
        }
    }

    /// By name.
    pub(crate) const fn to(self, name: &'a str) -> Self {
        Self {
            func: self.func | 4,
            host: Host::Name(name),
            ..self
        }
    }

    /// With an answer when it is delivered.
    pub(crate) const fn with_reply(self) -> Self {
        Self {
            func: self.func | 0x80,
            ..self
        }
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        let Self {
            func,
            wait,
            port,
            host,
            data,
        } = self;
        let mut body = vec![func, wait, 0];
        body.extend(port.to_le_bytes());
        match host {
            Host::Here => body.extend([1, 0, 0, 127]),
            Host::Name(name) => body.extend(name.bytes().chain([0])),
        }
        body.extend(data);
        let sum = body.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        let length = u16::try_from(body.len()).expect("a packet is short");
        [&[0x55, 0xAA], &length.to_be_bytes()[..], &body, &[sum]].concat()
    }
}
