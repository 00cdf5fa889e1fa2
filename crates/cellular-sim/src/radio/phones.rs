//! What comes to phones, and the services that answer by themselves.

use dtu_proto::radio::PhoneNumber;
use dtu_proto::time::Instant;
use sms_codec::pdu::{Deliver, Tpdu};
use sms_codec::user_data::{Body, UserData};

use super::network::Network;
use super::phone::{ECHO, PhoneEvent, SERVICE, Service};

/// Events that wait to be looked at; beyond, the oldest is forgotten and counted.
const EVENTS_MAX: usize = 4096;

impl Network {
    /// What the owners of phones see, in order; of 4096 that nobody has looked at the oldest is dropped.
    pub fn poll_phone_event(&mut self) -> Option<PhoneEvent> {
        self.phone_events.pop_front()
    }

    pub(super) fn emit_phone(&mut self, event: PhoneEvent) {
        if self.phone_events.len() >= EVENTS_MAX {
            self.phone_events.pop_front();
            self.counters.dropped_events += 1;
        }
        self.phone_events.push_back(event);
    }

    /// A message has reached a phone.
    pub(super) fn phone_takes(&mut self, phone: usize, tpdu: &Tpdu, now: Instant) {
        let Some(owner) = self.phones.get_mut(phone) else {
            return;
        };
        let number = owner.number;
        match tpdu {
            Tpdu::Deliver(deliver) => {
                let Some((data, parts)) = owner.take(deliver, now) else {
                    return;
                };
                let service = owner.service;
                self.serve(number, service, deliver, &data, now);
                self.emit_phone(PhoneEvent::Text {
                    phone: number,
                    from: deliver.from.clone(),
                    data,
                    parts,
                });
            }
            Tpdu::StatusReport(report) => {
                self.emit_phone(PhoneEvent::Report {
                    phone: number,
                    report: report.clone(),
                });
            }
            Tpdu::Submit(_) => {}
        }
    }

    /// What a service number does with a text.
    fn serve(
        &mut self,
        own: PhoneNumber,
        service: Service,
        deliver: &Deliver,
        data: &UserData,
        now: Instant,
    ) {
        let Some(asker) = PhoneNumber::new(&deliver.from.to_string()) else {
            return;
        };
        if [SERVICE, ECHO].contains(&asker.as_str()) {
            // Two services would talk without end.
            return;
        }
        let reply = match service {
            Service::None => return,
            Service::Echo => data.body.clone(),
            Service::Answers => {
                let text = data.text().unwrap_or_else(|| "(data)".to_owned());
                Body::text(&format!("{SERVICE}: received \"{}\"", text.trim_end()))
            }
        };
        // A service whose centre is full stays silent.
        let _ = self.send_body(own, asker, reply, now);
    }
}
