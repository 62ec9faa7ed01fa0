//! What a layout lists: its manifests, and which of them are signatures of which.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::io::BufReader;

use super::files::{Files, INDEX, LAYOUT};
use crate::digest::Digest;
use crate::json;
use crate::limits;
use crate::manifest::{
    self, Descriptor, IndexEntry, ManifestError, ManifestKind, SIGNATURE_ARTIFACT_TYPE, UnreadableEntry,
};
use crate::reference::Reference;
use crate::trouble::{Trouble, TroubleKind};

/// The annotation that gives an entry of `index.json` its name.
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// The annotation in which containerd and docker keep the full name of an image.
const CONTAINERD_NAME: &str = "io.containerd.image.name";

/// The only version there is.
const VERSION: &str = "1.0.0";

/// How many descriptors that contradict the first are tried for one manifest.
const OTHERWISE_LISTED: usize = 8;

/// All that is listed.
#[derive(Debug)]
pub(super) struct Catalogue {
    /// The entries of `index.json`, in order.
    pub(super) items: Vec<Item>,
    /// Those entries of `index.json` that cannot be read.
    pub(super) unreadable: Vec<Unreadable>,
    /// Every manifest that `index.json` or an index below it lists, as it was listed first.
    manifests: HashMap<Digest, Box<Descriptor>>,
    /// By subject, the signatures, in the order in which they are listed.
    signatures: HashMap<Digest, Vec<Descriptor>>,
    /// By subject, what else refers to it, in the order in which it is listed.
    attached: HashMap<Digest, Vec<Attached>>,
    /// Why the first of those manifests that may be signatures could not be read.
    doubt: Option<Trouble>,
    /// The same of those that may be attached to others, whatever they are.
    unread: Option<Trouble>,
}

/// An entry of `index.json`.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) name: Option<String>,
    /// The name that containerd and docker give it besides.
    pub(super) containerd_name: Option<String>,
    pub(super) descriptor: Descriptor,
    /// Whether the entry is there for another manifest: it refers to one and cannot be run, or says that it is a
    /// signature and is not there.
    pub(super) refers: bool,
    /// Whether the layout does not list the manifest that it refers to.
    pub(super) is_stray: bool,
    /// Whether an index in the layout lists it too.
    pub(super) part: bool,
}

/// A manifest that refers to another and is no signature of the Notary Project.
#[derive(Debug)]
struct Attached {
    descriptor: Descriptor,
    /// Whether it says that it is a signature of another system.
    is_foreign: bool,
}

/// An entry of `index.json` that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The name that the layout gives it, where that can be read.
    pub name: Option<String>,
    /// The artifact type that it states, where that can be read.
    pub(super) artifact_type: Option<String>,
    /// What is wrong with it.
    pub trouble: Trouble,
}

/// Where a manifest was found listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listing {
    /// In `index.json`, with a name.
    Named,
    /// In `index.json`, without.
    Unnamed,
    /// In an index that the referrers tag schema names.
    ReferrersTag,
    /// In any other index.
    Index,
}

impl Listing {
    /// How an entry of `index.json` with this name is listed.
    fn of(name: Option<&str>) -> Listing {
        match name {
            Some(name) if is_referrers_tag(name) => Listing::ReferrersTag,
            Some(_) => Listing::Named,
            None => Listing::Unnamed,
        }
    }
}

impl Catalogue {
    pub(super) fn read(files: &mut Files) -> Result<Catalogue, Trouble> {
        Catalogue::read_within(files, limits::LAYOUT_MANIFESTS)
    }

    /// Reads what a layout lists, in which no more than `most` manifests may be.
    pub(super) fn read_within(files: &mut Files, most: usize) -> Result<Catalogue, Trouble> {
        check_version(files)?;
        let (items, unreadable) = read_index(files, most)?;
        let mut catalogue = Catalogue {
            items,
            unreadable,
            manifests: HashMap::new(),
            signatures: HashMap::new(),
            attached: HashMap::new(),
            doubt: None,
            unread: None,
        };
        catalogue.follow(files, most)?;
        Ok(catalogue)
    }

    /// The manifest of this digest, if it is listed anywhere.
    pub(super) fn manifest(&self, digest: &Digest) -> Option<&Descriptor> {
        self.manifests.get(digest).map(|descriptor| &**descriptor)
    }

    /// Whether a manifest is listed as it is read: with the same size and media type.
    pub(super) fn agrees(&self, listed: &Descriptor) -> bool {
        self.manifest(&listed.digest)
            .is_some_and(|known| (known.size, &known.media_type) == (listed.size, &listed.media_type))
    }

