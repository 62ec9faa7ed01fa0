//! What registries send: redirects by name, and tags that look like lists of referrers.

mod redirected_by_name;
mod referrers_tags;
