//! What is asked of plugins when signatures are judged, and what was answered, as plain data.

use std::collections::HashMap;

use bytes::Bytes;
use serde::Serialize;

use super::{Command, MetadataRequest, PluginConfig, PluginName};
use crate::trouble::Trouble;

/// One question to a plugin: the process that would be run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Question {
    /// The plugin's name, which has been checked to be a plain file name.
    pub plugin: String,
    /// What the plugin is asked to do.
    pub command: Command,
    /// What the plugin reads from standard input: JSON.
    pub request: Bytes,
}

impl Question {
    /// The settings that the plugin is given.
    pub fn settings(&self) -> PluginConfig {
        // Every request has those of this one.
        serde_json::from_slice::<MetadataRequest>(&self.request).unwrap_or_default().plugin_config
    }
}

/// The question that asks the plugin `name` for `command`.
pub fn question(name: &PluginName, command: Command, request: &impl Serialize) -> Question {
    // Texts, numbers and lists of them are always written.
    let request = serde_json::to_vec(request).unwrap_or_default();
    Question { plugin: name.as_str().to_owned(), command, request: request.into() }
}

/// The answers of plugins: standard output of a process that ended well, or the reason why there is no answer.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    answers: HashMap<Question, Result<Bytes, Trouble>>,
}

impl Answers {
    /// Records what was answered to `question`.
    pub fn record(&mut self, question: Question, answer: Result<Bytes, Trouble>) {
        self.answers.insert(question, answer);
    }

    /// Takes over everything that was answered to others.
    pub(crate) fn extend(&mut self, others: Answers) {
        self.answers.extend(others.answers);
    }

    /// About how many bytes the answers take, with their questions.
    pub(crate) fn weight(&self) -> usize {
        let weight = |(question, answer): (&Question, &Result<Bytes, Trouble>)| {
            let answered = answer.as_ref().map_or_else(|trouble| trouble.message.len(), Bytes::len);
            size_of::<Question>() + question.plugin.len() + question.request.len() + answered
        };
        self.answers.iter().map(weight).sum()
    }

    /// What was answered to `question`; `None` if it was not asked.
    pub fn get(&self, question: &Question) -> Option<&Result<Bytes, Trouble>> {
        self.answers.get(question)
    }
}
