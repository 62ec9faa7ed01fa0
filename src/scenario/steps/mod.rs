//! Steps: what happens in the world, one after the other.
//!
//! A step is one file: its form in the scenario file, its check, which resolves names and fills in defaults, and what it
//! does. `steps!` below is the list of them all; the JSON Schema and the table in `scenarios/README.md` come from it.
//! What several steps need is in `reader` (which artifacts are there at this point), in `seal` (envelopes that the forge
//! writes), in `custody` (signatures as `muster sign` makes them) and in [`super::inventory`].

mod advance;
mod approval;
mod attach;
mod change_key;
mod content;
mod copy;
mod custody;
mod delete;
mod expected_approvals;
mod expected_signing;
mod fault;
mod gateway;
mod import;
mod push;
mod reader;
mod registry_state;
mod respond;
mod restore;
mod retag;
mod revocation_from;
mod revoke;
mod rollout;
mod seal;
mod sign;
mod sign_file;
mod signing_trouble;
mod tamper;
mod tampering;
mod timestamp;
mod token;
mod trust;
mod verify;
mod verify_file;
mod write;

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{Deserializer, Error as _, IgnoredAny, IntoDeserializer as _, MapAccess, Visitor};

pub(super) use push::Content;
pub(super) use reader::{Reader, check};
pub(super) use respond::Respond;
pub(super) use revocation_from::RevocationFrom;
pub(super) use revoke::Reason;
pub(super) use verify::{RawVerify, Subject, Verification};

use super::policies::RawPolicy;
use super::scalar::{ArtifactName, Span};
use super::spanned::Spanned;
use super::world::{Needs, World};

/// A step as it is written.
pub(super) trait Written {
    /// The step with every name resolved and every default filled in.
    type Checked: Step;

    /// Checks the step at its place in the scenario; `None` where something is wrong, of which the findings tell.
    fn check(&self, reader: &mut Reader<'_, '_, '_>) -> Option<Self::Checked>;
}

/// A step that can be done.
pub(super) trait Step {
    /// Says what it needs of the world before anything happens; most need nothing.
    fn prepare<'s>(&'s self, _needs: &mut Needs<'s>) {}

    /// The tags that it writes, with how many each name stands for.
    fn tags(&self) -> Vec<(&ArtifactName, u32)> {
        Vec::new()
    }

    /// Whether something is expected of it, so that trouble of this machine could pass for what was expected.
    fn expects(&self) -> bool {
        false
    }

