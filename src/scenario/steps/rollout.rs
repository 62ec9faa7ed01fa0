//! `policy` and `blobPolicy`: a trust policy that is rolled out. From this step on it judges what names none itself.
//!
//! Nothing happens in the world: which policy a verification is judged by is settled when the scenario is read.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use super::reader::Reader;
use super::{Step, Written};
use crate::scenario::policies::RawPolicy;
use crate::scenario::spanned::Spanned;
use crate::scenario::world::World;

/// `blobPolicy`
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(in crate::scenario) struct RawBlobPolicy(Spanned<RawPolicy>);

/// It is written as every policy is.
impl JsonSchema for RawBlobPolicy {
    fn inline_schema() -> bool {
        RawPolicy::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        RawPolicy::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        RawPolicy::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        RawPolicy::json_schema(generator)
    }
}

/// A policy is in force from now on.
#[derive(Debug)]
pub(in crate::scenario) struct Rollout;

impl Written for Spanned<RawPolicy> {
    type Checked = Rollout;

    fn check(&self, reader: &mut Reader<'_, '_, '_>) -> Option<Rollout> {
        // What is wrong with it is said here, whether or not anything is judged by it.
        reader.policies.get(Some(self), reader.things, &self.range, reader.findings)?;
        reader.rolled_out = Some(self.clone());
        Some(Rollout)
    }
}

impl Written for RawBlobPolicy {
    type Checked = Rollout;

    fn check(&self, reader: &mut Reader<'_, '_, '_>) -> Option<Rollout> {
        reader.policies.get_for_blobs(Some(&self.0), reader.things, &self.0.range, reader.findings)?;
        reader.rolled_out_for_blobs = Some(self.0.clone());
        Some(Rollout)
    }
}

impl Step for Rollout {
    async fn act(&self, _: &mut World) -> Result<(), String> {
        Ok(())
    }
}
