//! The gateway by itself, over HTTP.

mod access;
mod agreement;
mod bench;
mod confusion;
mod courses;
mod faults;
mod keys;
mod model;
mod waiting;
