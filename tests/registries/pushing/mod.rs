//! Signing in registries as they are: tags that stay where they are, forms that are not taken, lists that come late or not at
//! all, several signers at once, and the moods of registries while something is pushed.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod deletions;
mod desk;
mod forms;
mod immutable_tags;
mod lists;
mod many_signers;
mod moods;
