//! Delivery from end to end: the program itself scans again and again, the live side changes in between, and what counts is what its
//! receivers got.

mod apart;
mod clock;
mod dead;
mod kills;
mod matrix;
mod over_smtp;
mod story;
mod world;