    /// The signatures of `subject`; [`Catalogue::doubt`] says whether these are all.
    pub(super) fn signatures(&self, subject: &Digest) -> &[Descriptor] {
        self.signatures.get(subject).map(Vec::as_slice).unwrap_or_default()
    }

    /// What else refers to `subject`.
    pub(super) fn attached(&self, subject: &Digest) -> Vec<Descriptor> {
        self.attached_if(subject, |_| true)
    }

    /// The signatures of other systems that `subject` has.
    pub(super) fn foreign_signatures(&self, subject: &Digest) -> Vec<Descriptor> {
        self.attached_if(subject, |attached| attached.is_foreign)
    }

    fn attached_if(&self, subject: &Digest, wanted: impl Fn(&Attached) -> bool) -> Vec<Descriptor> {
        let attached = self.attached.get(subject).into_iter().flatten().filter(|attached| wanted(attached));
        attached.map(|attached| attached.descriptor.clone()).collect()
    }

    /// Why there may be further signatures of anything.
    pub(super) fn doubt(&self) -> Option<&Trouble> {
        self.doubt.as_ref()
    }

    /// Why there may be more that refers to anything: signatures, or something else.
    pub(super) fn unread(&self) -> Option<&Trouble> {
        self.doubt.as_ref().or(self.unread.as_ref())
    }

    /// Reads every listed manifest once, and those that indexes among them list.
    fn follow(&mut self, files: &mut Files, most: usize) -> Result<(), Trouble> {
        let mut left = VecDeque::new();
        let mut room = Room::new(most);
        // By digest, how else it is listed: where the first is wrong about it, another may be right.
        let mut others: HashMap<Digest, Vec<(Descriptor, Listing)>> = HashMap::new();
        for item in &self.items {
            let listing = Listing::of(item.name.as_deref());
            if add(&mut self.manifests, &item.descriptor, &mut room, files)? {
                left.push_back((item.descriptor.digest, listing));
            } else if !self.agrees(&item.descriptor) {
                let others = others.entry(item.descriptor.digest).or_default();
                if others.len() < OTHERWISE_LISTED {
                    others.push((item.descriptor.clone(), listing));
                }
            }
        }
        let (mut referring, mut parts, mut envelopes) = (HashMap::new(), HashSet::new(), Vec::new());
        while let Some((digest, listing)) = left.pop_front() {
            let Some(descriptor) = self.manifest(&digest).cloned() else { continue };
            let read = read_manifest(files, &descriptor);
            if !matches!(&read, Ok(manifest) if *manifest != ManifestKind::Other)
                && let Some((other, listing)) = others.get_mut(&digest).and_then(Vec::pop)
            {
                self.manifests.insert(digest, Box::new(other));
                left.push_back((digest, listing));
                continue;
            }
            match read {
                Ok(manifest) => {
                    if let ManifestKind::Index(index) = &manifest {
                        let below = if listing == Listing::ReferrersTag { listing } else { Listing::Index };
                        for entry in &index.manifests {
                            parts.insert(entry.descriptor.digest);
                            if add(&mut self.manifests, &entry.descriptor, &mut room, files)? {
                                left.push_back((entry.descriptor.digest, below));
                            }
                        }
                    }
                    if let Some(subject) = manifest.subject() {
                        // An image is one though it refers to another: without a name it is still looked at.
                        if !manifest.may_run() {
                            referring.insert(descriptor.digest, Some(subject.digest));
                        }
                        self.note(subject.digest, &manifest, descriptor);
                        envelopes.extend(manifest::signature_envelope(&manifest).ok().map(|envelope| envelope.digest));
                    }
                }
                Err(trouble) => {
                    // What is there and cannot be read may be an image, whatever its entry says: it is looked at.
                    if states_signature(&descriptor) && trouble.kind == TroubleKind::ContentMissing {
                        referring.insert(descriptor.digest, None);
                    }
                    self.note_unread(&trouble, descriptor.artifact_type.as_deref(), listing);
                }
            }
        }
        for item in &mut self.items {
            let referring = referring.get(&item.descriptor.digest);
            item.refers = referring.is_some();
            item.is_stray = matches!(referring, Some(Some(subject)) if !self.manifests.contains_key(subject));
            item.part = parts.contains(&item.descriptor.digest);
        }
        for number in 0..self.unreadable.len() {
            let Unreadable { name, artifact_type, trouble } = self.unreadable[number].clone();
            self.note_unread(&trouble, artifact_type.as_deref(), Listing::of(name.as_deref()));
        }
        files.need(&envelopes)
    }

