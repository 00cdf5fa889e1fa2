//! The real daemon on a real pty with real sockets. One program, so that it is linked once.

#[cfg(feature = "clients")]
mod clients;
mod common;
mod e2e_at_mode;
mod e2e_black_hole;
mod e2e_bulk;
mod e2e_command_mode;
mod e2e_console;
mod e2e_demo;
mod e2e_disk;
mod e2e_httpd;
mod e2e_https;
mod e2e_kill;
mod e2e_links;
mod e2e_messages;
mod e2e_modes;
mod e2e_packets;
mod e2e_rests;
mod e2e_saying;
mod e2e_slow_line;
mod e2e_status;
mod e2e_survive;
mod modem_at;
#[cfg(feature = "clients")]
mod modem_interface;
mod schema;
mod serial_bench;
mod serial_delivery;
mod serial_pty;
mod serial_tty;
