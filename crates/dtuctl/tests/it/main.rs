//! `dtuctl` as a program.

mod pdu;
