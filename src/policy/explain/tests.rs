use super::*;

fn policy(text: &str) -> TrustPolicy {
    TrustPolicy::parse(text.as_bytes(), "p").unwrap()
}

fn statement(level: &str, stores: &str, identities: &str) -> StatementExplanation {
    let text = format!(
        r#"{{"version": "1.0", "trustPolicies": [{{"name": "n", "registryScopes": ["a.io/b"],
             "signatureVerification": {level}, "trustStores": {stores}, "trustedIdentities": {identities}}}]}}"#
    );
    Explanation::of(&policy(&text)).statements.remove(0)
}

#[test]
fn says_what_surprises() {
    const NAMED: &str = r#"["x509.subject: C=US, ST=WA, O=a"]"#;
    for (level, stores, identities, words) in [
        (r#"{"level": "audit"}"#, r#"["ca:x"]"#, NAMED, "without a signature fails"),
        (r#"{"level": "strict", "override": {"authenticity": "log"}}"#, r#"["ca:x"]"#, NAMED, "anyone can make"),
        (r#"{"level": "strict"}"#, r#"["ca:x"]"#, r#"["*"]"#, "every signer"),
        (r#"{"level": "strict"}"#, r#"["tsa:x"]"#, NAMED, "no signer is trusted"),
        (r#"{"level": "strict"}"#, r#"["signingAuthority:x"]"#, NAMED, "no ca store"),
        (r#"{"level": "strict"}"#, r#"["ca:x"]"#, NAMED, "whenever they were made"),
        (r#"{"level": "strict"}"#, r#"["ca:x", "tsa:y"]"#, NAMED, "even while its certificates"),
        (
            r#"{"level": "strict", "verifyTimestamp": "afterCertExpiry"}"#,
            r#"["ca:x", "tsa:y"]"#,
            NAMED,
            "stops passing when",
        ),
        (r#"{"level": "permissive"}"#, r#"["ca:x", "tsa:y"]"#, NAMED, "still checked for revocation"),
        (r#"{"level": "skip"}"#, "[]", "[]", "like one without any"),
    ] {
        let explained = statement(level, stores, identities);
        let said = explained.notes.iter().filter(|note| note.contains(words)).count();
        assert_eq!(said, 1, "{words}: {:?}", explained.notes);
    }
    let plain = statement(r#"{"level": "permissive"}"#, r#"["ca:x"]"#, NAMED);
    assert!(plain.notes.is_empty(), "{:?}", plain.notes);
}

#[test]
fn explains_a_policy() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/policies/scoped-with-global.json");
    let policy = TrustPolicy::load(file.as_ref()).unwrap();
    insta::assert_snapshot!(explain(&policy, 100), @r#"
    Statement "wabbit" (level strict, line 4)
      for                 127.0.0.1:5601/interop/jws-p256
      trusts              signatures of the scheme notary.x509 with a certificate of ca:wabbit-networks
                          in their chain, if the signer's subject has all attributes of "C=US, ST=WA,
                          L=Seattle, O=wabbit-networks.io, OU=Security Tools"
      integrity           enforce: the signature must be whole, made by its own certificate's key, and
                          speak of this artifact
      authenticity        enforce: the signer must be one of those trusted above
      expiry              enforce: a signature past its own expiry fails
      authenticTimestamp  enforce: the signature must have been made while every certificate of its
                          chain was valid
      revocation          enforce: a certificate that is revoked, or whose named CRL or OCSP responder
                          cannot tell, fails the signature
      time stamps         never looked at
      note                signatures stop passing when a certificate of their chain expires, whenever
                          they were made

    Statement "unsigned-tools" (level skip, line 19)
      for                 127.0.0.1:5601/interop/unsigned
      trusts              anyone, signed or not: nothing is looked at
      integrity           skip: not looked at
      authenticity        skip: not looked at
      expiry              skip: not looked at
      authenticTimestamp  skip: not looked at
      revocation          skip: it is not checked whether a certificate was revoked
      time stamps         never looked at
      note                an artifact with a broken or a stranger's signature passes like one without
                          any

    Statement "rest" (level audit, line 28)
      for                 every repository that no other statement names ("*")
      trusts              signatures of the scheme notary.x509 with a certificate of ca:wabbit-networks
                          or ca:acme-rockets in their chain, whatever the signer's subject
      integrity           enforce: the signature must be whole, made by its own certificate's key, and
                          speak of this artifact
      authenticity        log: a signer who is not trusted is reported, and passes
      expiry              log: a signature past its own expiry is reported, and passes
      authenticTimestamp  log: a certificate that was not valid is reported, and the signature passes
      revocation          log: a certificate that is revoked, or whose named CRL or OCSP responder
                          cannot tell, is reported, and the signature passes
      time stamps         never looked at
      note                an artifact without a signature fails all the same: only level skip lets it
                          pass
      note                anyone can make a signature that passes: that the signer is not trusted is
                          only reported

    ┌─────────────────────────────────────────────────────────────────────────────────────────┐
    │ statement          integrity   authenticity   expiry    authenticTimestamp   revocation │
    ╞═════════════════════════════════════════════════════════════════════════════════════════╡
    │ "wabbit"           enforce     enforce        enforce   enforce              enforce    │
    │ "unsigned-tools"   skip        skip           skip      skip                 skip       │
    │ "rest"             enforce     log            log       log                  log        │
    └─────────────────────────────────────────────────────────────────────────────────────────┘

      note  exactly one statement applies to a repository: the one that names it, else "rest"; no other
            is tried when it fails
      note  scopes are compared letter by letter: "a.io/b" covers neither "a.io/b/c" nor "a.io:443/b",
            and nothing is put before a short name; a repository that a statement names in another
            spelling fails
    "#);
}

#[test]
fn lists_are_cut() {
    let scopes: Vec<_> = (0..50).map(|n| format!("\"a.io/{n}\"")).collect();
    let text = format!(
        r#"{{"version": "1.0", "trustPolicies": [{{"name": "n", "registryScopes": [{}],
             "signatureVerification": {{"level": "skip"}}}}]}}"#,
        scopes.join(",")
    );
    let explanation = Explanation::of(&policy(&text));
    assert!(explanation.statements[0].applies_to.ends_with("a.io/9, and 40 more"));
    assert!(explanation.notes[0].contains("none names fails"));
    for width in [0, 1, 20, 100_000] {
        assert!(explanation.render(width).contains("Statement \"n\" (level skip, line 1)"));
    }
}
