//! Layouts are a stranger's: their names choose no statement for a gate, and one entry that cannot be read hides no other.

use std::process::Command;

use muster::forge::{Artifact, Blob};
use serde_json::{Value, json};

use super::shelf::{NAME, Shelf, entry, entry_for, index, results};

/// A layout `layout` and its archive, with an unsigned image whose names lead to a statement that looks at nothing; and a
/// policy that is strict elsewhere.
fn spoofed(names: &[Value]) -> (Shelf, String) {
    let mut shelf = Shelf::new();
    shelf.policy(&[("lax", "lax.io/skipped", "skip"), ("strict", "strict.io/app", "strict")]);
    let image = Artifact::image("spoofed");
    let digest = shelf.put(None, &image).digest.to_string();
    let entries: Vec<_> = names
        .iter()
        .map(|annotations| {
            let mut entry = entry(image.descriptor());
            entry["annotations"] = annotations.clone();
            entry
        })
        .collect();
    shelf.layout("layout", &entries);
    shelf.pack("layout");
    (shelf, digest)
}

#[test]
fn a_name_inside_a_layout_chooses_no_statement_for_a_gate() {
    let lax = "lax.io/skipped:v1";
    for names in [
        vec![json!({ NAME: lax })],
        vec![json!({ NAME: "v1", "io.containerd.image.name": lax })],
        vec![json!({ NAME: "strict.io/app:v1" }), json!({ NAME: lax })],
        vec![json!({ NAME: "v1" }), json!({ NAME: lax }), json!({ NAME: "lax.io/skipped" })],
    ] {
        let (shelf, digest) = spoofed(&names);
        for place in ["oci:layout", "oci-archive:layout.tar"] {
            for reference in [format!("{place}:v1"), format!("{place}@{digest}"), format!("{place}:skipped:v1")] {
                let ran = shelf.run(&["verify", &reference]);
                assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{reference}: {}", ran.stderr);
                assert!(ran.stderr.contains("--scope HOST/REPOSITORY"), "{}", ran.stderr);
                // One that says it does not help another.
                let ran = shelf.run(&["verify", &format!("{place}:strict.io/app@{digest}"), &reference]);
                assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{reference}: {}", ran.stderr);
            }
            let judged = |arguments: &[&str]| {
                let (code, report) = shelf.report(&[&["verify"], arguments].concat());
                (code, report["artifacts"][0]["policy"].clone(), report["artifacts"][0]["repositoryFrom"].clone())
            };
            let by_digest = format!("{place}@{digest}");
            let strict = |from: &str| (Some(1), Value::from("strict"), Value::from(from));
            assert_eq!(judged(&[&by_digest, "--scope", "strict.io/app"]), strict("scope"));
            assert_eq!(judged(&[&format!("{place}:strict.io/app@{digest}")]), strict("reference"));
            // What the user wrote as scope goes before what he wrote as reference.
            assert_eq!(
                judged(&[&format!("{place}:lax.io/skipped@{digest}"), "--scope", "strict.io/app"]),
                strict("scope")
            );
        }
        let ran = shelf.run(&["verify", "--oci-layout", "layout:v1"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{}", ran.stderr);
    }
}

#[test]
fn a_full_reference_names_an_entry_by_its_name_or_its_tag() {
    let mut shelf = Shelf::new();
    let [own, full, tagged, containerd] = ["own", "full", "tagged", "containerd"].map(Artifact::image);
    let mut entries = Vec::new();
    for (image, annotations) in [
        (&full, json!({ NAME: "a.io/full:v1" })),
        (&tagged, json!({ NAME: "v2" })),
        (&containerd, json!({ NAME: "latest", "io.containerd.image.name": "docker.io/library/x:latest" })),
        (&own, json!({ NAME: "latest", "io.containerd.image.name": "docker.io/library/y:latest" })),
    ] {
        shelf.put(None, image);
        let mut entry = entry(image.descriptor());
        entry["annotations"] = annotations;
        entries.push(entry);
    }
    shelf.layout("layout", &entries);
    let found = |name: &str| {
        let (code, report) = shelf.report(&["audit", &format!("oci:layout:{name}")]);
        let row = &report["artifacts"][0];
        let artifact = row["artifact"].as_str().map(str::to_owned);
        artifact.ok_or_else(|| (code, row["code"].as_str().unwrap().to_owned()))
    };
    let at = |repository: &str, image: &Artifact| Ok(format!("{repository}@{}", image.descriptor().digest));
    assert_eq!(found("a.io/full:v1"), at("a.io/full", &full));
    // The name is another repository's: what the user wants is not there.
    assert_eq!(found("b.io/other:v1"), Err((Some(3), "not-found".to_owned())));
    assert_eq!(found("b.io/other:v2"), at("b.io/other", &tagged));
    assert_eq!(found("docker.io/library/x:latest"), at("docker.io/library/x", &containerd));
    let ambiguous = shelf.report(&["audit", "oci:layout:c.io/z:latest"]).1;
    assert_eq!(ambiguous["artifacts"].as_array().unwrap().len(), 2, "{ambiguous}");
}

#[test]
fn an_audit_that_goes_by_names_inside_a_layout_says_so_everywhere() {
    let mut shelf = Shelf::new();
    for tag in ["v1", "v2"] {
        let image = Artifact::image(tag);
        shelf.put(Some(tag), &image);
        shelf.sign(&image);
    }
    shelf.layout("layout", &shelf.entries(Some("a.io/app")));
    let ran = shelf.run(&[
        "audit",
        "oci:layout",
        "-o",
        "json=r.json",
        "-o",
        "junit=r.xml",
        "-o",
        "ndjson=r.ndjson",
        "-o",
        "table",
    ]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.starts_with("warning: the names inside \"oci:layout\" choose the statements"), "{}", ran.stderr);
    assert!(ran.stdout.contains("\n\nNames inside a layout choose the statements"), "{}", ran.stdout);
    assert_eq!(ran.stdout.matches(" (named by the layout)\n").count(), 2 + 1, "{}", ran.stdout);
    let text = |name: &str| std::fs::read_to_string(shelf.path(name)).unwrap();
    let report: Value = serde_json::from_str(&text("r.json")).unwrap();
    assert_eq!(report["header"]["layoutNames"], true);
    assert_eq!(text("r.ndjson").matches(r#""repositoryFrom":"layout""#).count(), 2);
    assert!(text("r.xml").contains(r#"<property name="layoutNames" value="true"/>"#), "{}", text("r.xml"));
    assert_eq!(text("r.xml").matches("<system-out>the repository is named by the layout").count(), 2);

    for arguments in [&["oci:layout", "--scope", "a.io/app"][..], &["oci:layout:a.io/app:v1"]] {
        let ran = shelf.run(&[&["audit"], arguments].concat());
        assert!(ran.code == Some(0) && ran.stderr.is_empty() && !ran.stdout.contains("named by"), "{}", ran.stdout);
    }
    std::fs::write(shelf.path("list"), "oci:layout:v1\noci:layout:a.io/app:v2\n").unwrap();
    let (code, report) = shelf.report(&["audit", "@list"]);
    let from: Vec<_> =
        report["artifacts"].as_array().unwrap().iter().map(|row| row["repositoryFrom"].clone()).collect();
    assert_eq!((code, from), (Some(0), vec!["layout".into(), "reference".into()]));
    assert_eq!(report["header"]["layoutNames"], true);
}

/// Entries of `index.json` that cannot be judged, with the code of the row that each gets.
fn broken() -> Vec<(Value, &'static str)> {
    let image = Artifact::image("broken");
    let fine = entry(image.descriptor());
    let with = |member: &str, value: Value| {
        let mut entry = fine.clone();
        entry["annotations"] = json!({ NAME: "a.io/app:broken" });
        entry[member] = value;
        entry
    };
    let other = muster::digest::Digest::sha256(b"not there").to_string();
    vec![
        (json!("text"), "answer-invalid"),
        (json!({}), "answer-invalid"),
        (Value::Null, "answer-invalid"),
        (with("size", Value::Null), "answer-invalid"),
        (with("size", json!("9")), "answer-invalid"),
        (with("size", json!(1)), "answer-invalid"),
        (with("digest", json!("sha256:../../etc/passwd")), "answer-invalid"),
        (with("digest", json!("md5:d41d8cd98f00b204e9800998ecf8427e")), "answer-invalid"),
        (with("digest", json!(other)), "content-missing"),
        (with("mediaType", Value::Null), "answer-invalid"),
        (with("annotations", json!({ NAME: 7 })), "answer-invalid"),
        (with("annotations", json!({})), "repository-unknown"),
        (with("annotations", json!({ NAME: "UPPER/Case:v1" })), "repository-unknown"),
        (with("annotations", json!({ NAME: "v1" })), "repository-unknown"),
        (with("annotations", json!({ NAME: format!("a.io/app@{other}") })), "repository-unknown"),
    ]
}

#[test]
fn an_entry_that_cannot_be_judged_is_one_error_and_the_others_are_judged() {
    for (entry, code) in broken() {
        let mut shelf = Shelf::new();
        for (tag, signed) in [("v1", true), ("v2", true), ("v3", false)] {
            let image = Artifact::image(tag);
            shelf.put(Some(tag), &image);
            if signed {
                shelf.sign(&image);
            }
        }
        let mut entries = shelf.entries(Some("a.io/app"));
        shelf.put(None, &Artifact::image("broken"));
        entries.insert(1, entry.clone());
        shelf.layout("layout", &entries);
        shelf.pack("layout");
        for target in ["oci:layout", "oci-archive:layout.tar"] {
            let (exit, report) = shelf.report(&["audit", target]);
            assert!(matches!(exit, Some(1 | 3)), "{entry}: {report}");
            let mut results = results(&report);
            let mut of = |tag: &str| results.remove(&format!("a.io/app:{tag}"));
            assert_eq!((of("v1").as_deref(), of("v2").as_deref()), (Some("pass"), Some("pass")), "{entry}: {report}");
            // An entry that may be a signature leaves open whether there is one.
            let unsigned = of("v3").unwrap();
            assert!(unsigned == "unsigned" || unsigned == code, "{entry}: {report}");
            let left: Vec<_> = results.into_values().collect();
            assert_eq!(left, [code], "{entry}: {report}");
            assert_eq!(report["artifacts"].as_array().unwrap().len(), 4, "{entry}: {report}");
        }
        if code != "repository-unknown" && entry["annotations"][NAME].is_string() {
            let ran = shelf.run(&["verify", "oci:layout:a.io/app:broken"]);
            assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""), "{entry}: {}", ran.stderr);
            assert!(ran.stderr.contains(code), "{entry}: {}", ran.stderr);
        }
    }
}

#[test]
fn entries_of_one_digest_that_contradict_each_other_are_told_apart() {
    let mut shelf = Shelf::new();
    let image = Artifact::image("v1");
    shelf.put(Some("v1"), &image);
    shelf.sign(&image);
    let right = shelf.entries(Some("a.io/app"));
    for (member, value) in [
        ("size", json!(1)),
        ("mediaType", json!("application/vnd.oci.image.index.v1+json")),
        ("mediaType", json!("text/plain")),
    ] {
        let mut wrong = right[0].clone();
        wrong[member] = value;
        wrong["annotations"] = json!({ NAME: "a.io/app:wrong" });
        for first in [true, false] {
            let mut entries = right.clone();
            entries.insert(if first { 0 } else { 2 }, wrong.clone());
            // Said twice, it is judged once.
            entries.push(right[0].clone());
            shelf.layout("layout", &entries);
            let (code, report) = shelf.report(&["audit", "oci:layout"]);
            let results: Vec<_> = results(&report).into_iter().collect();
            let expected = [("a.io/app:v1", "pass"), ("a.io/app:wrong", "answer-invalid")]
                .map(|(name, result)| (name.to_owned(), result.to_owned()));
            assert_eq!((code, results), (Some(3), expected.to_vec()), "{wrong}");
            assert_eq!(report["artifacts"].as_array().unwrap().len(), 2, "{report}");
        }
    }
}

#[test]
fn what_an_index_lists_is_no_artifact_of_its_own_though_the_layout_lists_it_too() {
    let mut shelf = Shelf::new();
    let (inside, alone) = (Artifact::image("inside"), Artifact::image("alone"));
    let set = index(&[entry_for(inside.descriptor(), "linux/amd64")]);
    shelf.put(None, &inside);
    shelf.put(None, &alone);
    shelf.put(Some("set"), &set);
    shelf.sign(&set);
    shelf.layout("layout", &shelf.entries(Some("a.io/app")));
    let (code, report) = shelf.report(&["audit", "oci:layout", "--scope", "a.io/app"]);
    let found: Vec<_> = results(&report).into_iter().collect();
    let alone = format!("a.io/app@{}", alone.descriptor().digest);
    let expected =
        [("a.io/app:set", "pass"), (&alone, "unsigned")].map(|(name, result)| (name.to_owned(), result.to_owned()));
    assert_eq!((code, found), (Some(1), expected.to_vec()), "{report}");
    assert_eq!(report["summary"]["covered"], 1);
    // Who names it has it judged.
    let named = format!("oci:layout:a.io/app@{}", inside.descriptor().digest);
    assert_eq!(shelf.run(&["verify", &named]).code, Some(1));
}

#[test]
fn a_name_elsewhere_hides_nothing_that_an_index_lists() {
    let mut shelf = Shelf::new();
    shelf.policy(&[("lax", "lax.io/skipped", "skip"), ("strict", "a.io/app", "strict")]);
    let [inside, hidden, subject] = ["inside", "hidden", "subject"].map(Artifact::image);
    let set = index(&[entry_for(inside.descriptor(), "linux/amd64")]);
    let list = index(&[entry(hidden.descriptor())]);
    let list_tag = subject.descriptor().digest.referrers_tag();
    let mut entries = Vec::new();
    for (name, artifact) in [
        ("lax.io/skipped:v1", &inside),
        ("lax.io/skipped:v2", &hidden),
        ("a.io/app:set", &set),
        (&*format!("a.io/app:{list_tag}"), &list),
    ] {
        let mut entry = entry(&shelf.put(None, artifact));
        entry["annotations"] = json!({ NAME: name });
        entries.push(entry);
    }
    let signature = shelf.sign(&set);
    entries.push(entry(&signature));
    shelf.layout("layout", &entries);
    let (code, report) = shelf.report(&["audit", "oci:layout", "--platform", "all"]);
    let rows = report["artifacts"].as_array().unwrap().iter();
    let found: Vec<_> = rows.map(|row| (row["policy"].as_str().unwrap(), row["result"].as_str().unwrap())).collect();
    let expected = [
        ("lax", "skip"),
        ("lax", "skip"),
        ("strict", "pass"),
        // The platform in the set, then the list that is none, then what it lists.
        ("strict", "fail"),
        ("strict", "fail"),
        ("strict", "fail"),
    ];
    assert_eq!((code, found), (Some(1), expected.to_vec()), "{report}");
}

#[test]
fn a_layout_in_which_nothing_has_a_repository_wants_a_scope() {
    let mut shelf = Shelf::new();
    let image = Artifact::image("v1");
    shelf.put(Some("v1"), &image);
    shelf.sign(&image);
    shelf.layout("nameless", &shelf.entries(None));
    shelf.layout("named", &shelf.entries(Some("a.io/app")));
    let ran = shelf.run(&["audit", "oci:nameless"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("--scope HOST/REPOSITORY"), "{}", ran.stderr);
    assert_eq!(shelf.run(&["audit", "oci:nameless", "--scope", "a.io/app"]).code, Some(0));
    // Beside what can be judged it is an error like any other.
    let (code, report) = shelf.report(&["audit", "oci:nameless", "oci:named"]);
    assert_eq!(code, Some(3), "{report}");
    let codes: Vec<_> = report["artifacts"].as_array().unwrap().iter().map(|row| row["code"].clone()).collect();
    assert_eq!(codes, ["repository-unknown".into(), Value::Null]);
    // What is no list of manifests at all is the trouble of its target.
    for index in ["", "[]", "{}", r#"{"manifests":7}"#, "\u{feff}{}"] {
        std::fs::write(shelf.path("nameless/index.json"), index).unwrap();
        let (code, report) = shelf.report(&["audit", "oci:nameless", "oci:named"]);
        let artifacts = report["artifacts"].as_array().unwrap();
        assert_eq!((code, artifacts.len(), &artifacts[0]["code"]), (Some(3), 2, &"answer-invalid".into()), "{report}");
    }
}

/// An image whose manifest other readers run and Muster refuses, listed as a signature: an error of its own, not passed over.
#[test]
fn an_image_listed_as_a_signature_is_not_passed_over() {
    let mut shelf = Shelf::new();
    let image = Artifact::image("signed");
    shelf.put(Some("v1"), &image);
    shelf.sign(&image);
    let Artifact { manifest, blobs } = Artifact::image("disguised");
    let doubled = [br#"{"schemaVersion":2,"#, &manifest.bytes[1..]].concat();
    let disguised = Artifact { manifest: Blob::new(&manifest.descriptor.media_type, doubled), blobs };
    shelf.put(None, &disguised);
    let mut entries = shelf.entries(Some("a.io/b"));
    entries[2]["artifactType"] = json!("application/vnd.cncf.notary.signature");
    shelf.layout("layout", &entries);
    let (code, report) = shelf.report(&["audit", "oci:layout", "--scope", "a.io/b"]);
    let results: Vec<_> = report["artifacts"].as_array().unwrap().iter().map(|row| row["result"].clone()).collect();
    assert_eq!((code, results), (Some(3), vec![json!("pass"), json!("error")]), "{report}");
    let inspect = Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(["inspect", "oci:layout:a.io/b:v1"])
        .current_dir(shelf.path(""))
        .output()
        .unwrap();
    let told = String::from_utf8(inspect.stderr).unwrap();
    assert_eq!(inspect.status.code(), Some(0), "{told}");
    assert!(told.contains("there may be further signatures: "), "{told}");
}
