//! The gateway by itself, over HTTP.
