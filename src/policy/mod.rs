//! Trust policies.

mod validation;

pub use validation::{Action, Validation};