    /// Does it; an error says, as a sentence, why it cannot be done here.
    async fn act(&self, world: &mut World) -> Result<(), String>;
}

/// A checked step, with its place in the file.
#[derive(Debug)]
pub(super) struct PlacedAction {
    pub(super) line: usize,
    pub(super) action: Action,
}

macro_rules! steps {
    ($($(#[$doc:meta])+ $name:ident($written:ty),)+) => {
        /// One step.
        #[derive(Debug, JsonSchema)]
        #[schemars(rename_all = "camelCase")]
        pub(super) enum RawStep {
            $($(#[$doc])+ $name($written),)+
        }

        /// What a step does.
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        enum StepName {
            $($name,)+
        }

        impl RawStep {
            fn read<'de, A: MapAccess<'de>>(name: StepName, map: &mut A) -> Result<RawStep, A::Error> {
                match name {
                    $(StepName::$name => map.next_value().map(RawStep::$name),)+
                }
            }
        }

        /// What is done in a step.
        #[allow(clippy::large_enum_variant, reason = "a scenario has a few of them, which are read once and stay where they are")]
        #[derive(Debug)]
        pub(super) enum Action {
            $($(#[$doc])+ $name(<$written as Written>::Checked),)+
        }

        impl RawStep {
            fn check(&self, reader: &mut Reader<'_, '_, '_>) -> Option<Action> {
                match self {
                    $(RawStep::$name(written) => written.check(reader).map(Action::$name),)+
                }
            }
        }

        impl Action {
            /// Says what it needs of the world before anything happens.
            pub(super) fn prepare<'s>(&'s self, needs: &mut Needs<'s>) {
                match self {
                    $(Action::$name(step) => step.prepare(needs),)+
                }
            }

            /// The tags that it writes, with how many each name stands for.
            pub(super) fn tags(&self) -> Vec<(&ArtifactName, u32)> {
                match self {
                    $(Action::$name(step) => step.tags(),)+
                }
            }

            /// Whether something is expected of it.
            pub(super) fn expects(&self) -> bool {
                match self {
                    $(Action::$name(step) => step.expects(),)+
                }
            }

            /// Does it, on `world`. A verification does nothing here: the runner judges and compares.
            pub(super) async fn act(&self, world: &mut World) -> Result<(), String> {
                match self {
                    $(Action::$name(step) => step.act(world).await,)+
                }
            }
        }
    };
}

/// Whether a step has this name.
pub(super) fn is_step(name: &str) -> bool {
    let name: StrDeserializer<'_, serde::de::value::Error> = name.into_deserializer();
    StepName::deserialize(name).is_ok()
}

// Not derived: the parser takes a bare word for a step, and what follows for its members.
impl<'de> Deserialize<'de> for RawStep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RawStep, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = RawStep;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a step with its members, as push: {}")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawStep, A::Error> {
                let Some(name) = map.next_key()? else {
                    return Err(A::Error::custom("the step is empty: write one, as push: {}"));
                };
                let step = RawStep::read(name, &mut map)?;
                match map.next_key::<IgnoredAny>()? {
                    None => Ok(step),
                    Some(_) => {
                        Err(A::Error::custom("an entry holds one step: begin the next with - on a line of its own"))
                    }
                }
            }
        }

        deserializer.deserialize_any(Read)
    }
}

steps! {
    /// Pushes artifacts.
    Push(push::RawPush),
    /// Pushes an artifact that is recorded in the project, with what refers to it or without.
    Import(import::RawImport),
    /// Writes a file, which can be signed by itself; one that is there is written over.
    Write(write::RawWrite),
    /// Signs artifacts and pushes the signatures, or signs a file.
    Sign(sign::RawSign),
    /// Attaches something to artifacts, as an SBoM.
    Attach(attach::RawAttach),
    /// Copies artifacts, with what refers to them or without.
    Copy(copy::RawCopy),
    /// Moves a tag to another artifact of its repository, or makes one.
    Retag(retag::RawRetag),
    /// Changes a signature in the registry, or that of a file.
    Tamper(tamper::RawTamper),
    /// Deletes artifacts, a file, or a signature of theirs.
    Delete(delete::RawDelete),
    /// Makes a registry answer wrongly, or not at all, from now on.
    Fault(fault::RawFault),
    /// Has something happen to the token of a key.
    Token(token::RawToken),
    /// Makes the gateway of a key answer wrongly, or blocks and unblocks the key.
    Gateway(gateway::RawGateway),
    /// Asks the gateway of a key to block it, to unblock it, or to give it another policy.
    ChangeKey(change_key::RawChangeKey),
    /// Revokes a certificate, as its issuer does.
    Revoke(revoke::RawRevoke),
    /// Lifts the hold of a certificate.
    Restore(restore::RawRestore),
    /// Makes the responders of an authority answer otherwise from now on.
    Respond(respond::RawRespond),
    /// Changes what a trust store holds, as its keeper does.
    Trust(trust::RawTrust),
    /// Rolls a trust policy out: it judges from now on what names none itself. A file, or statements, as in a verification.
    Policy(Spanned<RawPolicy>),
    /// The same for files: a trust policy for blobs.
    BlobPolicy(rollout::RawBlobPolicy),
    /// Lets time pass.
    Advance(Spanned<Span>),
    /// Verifies in between.
    Verify(verify::RawVerify),
}
