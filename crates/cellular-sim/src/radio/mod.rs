//! A cellular network in virtual time: subscribers with modems, phones, a short message centre, calls, cells,
//! registration, and what goes wrong with them.
//!
//! Nothing here reads a clock, opens a file or draws chance from outside: [`Network::handle_order`] and the verbs of
//! phones go in with the time, events come out of [`Network::poll_event`] and [`Network::poll_phone_event`], and
//! [`Network::poll_timeout`] says when to call [`Network::handle_timeout`]. The same seed and the same calls give the
//! same events. Numbers such as 27.007 name the 3GPP specification that a rule is from. A modem's port speaks
//! [`dtu_proto::radio`], so a device can be put on it as it is.
//!
//! ```
//! use dtu_proto::radio::{ModemInput, ModemOutput};
//! use dtu_proto::time::{Duration, Instant};
//! use cellular_sim::radio::{Network, Settings, Subscriber};
//!
//! let mut network = Network::new(7, Settings::default());
//! let modem = network.add(Subscriber::default(), Instant::ZERO);
//! let own = network.subscriber(modem).number.unwrap();
//! network.send_text("+8613912345678".parse_number(), own, "hello", Instant::ZERO).unwrap();
//! while let Some(at) = network.poll_timeout() {
//!     network.handle_timeout(at);
//!     while let Some((to, event)) = network.poll_event() {
//!         if let ModemInput::Message { id, .. } = event {
//!             network.handle_order(to, &ModemOutput::Taken(id), at);
//!         }
//!     }
//! }
//! assert_eq!(network.counters().delivered, 1);
//!
//! # trait ParseNumber { fn parse_number(&self) -> dtu_proto::radio::PhoneNumber; }
//! # impl ParseNumber for str {
//! #     fn parse_number(&self) -> dtu_proto::radio::PhoneNumber { dtu_proto::radio::PhoneNumber::new(self).unwrap() }
//! # }
//! ```

mod call;
mod calls;
mod center;
mod clock;
mod delivery;
mod network;
mod phone;
mod phones;
mod play;
mod port;
mod ports;
mod script;
mod script_run;
mod settings;
mod submit;
mod verb;

pub use center::{CENTER_MAX, Counters};
pub(crate) use clock::{civil, seconds_of};
pub use network::{Network, VerbError};
pub use phone::{Answering, PhoneEvent};
pub use script::{Script, ScriptError, Step};
pub use settings::{Faults, Id, Settings, Span, Subscriber};
pub use verb::{ModemFault, Verb};
