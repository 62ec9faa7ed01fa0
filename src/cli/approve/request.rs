//! What an approver is asked, for people: what is in the bytes that they would sign, and what the signer says of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::failure::{quote, quote_up_to};
use crate::json;
use crate::report::printable;
use crate::rfc3339::instant_in_utc;
use crate::signer::approver::TaskKind;
use crate::signer::tsb::ApprovalMetadata;
use crate::tsb::undocumented::ApprovalContent;
use crate::tsb::{ApprovalTask, KeyPolicy};

/// A task, read as far as it can be.
pub(super) struct Asked {
    kind: TaskKind,
    task: ApprovalTask,
    /// What would be signed, if it is in the gateway's form.
    content: Option<ApprovalContent>,
    /// The artifact in it.
    artifact: ApprovalMetadata,
    /// What the signer says.
    said: Vec<(String, String)>,
}

/// How many members of what a signer says are shown.
const SHOWN: usize = 20;

impl Asked {
    pub(super) fn of(kind: TaskKind, task: ApprovalTask) -> Asked {
        let content = STANDARD.decode(&task.approval_to_be_signed).ok().and_then(|bytes| ApprovalContent::read(&bytes));
        let artifact =
            content.as_ref().map(|content| ApprovalMetadata::of_message(&content.payload)).unwrap_or_default();
        let metadata = task.meta_data.as_ref().and_then(|text| STANDARD.decode(text).ok());
        let said = metadata.as_deref().map(said).unwrap_or_default();
        Asked { kind, task, content, artifact, said }
    }

    pub(super) fn task(&self) -> &ApprovalTask {
        &self.task
    }

    /// Whether it is the task of this request, as far as that can be told.
    pub(super) fn is_of(&self, request: &str) -> bool {
        let operation = match self.kind {
            TaskKind::Sign => "sign",
            TaskKind::Block => "block",
            TaskKind::Unblock => "unblock",
            TaskKind::Modify => "modify",
        };
        self.content.as_ref().is_none_or(|content| content.request == request && content.operation == operation)
    }

    /// Where the signer says something else than would be signed.
    pub(super) fn contradiction(&self) -> Option<String> {
        let signed = self.artifact.digest.as_ref()?;
        let (_, said) = self.said.iter().find(|(name, _)| name == "digest")?;
        (said != signed).then(|| {
            format!(
                "the signer says that it is about {}, and what would be signed is about {}",
                quote(said),
                quote(signed)
            )
        })
    }

    /// In one line.
    pub(super) fn line(&self) -> String {
        let (request, what) = match &self.content {
            Some(content) => (quote(&content.request), self.asks(content)),
            None => (format!("task {}", quote(&self.task.id)), self.word().to_owned()),
        };
        let about = self.artifact.digest.as_ref().map(|digest| format!(" over {}", quote(digest))).unwrap_or_default();
        let reference = self.said.iter().find(|(name, _)| name == "reference");
        let reference = reference.map(|(_, text)| format!(", said to be {}", quote(text))).unwrap_or_default();
        format!("{}  {what}{about}{reference}\n", request.trim_matches('"'))
    }

    /// In full.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let mut row = |name: &str, value: &str| text.push_str(&format!("{name:<10} {value}\n"));
        match &self.content {
            Some(content) => {
                row("Request", quote(&content.request).trim_matches('"'));
                row("Asks for", &self.asks(content));
                row("Since", &instant_in_utc(content.made));
                if self.kind == TaskKind::Modify {
                    for (place, line) in policy(&content.payload).iter().enumerate() {
                        row(if place == 0 { "Policy" } else { "" }, line);
                    }
                }
            }
            None => {
                row("Task", &quote(&self.task.id));
                row("Asks for", self.word());
                row("", "(what would be signed is in the broker's own form, and is not checked)");
            }
        }
        if self.kind == TaskKind::Sign {
            match &self.artifact.digest {
                Some(digest) => {
                    row("Artifact", quote(digest).trim_matches('"'));
                    let size = self.artifact.size.map(|size| format!("{size} bytes"));
                    let media_type = self.artifact.media_type.as_deref().map(quote);
                    let rest: Vec<String> = size.into_iter().chain(media_type).collect();
                    if !rest.is_empty() {
                        row("", &rest.join(", "));
                    }
                }
                None => {
                    row("Artifact", "not known: what would be signed is no signature of an artifact that is known here")
                }
            }
        }
        for (place, (name, value)) in self.said.iter().take(SHOWN).enumerate() {
            let label = if place == 0 { "It says" } else { "" };
            row(label, &format!("{}: {}", quote(name).trim_matches('"'), quote(value)));
        }
        if self.said.len() > SHOWN {
            row("", &format!("and {} more", self.said.len() - SHOWN));
        }
        if !self.said.is_empty() {
            row("", "(the signer's word, which nothing proves)");
        }
        text
    }

    fn word(&self) -> &'static str {
        match self.kind {
            TaskKind::Sign => "a signature",
            TaskKind::Block => "that a key is blocked",
            TaskKind::Unblock => "that a key is unblocked",
            TaskKind::Modify => "that a key has another policy",
        }
    }

    fn asks(&self, content: &ApprovalContent) -> String {
        // Whole: of two that differ at the end, one is meant.
        let key = quote_up_to(&content.key, usize::MAX);
        match self.kind {
            TaskKind::Sign => format!("a signature of the key {key}"),
            TaskKind::Block => format!("that the key {key} is blocked"),
            TaskKind::Unblock => format!("that the key {key} is unblocked"),
            TaskKind::Modify => format!("that the key {key} has another policy"),
        }
    }
}

