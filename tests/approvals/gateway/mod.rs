//! The gateway by itself, over HTTP.

mod access;
mod bench;
mod confusion;
mod courses;
mod faults;
mod keys;
mod waiting;
