//! Deciding with answers: what a decision needs is fetched, recorded in the evidence, and decided on again.
//!
//! The only such loop, for artifacts, for blobs and for recorded evidence. The number of rounds is bounded: a decision that
//! always needs something more ends as it is.

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, future, stream};

use crate::evidence::{BlobEvidence, Evidence};
use crate::fetch::RevocationSource;
use crate::limits;
use crate::plugin::{self, Question};
use crate::plugin_host::PluginHost;
use crate::revocation::{self, Accepted, Recorded};
use crate::trouble::Trouble;
use crate::verify::{Need, Outcome};

/// How many answers that one decision lacks are fetched at a time.
const ASKED_AT_A_TIME: usize = 8;

/// Where the answers that a decision needs come from.
#[derive(Clone)]
pub struct AnswerSources {
    /// Where CRLs and OCSP answers come from.
    pub revocation: Arc<dyn RevocationSource>,
    /// What runs verification plugins.
    pub plugins: Arc<dyn PluginHost>,
}

impl AnswerSources {
    /// Hands verified CRLs back to their source, which may keep them; each once.
    pub async fn store_verified(&self, verified_crls: &[Accepted]) {
        let mut stored = HashSet::new();
        for one in verified_crls {
            let delta = one.delta.as_ref().map(revocation::Answer::digest);
            if stored.insert((&one.need, one.answer.digest(), delta)) {
                self.revocation.store_verified(one).await;
            }
        }
    }
}

