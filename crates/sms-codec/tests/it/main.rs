//! Vectors of others, properties, and parts in any order. One program, so that it is linked once.

mod join;
mod properties;
mod vectors;