    /// Notes that a manifest which was `listing` so cannot be read, where it may be a signature or attached otherwise.
    fn note_unread(&mut self, trouble: &Trouble, artifact_type: Option<&str>, listing: Listing) {
        let with = |what: &str| Trouble::new(trouble.kind, format!("{}; it may be {what}", trouble.message));
        if may_be_signature(artifact_type, listing) {
            self.doubt.get_or_insert_with(|| with("a signature of any artifact"));
        } else if matches!(listing, Listing::Unnamed | Listing::ReferrersTag) {
            self.unread.get_or_insert_with(|| with("attached to any artifact"));
        }
    }

    /// Notes what refers to `subject`.
    fn note(&mut self, subject: Digest, manifest: &ManifestKind, mut descriptor: Descriptor) {
        if manifest::is_signature(manifest) {
            descriptor.artifact_type = Some(SIGNATURE_ARTIFACT_TYPE.to_owned());
            self.signatures.entry(subject).or_default().push(descriptor);
        } else {
            let is_foreign = manifest::foreign_signature(manifest).is_some();
            self.attached.entry(subject).or_default().push(Attached { descriptor, is_foreign });
        }
    }
}

impl Item {
    /// The name as a full reference, if it is one and does not contradict the entry's digest.
    pub(super) fn reference(&self) -> Option<Reference> {
        let reference: Reference = self.name.as_ref()?.parse().ok()?;
        let agrees = reference.digest.is_none_or(|digest| digest == self.descriptor.digest);
        agrees.then_some(reference)
    }
}

pub(super) fn check_version(files: &Files) -> Result<(), Trouble> {
    let invalid = |what: &str| files.trouble(TroubleKind::AnswerInvalid, what);
    let Some(bytes) = files.file(LAYOUT, limits::MANIFEST_BYTES)? else {
        return Err(invalid("not an OCI layout: there is no file oci-layout"));
    };
    let version = json::text(&bytes).and_then(json::members).and_then(|members| {
        members
            .get("imageLayoutVersion")
            .map(|version| json::string(version).map(|version| version.into_owned()))
            .transpose()
    });
    match version {
        Ok(Some(version)) if version == VERSION => Ok(()),
        Ok(Some(version)) => {
            Err(invalid(&format!("the layout's version is {}, not {VERSION}", crate::failure::quote(&version))))
        }
        Ok(None) => Err(invalid("oci-layout does not say imageLayoutVersion")),
        Err(error) => Err(invalid(&format!("oci-layout cannot be read: {error}"))),
    }
}

/// The entries of `index.json`, in which no more than `most` may be.
fn read_index(files: &Files, most: usize) -> Result<(Vec<Item>, Vec<Unreadable>), Trouble> {
    enum Refused {
        Invalid(ManifestError),
        Full(Trouble),
    }
    impl From<ManifestError> for Refused {
        fn from(error: ManifestError) -> Refused {
            Refused::Invalid(error)
        }
    }
    let invalid = |what: &str| files.trouble(TroubleKind::AnswerInvalid, what);
    let Some(file) = files.open(INDEX, limits::LAYOUT_INDEX_BYTES)? else {
        return Err(invalid("not an OCI layout: there is no file index.json"));
    };
    let (mut items, mut unreadable, mut number) = (Vec::new(), Vec::new(), 0);
    let (mut room, mut repositories) = (Room::new(most), HashSet::new());
    let read = manifest::each_entry(BufReader::new(file), |entry| {
        number += 1;
        let named =
            |annotations: &mut BTreeMap<String, String>| annotations.remove(REF_NAME).filter(|name| !name.is_empty());
        let mut descriptor = match entry {
            Ok(IndexEntry { descriptor, .. }) => descriptor,
            Err(UnreadableEntry { artifact_type, mut annotations, problem }) => {
                let trouble = invalid(&format!("entry {number} of index.json cannot be read: {problem}"));
                let name = named(&mut annotations);
                room.text(&[artifact_type.as_deref(), name.as_deref(), Some(&trouble.message)], files)
                    .map_err(Refused::Full)?;
                room.one(files).map_err(Refused::Full)?;
                unreadable.push(Unreadable { name, artifact_type, trouble });
                return Ok(());
            }
        };
        let mut annotations = std::mem::take(&mut descriptor.annotations);
        let (name, containerd_name) = (named(&mut annotations), annotations.remove(CONTAINERD_NAME));
        room.take(&descriptor, name.as_deref(), files).map_err(Refused::Full)?;
        room.text(&[containerd_name.as_deref()], files).map_err(Refused::Full)?;
        repositories.extend(name.as_deref().and_then(|name| Some(Digest::sha256(name.rsplit_once(':')?.0.as_bytes()))));
        if repositories.len() > limits::LAYOUT_REPOSITORIES {
            let message = format!("its names are of more than {} repositories", limits::LAYOUT_REPOSITORIES);
            return Err(Refused::Full(files.trouble(TroubleKind::AnswerTooLarge, &message)));
        }
        items.push(Item { name, containerd_name, descriptor, refers: false, is_stray: false, part: false });
        Ok(())
    });
    match read {
        Ok(()) => Ok((items, unreadable)),
        Err(Refused::Full(trouble)) => Err(trouble),
        Err(Refused::Invalid(error)) => Err(invalid(&format!("index.json cannot be read: {error}"))),
    }
}