/// Evidence in which answers are recorded: [`Evidence`] and [`BlobEvidence`].
pub trait Answerable {
    /// The answers of CRLs and OCSP responders, and those of plugins.
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

/// Decides on `evidence` by `decide`, fetches what the decision needs, and decides again, at most
/// [`MAX_DECISION_ROUNDS`](limits::MAX_DECISION_ROUNDS) times and once more; gives back the last outcome and the evidence with
/// all answers. How much memory those answers may take is from then on for the caller to say: no
/// [`Budget`](crate::fetch::Budget) counts them any more.
///
/// `decide` is usually [`verify::decide`](crate::verify::decide) or [`decide_blob`](crate::verify::decide_blob), on whatever
/// thread suits. A signature that still has [`needs`](crate::verify::Pending::needs) does not pass, or only with a warning
/// where the policy logs what is missing; an outcome that has some is a pass only if another signature passes. The CRLs that
/// it verified are for the caller to hand to [`AnswerSources::store_verified`].
pub async fn decide_with_answers<E: Answerable, D>(
    evidence: E,
    sources: &AnswerSources,
    decide: impl Fn(E) -> D,
) -> (Outcome, E)
where
    D: Future<Output = (Outcome, E)>,
{
    let (outcome, mut evidence) = in_rounds(evidence, sources, decide).await;
    // Who keeps evidence keeps it as long as they like; the budget is for what is in work.
    evidence.answers().0.release();
    (outcome, evidence)
}

async fn in_rounds<E: Answerable, D>(mut evidence: E, sources: &AnswerSources, decide: impl Fn(E) -> D) -> (Outcome, E)
where
    D: Future<Output = (Outcome, E)>,
{
    if let Some(present) = sources.revocation.present() {
        evidence.answers().0.begin(present);
    }
    for _ in 0..limits::MAX_DECISION_ROUNDS {
        let (outcome, judged) = decide(evidence).await;
        evidence = judged;
        if outcome.pending.needs.is_empty() {
            let accepted = &outcome.pending.verified_crls;
            if refetch_refused(evidence.answers().0, accepted, &*sources.revocation).await {
                continue;
            }
            return (outcome, evidence);
        }
        let asked = outcome.pending.needs.into_iter().map(|need| ask(need, sources));
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

/// The CRLs that a final decision verified.
pub(super) fn take_verified_crls(outcome: &mut Outcome) -> Vec<Accepted> {
    // Those of one that is not final go as well: an outcome that is kept must not hold memory of the run's budget.
    let verified = std::mem::take(&mut outcome.pending.verified_crls);
    if outcome.pending.needs.is_empty() { verified } else { Vec::new() }
}

/// Fetches every CRL anew that was refused, and says whether any came: a cached one may have been damaged, and what the server
/// says today decides.
async fn refetch_refused(recorded: &mut Recorded, accepted: &[Accepted], source: &dyn RevocationSource) -> bool {
    // Of this issuer: what is good for one may be worthless to another.
    let issuer = |need: &revocation::Need| match need {
        revocation::Need::Crl { issuer, .. } => Some(issuer.clone()),
        revocation::Need::Ocsp { .. } => None,
    };
    let is_accepted = |need: &revocation::Need, answer: &revocation::Answer| {
        let of_issuer = accepted.iter().filter(|accepted| issuer(&accepted.need) == issuer(need));
        of_issuer
            .flat_map(|accepted| [Some(&accepted.answer), accepted.delta.as_ref()])
            .flatten()
            .any(|known| known == answer)
    };
    let refused: Vec<_> = recorded
        .iter()
        .filter(|(need, _)| matches!(need, revocation::Need::Crl { .. }))
        .filter_map(|(need, answer)| Some((need, answer.as_ref().ok()?)))
        .filter(|(need, answer)| !is_accepted(need, answer))
        .map(|(need, answer)| (need.clone(), answer.clone()))
        .collect();
    let asked = refused.into_iter().map(|(need, answer)| async move {
        let anew = source.refetch(&need, &answer).await?;
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

async fn ask(need: Need, sources: &AnswerSources) -> Answered {
    match need {
        Need::Revocation(need) => {
            let answer = sources.revocation.answer(&need).await;
            Answered::Revocation(need, answer)
        }
        Need::Plugin(question) => {
            let answer = sources.plugins.ask(&question).await;
            Answered::Plugin(question, answer)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;

    use super::*;
    use crate::digest::Digest;
    use crate::failure::{Code, Failure};
    use crate::plugin_host::NoPlugins;
    use crate::revocation::{Answer, Issuer};
    use crate::trouble::TroubleKind;
    use crate::verify::{Pending, Verdict};

    fn nothing() -> Trouble {
        Trouble::new(TroubleKind::NotFound, "none")
    }

    /// Has something else to say of `kept` only.
    struct Kept;

    #[async_trait]
    impl RevocationSource for Kept {
        async fn answer(&self, _: &revocation::Need) -> Result<Answer, Trouble> {
            Err(nothing())
        }

        async fn refetch(&self, need: &revocation::Need, refused: &Answer) -> Option<Result<Answer, Trouble>> {
            assert!(matches!(need, revocation::Need::Crl { .. }), "{need} was asked again");
            (refused.bytes() == "kept").then(|| Ok(answer("new")))
        }
    }

    fn answer(text: &'static str) -> Answer {
        Answer::new(text)
    }

    #[tokio::test]
    async fn f16_only_crls_that_were_not_accepted_are_asked_for_again() {
        let crl = need;
        let ocsp = revocation::Need::Ocsp { responder: "http://a".to_owned(), request: Bytes::new() };
        let mut recorded = Recorded::default();
        recorded.record(crl("base"), Ok(answer("base")));
        recorded.record(crl("delta"), Ok(answer("delta")));
        recorded.record(crl("server"), Ok(answer("server's own")));
        recorded.record(crl("missing"), Err(nothing()));
        recorded.record(ocsp, Ok(answer("kept")));
        let accepted =
            [Accepted { need: crl("base"), answer: answer("base"), delta: Some(answer("delta")), before: Vec::new() }];
        assert!(!refetch_refused(&mut recorded, &accepted, &Kept).await);

        recorded.record(crl("damaged"), Ok(answer("kept")));
        assert!(refetch_refused(&mut recorded, &accepted, &Kept).await);
        assert_eq!(recorded.get(&crl("damaged")), Some(&Ok(answer("new"))));
        assert!(!refetch_refused(&mut recorded, &accepted, &Kept).await, "there is no end to it");
        let kept = Accepted { need: crl("x"), answer: answer("kept"), delta: None, before: Vec::new() };
        recorded.record(crl("damaged"), Ok(answer("kept")));
        assert!(!refetch_refused(&mut recorded, std::slice::from_ref(&kept), &Kept).await);
        // What another issuer's certificates accept says nothing for this one's.
        let revocation::Need::Crl { url, .. } = crl("x") else { unreachable!() };
        let issuer = Issuer { name: Bytes::new(), key: Digest::sha256(b"other") };
        let others = Accepted { need: revocation::Need::Crl { url, issuer }, ..kept };
        assert!(refetch_refused(&mut recorded, &[others], &Kept).await);
    }

    /// Knows every CRL, and counts.
    #[derive(Default)]
    struct Counting {
        asked: AtomicUsize,
        kept: AtomicUsize,
    }

    #[async_trait]
    impl RevocationSource for Counting {
        async fn answer(&self, need: &revocation::Need) -> Result<Answer, Trouble> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            Ok(Answer::new(need.url().to_owned()))
        }

        async fn store_verified(&self, _: &Accepted) {
            self.kept.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn blob() -> BlobEvidence {
        BlobEvidence {
            digest: Digest::sha256(b""),
            size: 0,
            media_type: None,
            signature: Err(nothing()),
            revocation: Recorded::default(),
            plugins: plugin::Answers::default(),
        }
    }

    fn need(name: &str) -> revocation::Need {
        let issuer = Issuer { name: Bytes::new(), key: Digest::sha256(b"key") };
        revocation::Need::Crl { url: name.to_owned(), issuer }
    }

    fn outcome(needs: Vec<revocation::Need>) -> Outcome {
        let base = Answer::new("crl");
        Outcome {
            statement: None,
            level: None,
            verdict: Verdict::Error,
            failure: Some(Failure::new(Code::InternalFault, "a decision of this test")),
            signatures: Vec::new(),
            pending: Pending {
                needs: needs.into_iter().map(Need::Revocation).collect(),
                verified_crls: vec![Accepted { need: need("a"), answer: base, delta: None, before: Vec::new() }],
            },
        }
    }

    /// Decides with the needs that `lacking` names, and counts: answers asked for, CRLs kept, decisions.
    async fn settled(lacking: fn(&BlobEvidence, usize) -> Vec<revocation::Need>) -> (usize, usize, usize) {
        let source = Arc::new(Counting::default());
        let sources = AnswerSources {
            revocation: Arc::clone(&source) as Arc<dyn RevocationSource>,
            plugins: Arc::new(NoPlugins),
        };
        let decisions = AtomicUsize::new(0);
        let decide = async |evidence: BlobEvidence| {
            let before = decisions.fetch_add(1, Ordering::Relaxed);
            (outcome(lacking(&evidence, before)), evidence)
        };
        let (mut outcome, _) = decide_with_answers(blob(), &sources, decide).await;
        sources.store_verified(&take_verified_crls(&mut outcome)).await;
        let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        (count(&source.asked), count(&source.kept), count(&decisions))
    }

    #[tokio::test]
    async fn what_a_blob_lacks_is_asked_once_and_recorded() {
        let counted = settled(|evidence, _| {
            let unknown = |need: &revocation::Need| evidence.revocation.get(need).is_none();
            [need("base"), need("other")].into_iter().filter(unknown).collect()
        });
        assert_eq!(counted.await, (2, 1, 2));
        assert_eq!(settled(|_, _| Vec::new()).await, (0, 1, 1));
    }

    #[tokio::test]
    async fn a_decision_that_always_needs_more_ends() {
        let rounds = limits::MAX_DECISION_ROUNDS;
        let counted = settled(|_, before| vec![need(&before.to_string())]);
        assert_eq!(counted.await, (rounds, 0, rounds + 1));
    }

    #[tokio::test]
    async fn f16_what_came_anew_is_decided_on_again() {
        let sources = AnswerSources { revocation: Arc::new(Kept), plugins: Arc::new(NoPlugins) };
        let mut evidence = blob();
        evidence.revocation.record(need("damaged"), Ok(answer("kept")));
        let decisions = AtomicUsize::new(0);
        let decide = async |evidence: BlobEvidence| {
            decisions.fetch_add(1, Ordering::Relaxed);
            (outcome(Vec::new()), evidence)
        };
        let (_, evidence) = decide_with_answers(evidence, &sources, decide).await;
        assert_eq!(decisions.load(Ordering::Relaxed), 2);
        assert_eq!(evidence.revocation.get(&need("damaged")), Some(&Ok(answer("new"))));
    }
}
