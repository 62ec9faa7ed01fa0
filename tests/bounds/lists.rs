//! Lists: of referrers, of what a layout holds, of what an archive holds. As long as they may be, and longer.

use std::fs;
use std::sync::Arc;

use muster::digest::Digest;
use muster::forge::Artifact;
use muster::limits::{LAYOUT_MANIFESTS, LAYOUT_REPOSITORIES, LIST_BYTES};
use muster::manifest::{IMAGE_INDEX, IMAGE_MANIFEST};

use crate::inputs::{World, archive, layout_file};
use crate::run::{audit, is_told};
use crate::server::serve;

/// A page of 4 MiB of referrers, as short as they can be.
fn page(number: usize, artifact_type: &str) -> Vec<u8> {
    const LENGTH: usize = 4 << 20;
    let mut page = String::from(r#"{"schemaVersion":2,"manifests":["#);
    let mut count = 0;
    while page.len() < LENGTH - 300 {
        let digest = Digest::sha256(format!("{number} {count}").as_bytes());
        let separator = if count == 0 { "" } else { "," };
        page +=
            &format!(r#"{separator}{{"mediaType":"{IMAGE_MANIFEST}","digest":"{digest}","size":1{artifact_type}}}"#);
        count += 1;
    }
    page += "]}";
    page.into_bytes()
}

#[test]
fn long_lists_of_referrers_are_read_one_at_a_time() {
    if !is_told() {
        return;
    }
    let world = World::new();
    let pages: Vec<_> = (0..4).map(|number| Arc::new(page(number, ""))).collect();
    let image = Arc::new(Artifact::image("net-monitor").manifest.bytes.to_vec());
    let index = Arc::new(br#"{"schemaVersion":2,"manifests":[]}"#.to_vec());
    let host = serve(move |target| {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let number = query.split('&').find_map(|pair| pair.strip_prefix("page=")).unwrap_or("0");
        let number: usize = number.parse().unwrap_or(0);
        if path.contains("/referrers/") {
            // Whatever is asked for, and only where there are no signatures the rest.
            let next = format!("Link: <{path}?page={}>; rel=\"next\"\r\n", number + 1);
            let next = if number + 1 < pages.len() { next } else { String::new() };
            return Some((IMAGE_INDEX, Arc::clone(&pages[number]), next));
        }
        let manifest = path.rsplit_once("/manifests/")?.1;
        let tag = manifest.strip_prefix("sha256-").is_some();
        match manifest.starts_with('v') {
            // The same artifact, each time in another repository.
            true => Some((IMAGE_MANIFEST, Arc::clone(&image), String::new())),
            false if tag => Some((IMAGE_INDEX, Arc::clone(&index), String::new())),
            false => None,
        }
    });
    let targets: Vec<String> = (0..3).map(|number| format!("{host}/team/app{number}:v1")).collect();
    let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
    let run = audit(world.folder(), &targets);
    run.row("3 artifacts, each with a list of referrers of the greatest length, HTTP");
    assert_eq!(run.results.len(), 3, "{}", run.complaint);
    assert!(run.results.iter().all(|result| result["result"] == "error"), "{:?}", run.tally());
}

/// An `index.json` of about `length` bytes that lists one manifest again and again.
fn repetitive(length: usize) -> Vec<u8> {
    let digest = Digest::sha256(b"x");
    let entry = format!(r#"{{"mediaType":"{IMAGE_MANIFEST}","digest":"{digest}","size":1}},"#);
    let entries = entry.repeat(length / entry.len());
    format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.trim_end_matches(',')).into_bytes()
}

const SCOPE: [&str; 2] = ["--scope", "registry.wabbit-networks.io/team/app"];

#[test]
fn archives_that_inflate_a_thousandfold_fill_neither_memory_nor_disk() {
    if !is_told() {
        return;
    }
    let world = World::new();
    let blob = |number: usize| {
        let digest = Digest::sha256(&number.to_be_bytes());
        (format!("blobs/sha256/{}", digest.hex()), vec![0_u8; 4 << 20])
    };
    let index = ("index.json".to_owned(), repetitive(63 << 20));
    archive(&world.folder().join("index.tgz"), [layout_file(), index]);
    let index = ("index.json".to_owned(), br#"{"schemaVersion":2,"manifests":[]}"#.to_vec());
    archive(&world.folder().join("zeros.tgz"), [layout_file(), index].into_iter().chain((0..32).map(blob)));
    // A list that is too long is trouble; one that lists nothing gives nothing, however much lies beside it.
    for (name, code, tally) in [("index.tgz", 3, &["error answer-too-large"][..]), ("zeros.tgz", 4, &[])] {
        let length = fs::metadata(world.folder().join(name)).unwrap().len();
        let run = audit(world.folder(), &[&[&*format!("oci-archive:{name}")], &SCOPE[..]].concat());
        run.row(&format!("an archive of {} KiB that inflates a thousandfold, {name}", length >> 10));
        let tally = tally.iter().map(|row| ((*row).to_owned(), 1)).collect();
        assert_eq!((run.code, run.tally()), (Some(code), tally), "{name}: {}", run.complaint);
    }
}

#[test]
fn a_layout_that_lists_as_much_as_it_may_is_held() {
    if !is_told() {
        return;
    }
    let world = World::new();
    let layout = world.folder().join("layout");
    fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    let entry = |number: usize| {
        let digest = Digest::sha256(&number.to_be_bytes());
        let name = format!("registry.wabbit-networks.io/team/application-{}:v{number}", number % LAYOUT_REPOSITORIES);
        format!(
            r#"{{"mediaType":"{IMAGE_MANIFEST}","digest":"{digest}","size":1,"annotations":{{"org.opencontainers.image.ref.name":"{name}"}}}}"#
        )
    };
    for (count, code) in [(LAYOUT_MANIFESTS, 4), (2 * LAYOUT_MANIFESTS, 3)] {
        let entries: Vec<String> = (0..count).map(entry).collect();
        let index = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","));
        fs::write(layout.join("index.json"), index).unwrap();
        let run = audit(world.folder(), &["oci:layout", "--include", "nothing/**"]);
        run.row(&format!("a layout that lists {count} manifests under names of their own"));
        assert_eq!(run.code, Some(code), "{}", run.complaint);
    }
}

/// An image manifest of about 4 MiB, of layers with many short annotations: what takes most memory once it is read.
pub(crate) fn long_image(number: usize) -> Vec<u8> {
    let annotations: Vec<String> = (0..300).map(|name| format!(r#""{name}":"""#)).collect();
    let digest = Digest::sha256(&number.to_be_bytes());
    let descriptor = format!(r#"{{"mediaType":"a/b","digest":"{digest}","size":1"#);
    let layer = format!(r#"{descriptor},"annotations":{{{}}}}}"#, annotations.join(","));
    let layers = vec![layer; (3 << 20) / 2600].join(",");
    format!(r#"{{"schemaVersion":2,"config":{descriptor}}},"layers":[{layers}]}}"#).into_bytes()
}

#[test]
fn long_manifests_are_not_held_while_their_artifacts_are_judged() {
    if !is_told() {
        return;
    }
    const TAGS: usize = 12;
    let world = World::new();
    let images: Vec<_> = (0..TAGS).map(|number| Arc::new(long_image(number))).collect();
    let index = Arc::new(br#"{"schemaVersion":2,"manifests":[]}"#.to_vec());
    // Nobody is told of referrers before all are in work.
    let all = std::sync::Barrier::new(TAGS);
    let told = std::sync::Mutex::new(std::collections::HashSet::new());
    let host = serve(move |target| {
        let path = target.split('?').next().unwrap_or(target);
        if path.contains("/referrers/") {
            if told.lock().unwrap().insert(path.to_owned()) {
                all.wait();
            }
            return Some((IMAGE_INDEX, Arc::clone(&index), String::new()));
        }
        let number: usize = path.rsplit_once("/manifests/v")?.1.parse().ok()?;
        Some((IMAGE_MANIFEST, Arc::clone(images.get(number)?), String::new()))
    });
    let targets: Vec<String> = (0..TAGS).map(|number| format!("{host}/team/app:v{number}")).collect();
    let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
    let run = audit(world.folder(), &targets);
    run.row("12 artifacts with manifests of 3 MiB at once, HTTP");
    assert_eq!(run.tally(), [("fail unsigned".to_owned(), TAGS)].into(), "{}", run.complaint);
}

#[test]
fn r03_long_lists_of_tags_are_read_in_bounds() {
    if !is_told() {
        return;
    }
    let world = World::new();
    // Each one answer of nearly the greatest length: many short names, and many that are none.
    let list = |length: u64, name: &dyn Fn(usize) -> String| {
        let mut body = String::from(r#"{"tags":["v1""#);
        let mut number = 0;
        while (body.len() as u64) < length - 128 {
            body += &name(number);
            number += 1;
        }
        body += "]}";
        Arc::new(body.into_bytes())
    };
    let long = list(LIST_BYTES, &|number| format!(r#","{number:0100}""#));
    let none = list(LIST_BYTES / 16, &|_| ",null".to_owned());
    let image = Arc::new(Artifact::image("net-monitor").manifest.bytes.to_vec());
    let index = Arc::new(br#"{"schemaVersion":2,"manifests":[]}"#.to_vec());
    let host = serve(move |target| {
        let path = target.split('?').next().unwrap_or(target);
        let json = |body: &Arc<Vec<u8>>| Some(("application/json", Arc::clone(body), String::new()));
        match path {
            "/v2/_catalog" => {
                let names = r#"{"repositories":["a/long0","a/long1","a/none0","a/none1"]}"#;
                json(&Arc::new(names.into()))
            }
            _ if path.contains("/referrers/") => Some((IMAGE_INDEX, Arc::clone(&index), String::new())),
            _ if path.ends_with("/tags/list") => json(if path.contains("long") { &long } else { &none }),
            _ if path.ends_with("/manifests/v1") => Some((IMAGE_MANIFEST, Arc::clone(&image), String::new())),
            _ => None,
        }
    });
    let run = audit(world.folder(), &[&host, "--include", "**:v1"]);
    run.row("2 repositories, each with a list of tags of 64 MiB in one answer, HTTP");
    // What is no text is one error of its repository.
    let tally = [("fail unsigned".to_owned(), 4), ("error answer-invalid".to_owned(), 2)].into();
    assert_eq!(run.tally(), tally, "{}", run.complaint);
}