/// How much a layout may still list.
struct Room {
    most: usize,
    manifests: usize,
    text: usize,
}

impl Room {
    fn new(most: usize) -> Room {
        Room { most, manifests: most, text: limits::LAYOUT_TEXT_BYTES }
    }

    /// Takes the room of one more manifest, and of its name.
    fn take(&mut self, descriptor: &Descriptor, name: Option<&str>, files: &Files) -> Result<(), Trouble> {
        self.one(files)?;
        self.text(&[Some(&*descriptor.media_type), descriptor.artifact_type.as_deref(), name], files)
    }

    fn one(&mut self, files: &Files) -> Result<(), Trouble> {
        let most = self.most;
        let full = || files.trouble(TroubleKind::AnswerTooLarge, &format!("it lists more than {most} manifests"));
        self.manifests = self.manifests.checked_sub(1).ok_or_else(full)?;
        Ok(())
    }

    fn text(&mut self, texts: &[Option<&str>], files: &Files) -> Result<(), Trouble> {
        let length: usize = texts.iter().flatten().map(|text| text.len()).sum();
        self.text = self.text.checked_sub(length).ok_or_else(|| {
            let most = limits::LAYOUT_TEXT_BYTES;
            let message = format!("the names and types of what it lists have more than {most} bytes");
            files.trouble(TroubleKind::AnswerTooLarge, &message)
        })?;
        Ok(())
    }
}

/// Adds a manifest that is listed, and says whether it was not listed before.
fn add(
    manifests: &mut HashMap<Digest, Box<Descriptor>>,
    descriptor: &Descriptor,
    room: &mut Room,
    files: &Files,
) -> Result<bool, Trouble> {
    if manifests.contains_key(&descriptor.digest) {
        return Ok(false);
    }
    room.take(descriptor, None, files)?;
    let known = Descriptor { annotations: BTreeMap::new(), ..descriptor.clone() };
    manifests.insert(descriptor.digest, Box::new(known));
    Ok(true)
}

fn read_manifest(files: &Files, descriptor: &Descriptor) -> Result<ManifestKind, Trouble> {
    if !manifest::MANIFEST_MEDIA_TYPES.contains(&descriptor.media_type.as_str()) {
        return Ok(ManifestKind::Other);
    }
    let Some(bytes) = files.blob(descriptor, limits::MANIFEST_BYTES)? else {
        let message = format!("manifest {} is listed but not there", descriptor.digest);
        return Err(files.trouble(TroubleKind::ContentMissing, &message));
    };
    manifest::parse(&bytes, &descriptor.media_type).map_err(|error| {
        files.trouble(TroubleKind::AnswerInvalid, &format!("manifest {} cannot be read: {error}", descriptor.digest))
    })
}

fn states_signature(descriptor: &Descriptor) -> bool {
    descriptor.artifact_type.as_deref() == Some(SIGNATURE_ARTIFACT_TYPE)
}

/// Whether a manifest that could not be read may be a signature. A copy of some platforms of an image leaves
/// out what its index lists, which says nothing of signatures.
fn may_be_signature(artifact_type: Option<&str>, listing: Listing) -> bool {
    match (artifact_type, listing) {
        (Some(artifact_type), _) => artifact_type == SIGNATURE_ARTIFACT_TYPE,
        (None, Listing::Unnamed | Listing::ReferrersTag) => true,
        (None, Listing::Named | Listing::Index) => false,
    }
}

/// Whether a name is, or ends in, a tag of the referrers tag schema: `sha256-<hex>`.
fn is_referrers_tag(name: &str) -> bool {
    Digest::is_referrers_tag(name.rsplit([':', '/']).next().unwrap_or(name))
}
