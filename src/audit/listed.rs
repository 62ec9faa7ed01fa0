//! What an image index lists, at every depth: each manifest once, the index itself never.
//!
//! Indexes inside are fetched to be looked into, one after the other and not kept. An index that lists itself, or another
//! twice, or one inside the other, ends like any other. No more than [`limits::INDEX_MANIFESTS`] manifests are taken from
//! one artifact, and no more than [`limits::NESTED_INDEXES`] indexes inside are read; what is beyond is said.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

use super::passed_over::is_absent;
use super::platform::Platforms;
use super::selected::Selected;
use crate::digest::Digest;
use crate::limits;
use crate::manifest::{self, ImageIndex, IndexEntry, ManifestKind, Platform};
use crate::trouble::{Trouble, TroubleKind};

/// The annotation by which buildkit says what a manifest is there for.
const REFERENCE_TYPE: &str = "vnd.docker.reference.type";
/// The value of that annotation for attestations.
const ATTESTATION: &str = "attestation-manifest";
/// The word for the platform of what runs nowhere.
const UNKNOWN: &str = "unknown";

/// The platforms that entries state for one manifest, which may be listed several times.
#[derive(Debug, Clone, Default)]
pub(super) struct Stated {
    /// One that is asked for by name, else the first.
    pub(super) platform: Option<Platform>,
    /// Of each platform that is asked for by name: whether an entry states it.
    pub(super) named: Vec<bool>,
}

/// All that an index lists.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// Each manifest once, the outer before the inner.
    pub(super) manifests: Vec<ListedManifest>,
    /// Why there may be more.
    pub(super) more: Option<Trouble>,
}

/// One manifest.
#[derive(Debug)]
pub(super) struct ListedManifest {
    pub(super) digest: Digest,
    /// The media type that the entry states.
    pub(super) media_type: String,
    /// What the manifest runs on, as its entry says, or that of the index that it stands in.
    pub(super) on: Stated,
    /// Whether its entry says that it attests a build.
    pub(super) attests: bool,
    /// Of an index: why it could not be looked into.
    pub(super) closed: Option<Trouble>,
}

impl<'a> Listing<'a> {
    /// Begins to list what the index `whole`, which was read as `index`, lists. Nothing of the index itself is held.
    pub(super) fn of(whole: Digest, index: ImageIndex, platforms: &'a Platforms) -> Listing<'a> {
        let places = HashMap::from([(whole, None)]);
        let mut listing = Listing { listed: Listed::default(), places, left: VecDeque::new(), platforms };
        listing.add(index, &Stated::default());
        listing
    }

    /// All that is listed. Indexes inside are looked into if `inside`.
    pub(super) async fn listed(self, selected: &Selected, inside: bool) -> Listed {
        let mut listing = self;
        let mut read = 0;
        while let Some(place) = listing.left.pop_front() {
            let Some(ListedManifest { digest, on, .. }) = listing.listed.manifests.get(place) else { continue };
            if !inside || read == limits::NESTED_INDEXES {
                let message = format!("more than {} image indexes inside it were not read", limits::NESTED_INDEXES);
                listing.listed.more.get_or_insert(Trouble::new(TroubleKind::AnswerTooLarge, message));
                break;
            }
            read += 1;
            let on = on.clone();
            match fetch(selected, *digest).await {
                // The bytes hold its share of the budget, until it is read.
                Ok((_bytes, index)) => listing.add(index, &on),
                Err(trouble) => {
                    if let Some(manifest) = listing.listed.manifests.get_mut(place) {
                        manifest.closed = Some(trouble);
                    }
                }
            }
        }
        listing.listed
    }
}

impl Listed {
    /// How many manifests there are, those apart that say they attest a build.
    pub(super) fn count(&self) -> u64 {
        self.manifests.iter().filter(|manifest| !manifest.attests).count() as u64
    }

