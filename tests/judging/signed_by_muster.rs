//! What an earlier `muster sign` wrote still verifies: twelve images in a layout that is kept for the reference
//! implementation too.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

#[test]
fn all_six_algorithms_in_both_formats_pass() {
    let output = Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(["audit", "oci:tests/signed-by-muster/layout", "--scope", "localhost/signed-by-muster"])
        .args(["--policy", "tests/signed-by-muster/trustpolicy.json"])
        .args(["--trust-store", "tests/signed-by-muster/truststore", "-o", "ndjson"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let mut formats = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let artifact: Value = serde_json::from_str(line).unwrap();
        assert_eq!(artifact["result"], "pass", "{artifact:#}");
        let format = artifact["signatures"][0]["mediaType"].as_str().unwrap().to_owned();
        *formats.entry(format).or_insert(0) += 1;
    }
    let six_each = [("application/cose", 6), ("application/jose+json", 6)];
    assert_eq!(formats, six_each.map(|(format, count)| (format.to_owned(), count)).into());
}
