//! What people reported who sign with tokens, a test each; `docs/tokens.md` names the products. Both programs that sign are
//! tried, with the shim where the token is none that can be had here.

mod keys;
mod modules;
mod proxy;
mod signatures;
mod slots;
mod threads;