/// A policy in lines, nothing left out: it is what is approved. What is not wholly understood stands there as it came.
fn policy(payload: &[u8]) -> Vec<String> {
    let read: Option<KeyPolicy> = serde_json::from_slice(payload).ok();
    let mut written = Vec::new();
    match read.map(|policy| json::to_writer_pretty(&mut written, &policy)) {
        Some(Ok(())) => String::from_utf8_lossy(&written).lines().map(|line| printable(line).into_owned()).collect(),
        _ => vec![quote_up_to(&String::from_utf8_lossy(payload), usize::MAX)],
    }
}

/// The members of what a signer says, if it is an object.
fn said(metadata: &[u8]) -> Vec<(String, String)> {
    let Ok(Value::Object(members)) = serde_json::from_slice(metadata) else {
        return vec![("text".to_owned(), String::from_utf8_lossy(metadata).into_owned())];
    };
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => {
            let mut bytes = Vec::new();
            // Into memory: it cannot fail.
            let _ = json::to_writer(&mut bytes, &other);
            String::from_utf8_lossy(&bytes).into_owned()
        }
    };
    members.into_iter().map(|(name, value)| (name, text(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use time::OffsetDateTime;

    fn asked(digest: &str, metadata: &str) -> Asked {
        let target = format!(r#"{{"targetArtifact":{{"mediaType":"application/x","digest":"{digest}","size":7}}}}"#);
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256"}"#);
        let content = ApprovalContent {
            operation: "sign".into(),
            request: "4e87".into(),
            key: "release".into(),
            made: OffsetDateTime::from_unix_timestamp(1_592_988_887).unwrap(),
            algorithm: "SHA256_WITH_ECDSA".into(),
            payload: format!("{header}.{}", URL_SAFE_NO_PAD.encode(target)).into_bytes(),
        };
        let task = ApprovalTask {
            id: "4e87.1".into(),
            approval_to_be_signed: STANDARD.encode(content.encode()),
            meta_data: Some(STANDARD.encode(metadata)),
            ..ApprovalTask::default()
        };
        Asked::of(TaskKind::Sign, task)
    }

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn what_would_be_signed_stands_before_what_is_said() {
        let asked = asked(DIGEST, &format!(r#"{{"reference":"r.example/app:v1","digest":"{DIGEST}"}}"#));
        let text = asked.text();
        assert!(text.find(&format!("Artifact   {DIGEST}")).unwrap() < text.find("It says").unwrap(), "{text}");
        assert!(
            text.contains("7 bytes, \"application/x\"") && text.contains("reference: \"r.example/app:v1\""),
            "{text}"
        );
        assert_eq!(asked.contradiction(), None);
        assert!(asked.is_of("4e87") && !asked.is_of("4e88"));
        assert!(asked.line().starts_with("4e87  a signature of the key \"release\" over"), "{}", asked.line());
    }

    #[test]
    fn a_signer_who_says_another_digest_is_found_out() {
        let other = asked(DIGEST, &format!(r#"{{"digest":"{}"}}"#, DIGEST.replace('e', "f")));
        assert!(other.contradiction().unwrap().contains("says that it is about"));
    }

    #[test]
    fn what_strangers_say_is_escaped() {
        let asked = asked(DIGEST, "{\"app\":\"\\u001b[2J\\nArtifact   sha256:x\",\"a\\nb\":1}");
        assert!(
            !asked.text().contains('\u{1b}') && !asked.text().contains("\nArtifact   sha256:x"),
            "{}",
            asked.text()
        );
        assert!(!asked.line().contains('\u{1b}'));
    }
}
