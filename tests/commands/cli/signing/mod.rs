//! Keys, plugins and time stamping authorities as they really are: the reports of people who sign, each a named test.

mod conversions;
mod keys;
mod plugins;
mod timestamps;
