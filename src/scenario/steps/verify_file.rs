//! `verify` of a file: which detached signature is judged, and by which statement of a trust policy for blobs.
//!
//! Follows *signing-and-verification-workflow*, Blob verification. Judging itself is that of `muster blob verify`.

use super::content::checked_media_type;
use super::reader::Reader;
use super::verify::RawVerify;
use crate::audit::BlobRequest;
use crate::envelope;
use crate::scenario::files::Files;
use crate::scenario::finding::Rule;
use crate::scenario::spanned::Spanned;
use crate::scenario::words::Format;

/// A file that is judged by one of its signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::scenario) struct FileToVerify {
    pub(in crate::scenario) name: String,
    signature: usize,
    /// What the signature is taken for, where that is not its own format.
    format: Option<Format>,
    media_type: Option<String>,
    /// The statement that judges; the global one where there is none.
    pub(in crate::scenario) statement: Option<String>,
}

impl FileToVerify {
    /// What the engine is asked.
    pub(in crate::scenario) fn request(&self, files: &Files) -> BlobRequest {
        let (signature, made) = files.place_of_signature(&self.name, self.signature);
        let format = self.format.map_or(made, |format| match format {
            Format::Jws => envelope::Format::Jws,
            Format::Cose => envelope::Format::Cose,
        });
        let mut request = BlobRequest::new(files.path(&self.name), signature, format);
        request.media_type = self.media_type.clone();
        request.statement = self.statement.clone();
        request
    }
}

impl RawVerify {
    /// The file that is judged, and how.
    pub(super) fn file_to_verify(
        &self,
        file: &Spanned<String>,
        reader: &mut Reader<'_, '_, '_>,
    ) -> Option<FileToVerify> {
        let others = [
            ("artifact", self.artifact.as_ref().map(|given| &given.range)),
            ("all", self.all.as_ref().map(|given| &given.range)),
            ("maxSignatures", self.max_signatures.as_ref().map(|given| &given.range)),
            ("platforms", self.platforms.first().map(|given| &given.range)),
            ("manifests", self.expect.value.manifests.0.first().map(|(platform, _)| &platform.range)),
        ];
        for (member, range) in others {
            let Some(range) = range else { continue };
            let message = format!("a file is verified by one signature, and {member} is of artifacts");
            reader.findings.error(Rule::Contradiction, range, message, format!("remove {member}, or file"));
        }
        if let Some(name) = self.policy_name.as_ref().filter(|name| name.value.trim().is_empty()) {
            let message = "no statement has a blank name".to_owned();
            reader.findings.error(Rule::Value, &name.range, message, "name a statement, or remove policyName");
        }
        let media_type = match &self.media_type {
            Some(given) => Some(checked_media_type(Some(given), "", reader)?),
            None => None,
        };
        Some(FileToVerify {
            signature: reader.signature_of(file, self.signature.as_ref())?,
            name: file.value.clone(),
            format: self.signature_format.as_ref().map(|format| format.value),
            media_type,
            statement: self.policy_name.as_ref().map(|name| name.value.clone()),
        })
    }

    /// What is said of files only may not stand where artifacts are verified.
    pub(super) fn check_members_of_files(&self, reader: &mut Reader<'_, '_, '_>) -> Option<()> {
        let members = [
            ("signature", self.signature.as_ref().map(|given| &given.range)),
            ("signatureFormat", self.signature_format.as_ref().map(|given| &given.range)),
            ("mediaType", self.media_type.as_ref().map(|given| &given.range)),
            ("policyName", self.policy_name.as_ref().map(|given| &given.range)),
        ];
        let mut sound = Some(());
        for (member, range) in members {
            let Some(range) = range else { continue };
            let message = format!("{member} is said of files, and none is verified here");
            reader.findings.error(Rule::Contradiction, range, message, format!("add file, or remove {member}"));
            sound = None;
        }
        sound
    }
}
