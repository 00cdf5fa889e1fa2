//! The set-up software against our own device, and against the ways of real ones, in virtual time.
#![allow(clippy::unwrap_used, reason = "in a test it is an assertion")]

mod apply;
mod charset;
mod device;
mod files;
mod gm1;
mod noise;
mod reading;
mod real_boxes;
mod remote;
mod sms;
mod trial;
