//! What registries and layouts hold and send: what is an artifact, every answer there may be and every fault, redirects by
//! name, tags that look like lists of referrers, what people reported, what hosted registries do, how is signed in them, and the
//! registry that tests embed.

mod artifacts;
mod embedded_registry;
mod fault_matrix;
mod hosted;
mod pushing;
mod redirected_by_name;
mod referrers_tags;
mod registry_answers;
mod reported;
#[path = "../skip/mod.rs"]
mod skip;
