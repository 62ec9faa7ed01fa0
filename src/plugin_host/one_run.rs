//! One run of a host: however many signatures ask the same question, one process answers it, and its answer, or its failure, is
//! remembered as long as the run lasts. The next run asks again, since what a plugin says of revocation may have changed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::OnceCell;

use super::PluginHost;
use crate::limits;
use crate::plugin::Question;
use crate::trouble::Trouble;

type Answer = Arc<OnceCell<Result<Bytes, Trouble>>>;

/// `host` for one run: a plugin that hangs costs it its deadline once.
pub fn for_one_run(host: Arc<dyn PluginHost>) -> Arc<dyn PluginHost> {
    Arc::new(OneRun { host, answers: Mutex::default() })
}

struct OneRun {
    host: Arc<dyn PluginHost>,
    answers: Mutex<HashMap<Question, Answer>>,
}

impl OneRun {
    /// The place of the answer, the same for every caller that asks the same.
    fn answer_to(&self, question: &Question) -> Answer {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= limits::PLUGIN_ANSWERS {
            // Those that are being waited for are kept, so that nothing runs twice at a time.
            answers.retain(|_, answer| !answer.initialized());
        }
        Arc::clone(answers.entry(question.clone()).or_default())
    }
}

#[async_trait]
impl PluginHost for OneRun {
    async fn ask(&self, question: &Question) -> Result<Bytes, Trouble> {
        self.answer_to(question).get_or_init(|| self.host.ask(question)).await.clone()
    }
}
