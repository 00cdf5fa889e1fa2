//! A cellular network in virtual time: subscribers with modems, phones, a short message centre, calls, cells,
//! registration, and what goes wrong with them.
//!
//! Nothing here reads a clock, opens a file or draws chance from outside: [`Network::order`] and the verbs of phones go
//! in with the time, news come out of [`Network::poll_news`] and [`Network::poll_phone`], and
//! [`Network::poll_timeout`] says when to call [`Network::handle_timeout`]. The same seed and the same calls give the
//! same news. A modem's port speaks [`dtu_proto::radio`], so a device can be put on it as it is.
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
//!     while let Some((to, news)) = network.poll_news() {
//!         if let ModemInput::Message { id, .. } = news {
//!             network.order(to, &ModemOutput::Taken(id), at);
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

mod calls;
mod center;
mod clock;
mod network;
mod phone;
mod port;
mod script;
mod settings;
mod submit;
mod verb;

pub use center::{CENTER_MAX, Counters};
pub(crate) use clock::{civil, seconds_of};
pub use network::{Network, VerbError};
pub use phone::{Answering, PhoneNews};
pub use script::{Script, ScriptError, Step};
pub use settings::{Faults, Id, Settings, Span, Subscriber};
pub use verb::{ModemFault, Verb};
