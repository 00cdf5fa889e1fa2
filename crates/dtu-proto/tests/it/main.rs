//! Timed scripts and properties of the device core. One program, so that it is linked once.

mod at_mode;
mod at_mode_properties;
mod backoff;
mod calls;
mod commands;
mod delivery;
mod edges;
mod examples;
mod heard;
mod http_properties;
mod httpd;
mod httpd_properties;
mod imports;
mod losses;
mod messages;
mod messages_edges;
mod modes;
mod radio_rules;
mod recorded;
mod saying;
mod serial_command;
mod text_mode;
mod transparent;
mod traps;
mod trial;
mod words;
