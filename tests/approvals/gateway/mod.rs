//! The gateway by itself, over HTTP.

mod access;
mod agreement;
pub(crate) mod bench;
mod by_hand;
mod confusion;
mod courses;
mod doors;
mod faults;
mod five_commands;
mod keys;
mod model;
mod process;
mod secret_files;
mod shown;
mod tokens;
mod unread;
mod waiting;
