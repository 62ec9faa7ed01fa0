//! Without a file, the chain is taken from the token, if it holds all of it.

use muster::forge::softhsm::SoftToken;
use muster::forge::{KeyKind, LeafRequest};
use serde_json::json;

use super::host::{Host, bytes, generate_signature};
use crate::process::{held, with_softhsm};
use crate::world::{self, LEAF, issuing, root};

/// Writes certificates to the token, as its owner's tools would.
fn write(token: &SoftToken, certificates: &[&[u8]]) {
    certificates.iter().for_each(|certificate| token.store(certificate).unwrap());
}

#[test]
fn the_chain_comes_from_the_token_once_it_is_complete() {
    with_softhsm("pkcs11_plugin::certificates::the_chain_comes_from_the_token_once_it_is_complete", |hsm| {
        let token = hsm.token("with certificates").unwrap();
        let uri = token.generate(KeyKind::P256, "key").unwrap();
        let request = || LeafRequest::new(LEAF, held(&uri)).unwrap();
        let [leaf, intermediate, _] = <[Vec<u8>; 3]>::try_from(issuing().issue(request()).unwrap().chain).unwrap();
        let host = Host::new();
        let asked = generate_signature(&uri, "EC-256", "SHA-256", b"signed", &json!({}));
        let refusal = || {
            let input = asked.to_string();
            host.refusal(&["generate-signature"], input.as_bytes(), &[], "VALIDATION_ERROR", "incomplete")
        };

        let message = refusal();
        assert!(message.contains("no certificate for the key") && message.contains("certificate-chain="), "{message}");
        // Strangers', and what is no certificate at all, are passed over.
        let stranger = world::signer(KeyKind::P384).chain.remove(0);
        write(&token, &[root().certificate(), b"no certificate", &stranger]);
        assert!(refusal().contains("no certificate for the key"));
        write(&token, &[&leaf]);
        let message = refusal();
        assert!(
            message.contains("no certificate of the issuer of \"CN=signer,O=acme,L=Seattle,ST=WA,C=US\""),
            "{message}"
        );
        write(&token, &[&intermediate]);

        let answer = host.ask("generate-signature", &asked);
        let chain: Vec<_> = answer["certificateChain"].as_array().unwrap().iter().map(bytes).collect();
        assert_eq!(chain, [leaf, intermediate, root().certificate().to_vec()]);

        // Which of two is meant is not guessed; that one of them is there twice is no matter.
        let renewed = issuing().issue(request()).unwrap().chain.remove(0);
        write(&token, &[root().certificate()]);
        assert_eq!(host.ask("generate-signature", &asked)["certificateChain"], answer["certificateChain"]);
        write(&token, &[&renewed]);
        assert!(refusal().contains("2 certificates for the key"));
    });
}

#[test]
fn more_certificates_than_are_read_are_refused() {
    with_softhsm("pkcs11_plugin::certificates::more_certificates_than_are_read_are_refused", |hsm| {
        let token = hsm.token("crowded").unwrap();
        let uri = token.generate(KeyKind::P256, "key").unwrap();
        held(&uri);
        let values: Vec<Vec<u8>> = (0..=muster::limits::TOKEN_CERTIFICATES).map(|n| n.to_be_bytes().to_vec()).collect();
        write(&token, &values.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let input = generate_signature(&uri, "EC-256", "SHA-256", b"signed", &json!({})).to_string();
        let message =
            Host::new().refusal(&["generate-signature"], input.as_bytes(), &[], "VALIDATION_ERROR", "crowded");
        assert!(message.contains("more than 256 certificates"), "{message}");
    });
}
