//! Worlds in virtual time for the DTU core.
#![forbid(unsafe_code)]
