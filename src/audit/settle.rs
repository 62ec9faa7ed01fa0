//! Deciding until nothing is lacking: what a decision asks for is fetched, recorded in the evidence, and decided on again.
//!
//! The same for artifacts and for blobs. How often is bounded; whoever asks again and again for the same is not heard.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, future, stream};

use crate::digest::Digest;
use crate::evidence::{BlobEvidence, Evidence};
use crate::limits;
use crate::plugin::{self, PluginHost, Question};
use crate::revocation::{self, AcceptedCrl, Recorded, RevocationSource};
use crate::source::Trouble;
use crate::verify::{Need, Outcome};

/// How many answers that one decision lacks are fetched at a time.
const ASKED_AT_A_TIME: usize = 8;

/// Who is asked for what a decision lacks.
pub(super) struct Answerers {
    pub(super) revocation: Arc<dyn RevocationSource>,
    pub(super) plugins: Arc<dyn PluginHost>,
}

/// Evidence in which answers are recorded.
pub(super) trait Answerable {
    /// What CRLs and OCSP responders answered, and what plugins did.
    fn answers(&mut self) -> (&mut Recorded, &mut plugin::Answers);
}

impl Answerable for Evidence {
    fn answers(&mut self) -> (&mut Recorded, &mut plugin::Answers) {
        (&mut self.revocation, &mut self.plugins)
    }
}

impl Answerable for BlobEvidence {
    fn answers(&mut self) -> (&mut Recorded, &mut plugin::Answers) {
        (&mut self.revocation, &mut self.plugins)
    }
}

/// Decides, fetches what the decision lacks, and decides again, until nothing is lacking.
pub(super) async fn settle<E: Answerable, D>(
    mut evidence: E,
    answerers: &Answerers,
    decide: impl Fn(E) -> D,
) -> (Outcome, E)
where
    D: Future<Output = (Outcome, E)>,
{
    for _ in 0..limits::ROUNDS_OF_ASKING {
        let (outcome, judged) = decide(evidence).await;
        evidence = judged;
        if outcome.lacking.needs.is_empty() {
            let accepted = &outcome.lacking.accepted;
            if ask_again(evidence.answers().0, accepted, &*answerers.revocation).await {
                continue;
            }
            for crl in accepted {
                answerers.revocation.keep(crl).await;
            }
            return (outcome, evidence);
        }
        let asked = outcome.lacking.needs.into_iter().map(|need| ask(need, answerers));
        let (revocation, plugins) = evidence.answers();
        for answered in stream::iter(asked).buffered(ASKED_AT_A_TIME).collect::<Vec<_>>().await {
            match answered {
                Answered::Revocation(need, answer) => revocation.record(need, answer),
                Answered::Plugin(question, answer) => plugins.record(question, answer),
            }
        }
    }
    decide(evidence).await
}

/// Asks anew for every CRL that was not accepted, and says whether any came: one that was kept from before may be spoilt,
/// and what the server says today decides.
async fn ask_again(recorded: &mut Recorded, accepted: &[AcceptedCrl], source: &dyn RevocationSource) -> bool {
    let is_accepted = |digest: &Digest| {
        let digests = accepted.iter().flat_map(|crl| [Some(&crl.base), crl.delta.as_ref()]).flatten();
        digests.map(revocation::Answer::digest).any(|known| known == digest)
    };
    let refused: Vec<_> = recorded
        .iter()
        .filter(|(need, _)| matches!(need, revocation::Need::Crl(_)))
        .filter_map(|(need, answer)| Some((need, answer.as_ref().ok()?)))
        .filter(|(_, answer)| !is_accepted(answer.digest()))
        .map(|(need, answer)| (need.clone(), answer.clone()))
        .collect();
    let asked = refused.into_iter().map(|(need, answer)| async move {
        let anew = source.again(&need, &answer).await?;
        Some((need, anew))
    });
    let anew: Vec<_> = stream::iter(asked).buffered(ASKED_AT_A_TIME).filter_map(future::ready).collect().await;
    let any = !anew.is_empty();
    anew.into_iter().for_each(|(need, answer)| recorded.record(need, answer));
    any
}

/// What was answered to a need.
enum Answered {
    Revocation(revocation::Need, Result<revocation::Answer, Trouble>),
    Plugin(Question, Result<Bytes, Trouble>),
}

async fn ask(need: Need, answerers: &Answerers) -> Answered {
    match need {
        Need::Revocation(need) => {
            let answer = answerers.revocation.answer(&need).await;
            Answered::Revocation(need, answer)
        }
        Need::Plugin(question) => {
            let answer = answerers.plugins.ask(&question).await;
            Answered::Plugin(question, answer)
        }
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::source::TroubleKind;

    fn nothing() -> Trouble {
        Trouble::new(TroubleKind::NotFound, "none")
    }

    /// Has something else to say of `kept` only.
    struct Kept;

    #[async_trait]
    impl RevocationSource for Kept {
        async fn answer(&self, _: &revocation::Need) -> Result<revocation::Answer, Trouble> {
            Err(nothing())
        }

        async fn again(
            &self,
            need: &revocation::Need,
            refused: &revocation::Answer,
        ) -> Option<Result<revocation::Answer, Trouble>> {
            assert!(matches!(need, revocation::Need::Crl(_)), "{need} was asked again");
            (refused.bytes() == "kept").then(|| Ok(answer("new")))
        }
    }

    fn answer(text: &'static str) -> revocation::Answer {
        revocation::Answer::new(text)
    }

    #[tokio::test]
    async fn f16_only_crls_that_were_not_accepted_are_asked_for_again() {
        let crl = |url: &str| revocation::Need::Crl(url.to_owned());
        let ocsp = revocation::Need::Ocsp { responder: "http://a".to_owned(), request: Bytes::new() };
        let mut recorded = Recorded::default();
        recorded.record(crl("base"), Ok(answer("base")));
        recorded.record(crl("delta"), Ok(answer("delta")));
        recorded.record(crl("server"), Ok(answer("server's own")));
        recorded.record(crl("nobody"), Err(nothing()));
        recorded.record(ocsp, Ok(answer("kept")));
        let accepted = [AcceptedCrl { url: "base".to_owned(), base: answer("base"), delta: Some(answer("delta")) }];
        assert!(!ask_again(&mut recorded, &accepted, &Kept).await);

        recorded.record(crl("spoilt"), Ok(answer("kept")));
        assert!(ask_again(&mut recorded, &accepted, &Kept).await);
        assert_eq!(recorded.get(&crl("spoilt")), Some(&Ok(answer("new"))));
        assert!(!ask_again(&mut recorded, &accepted, &Kept).await, "there is no end to it");
        let kept = AcceptedCrl { url: "x".to_owned(), base: answer("kept"), delta: None };
        recorded.record(crl("spoilt"), Ok(answer("kept")));
        assert!(!ask_again(&mut recorded, &[kept], &Kept).await);
    }
}
