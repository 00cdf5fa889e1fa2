//! Bytes and values: what goes over the wires, without state. Short messages are the crate [`sms_codec`].

pub mod command_frame;
pub mod http;