    /// Whether there may be more than are counted.
    pub(super) fn is_open(&self) -> bool {
        self.more.is_some() || self.manifests.iter().any(|manifest| manifest.closed.is_some())
    }
}

impl ListedManifest {
    /// Whether the manifest is an index that is not there.
    pub(super) fn is_absent(&self) -> bool {
        self.closed.as_ref().is_some_and(is_absent)
    }
}

/// The list, while it is made.
pub(super) struct Listing<'a> {
    listed: Listed,
    /// Where in the list a manifest stands; `None` is the whole index.
    places: HashMap<Digest, Option<usize>>,
    /// The indexes that are to be read.
    left: VecDeque<usize>,
    platforms: &'a Platforms,
}

impl Listing<'_> {
    /// Adds what an index lists that stands in one for `outer`.
    fn add(&mut self, index: ImageIndex, outer: &Stated) {
        for entry in index.manifests {
            let is_index = manifest::is_index(&entry.descriptor.media_type);
            let attests = !is_index && attests(&entry);
            let IndexEntry { descriptor, platform } = entry;
            let on = platform.map_or_else(|| outer.clone(), |platform| self.stated(platform));
            match self.places.get(&descriptor.digest).copied() {
                Some(None) => {}
                Some(Some(place)) => {
                    if let Some(known) = self.listed.manifests.get_mut(place) {
                        known.attests &= attests;
                        // What stands in an index is for the platform of the index where it states none.
                        if known.on.widen(on) && is_index && !self.left.contains(&place) {
                            self.left.push_back(place);
                        }
                    }
                }
                None => {
                    let place = self.listed.manifests.len();
                    if place == limits::INDEX_MANIFESTS {
                        let message = format!(
                            "the image index has more than {} manifests; the rest was not judged",
                            limits::INDEX_MANIFESTS
                        );
                        self.listed.more.get_or_insert(Trouble::new(TroubleKind::AnswerTooLarge, message));
                        return;
                    }
                    self.places.insert(descriptor.digest, Some(place));
                    if is_index {
                        self.left.push_back(place);
                    }
                    let (digest, media_type) = (descriptor.digest, descriptor.media_type);
                    self.listed.manifests.push(ListedManifest { digest, media_type, on, attests, closed: None });
                }
            }
        }
    }

    fn stated(&self, platform: Platform) -> Stated {
        let named = self.platforms.named().iter().map(|wanted| wanted.is(&platform)).collect();
        Stated { platform: Some(platform), named }
    }
}

impl Stated {
    /// Adds what another entry states; says whether that names a platform more.
    fn widen(&mut self, other: Stated) -> bool {
        if self.platform.is_none() && self.named.is_empty() {
            *self = other;
            return self.named.contains(&true);
        }
        let mut wider = false;
        for (known, new) in self.named.iter_mut().zip(&other.named) {
            wider |= *new && !*known;
            *known |= new;
        }
        if wider {
            self.platform = other.platform;
        }
        wider
    }
}

/// Whether an entry says that its manifest attests a build, and is for no platform. Its content decides.
fn attests(entry: &IndexEntry) -> bool {
    let nowhere =
        |platform: &Platform| platform.os == UNKNOWN && platform.architecture == UNKNOWN && platform.variant.is_none();
    match &entry.platform {
        Some(platform) => nowhere(platform),
        None => entry.descriptor.annotations.get(REFERENCE_TYPE).is_some_and(|kind| kind == ATTESTATION),
    }
}

async fn fetch(selected: &Selected, digest: Digest) -> Result<(Bytes, ImageIndex), Trouble> {
    let found = selected.source.listed_manifest(&selected.reference.repository, &digest).await?;
    let Some(found) = found else {
        let message = format!("the image index {digest} is listed and not there");
        return Err(Trouble::new(TroubleKind::ContentMissing, message));
    };
    let unreadable = |why: String| {
        let message = format!("the manifest {digest} cannot be read, so its parts are not known: {why}");
        Trouble::new(TroubleKind::AnswerInvalid, message)
    };
    match manifest::parse(&found.bytes, &found.descriptor.media_type) {
        Ok(ManifestKind::Index(index)) => Ok((found.bytes, index)),
        Ok(_) => Err(unreadable("it is listed as an image index, but is not an image index".to_owned())),
        Err(error) => Err(unreadable(error.to_string())),
    }
}
