//! Engines as they really are: docker's contexts, TLS, another host, a run inside of a container, and what is said of an engine
//! that cannot be used.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster::digest::Digest;
use muster::forge::{Authority, Key, KeyKind, LeafRequest, extension, tlv};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::{COUNTING, image, muster, relay, skip, text};

const SCENARIO: &str =
    "title: pushed, signed and verified\nsteps:\n  - push: {}\n  - sign: {}\nverify:\n  - expect: { result: pass }\n";

/// A home folder, and a scenario in it.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Home {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("s.yaml"), SCENARIO).unwrap();
        Home(home)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Makes the context `name`, which is the current one.
    fn context(&self, name: &str, host: &str) {
        let folder = self.path().join(".docker/contexts/meta").join(Digest::sha256(name.as_bytes()).hex());
        fs::create_dir_all(&folder).unwrap();
        fs::write(self.path().join(".docker/config.json"), format!(r#"{{"currentContext":"{name}"}}"#)).unwrap();
        let meta = format!(r#"{{"Name":"{name}","Metadata":{{}},"Endpoints":{{"docker":{{"Host":"{host}"}}}}}}"#);
        fs::write(folder.join("meta.json"), meta).unwrap();
    }

    /// A run of the scenario on `image`, with no engine in its environment.
    fn run(&self, image: &str) -> Command {
        let scenario = self.path().join("s.yaml");
        let mut command =
            muster(&["test", scenario.to_str().unwrap(), "--registry", &format!("container={image}")], None);
        command.env("HOME", self.path());
        for name in [
            "DOCKER_HOST",
            "DOCKER_CONTEXT",
            "DOCKER_CONFIG",
            "DOCKER_TLS_VERIFY",
            "DOCKER_CERT_PATH",
            "CONTAINER_HOST",
        ] {
            command.env_remove(name);
        }
        command
    }
}

/// `command` in namespaces of its own, which `prepare` (of the shell) sets up before; `None` where that is not possible.
pub(crate) fn unshared(test: &str, flags: &str, prepare: &str, command: &Command) -> Option<Command> {
    let works = Command::new("unshare").args([flags, "true"]).output().is_ok_and(|output| output.status.success());
    if !works {
        skip::skip(test, "namespaces cannot be made here");
        return None;
    }
    let mut unshared = Command::new("unshare");
    unshared.args([flags, "sh", "-c", &format!("{prepare} && exec \"$@\""), "sh"]);
    unshared.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => unshared.env(name, value),
            None => unshared.env_remove(name),
        };
    }
    Some(unshared)
}

/// The engine's own socket, as `DOCKER_HOST` has it.
fn host_of_tests() -> String {
    format!("unix://{}", relay::engine_socket().unwrap().display())
}

fn passed(output: &Output) {
    let (said, errors) = text(output);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{errors}");
}

/// What a run says that ends with 3, as one does that has no engine.
fn refusal(output: &Output) -> String {
    let (said, errors) = text(output);
    assert_eq!((output.status.code(), said.as_str()), (Some(3), ""), "{errors}");
    errors
}

/// Runs `command` on another thread, so that what this process serves goes on.
async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn s70_the_engine_of_the_current_docker_context_is_used() {
    let Some(image) = image("s70_the_engine_of_the_current_docker_context_is_used") else { return };
    let _counting = COUNTING.lock().await;
    let home = Home::new();
    let socket = home.path().join("colima.sock");
    let count = relay::at_socket(&socket);
    home.context("colima", &format!("unix://{}", socket.display()));
    passed(&output(home.run(&image)).await);
    let by_current = count.load(Ordering::SeqCst);
    assert!(by_current > 0, "the usual socket was used");
    // DOCKER_CONTEXT comes before it, and DOCKER_HOST before both.
    let mut other = home.run(&image);
    other.env("DOCKER_CONTEXT", "default");
    passed(&output(other).await);
    let mut other = home.run(&image);
    other.env("DOCKER_CONTEXT", "colima").env("DOCKER_HOST", host_of_tests());
    passed(&output(other).await);
    assert_eq!(count.load(Ordering::SeqCst), by_current, "the context was used all the same");
}

/// Rootless engines and podman have their sockets below the user's own folders.
#[tokio::test(flavor = "multi_thread")]
async fn s70_an_engine_is_found_at_a_socket_of_the_user() {
    let Some(image) = image("s70_an_engine_is_found_at_a_socket_of_the_user") else { return };
    let _counting = COUNTING.lock().await;
    let home = Home::new();
    // In a namespace where the usual socket is not there, the engine's own lies elsewhere.
    let kept = home.path().join("engine.sock");
    fs::write(&kept, "").unwrap();
    let session = home.path().join("session");
    fs::create_dir_all(session.join("podman")).unwrap();
    symlink(&kept, session.join("podman/podman.sock")).unwrap();
    let mut run = home.run(&image);
    run.env("XDG_RUNTIME_DIR", &session);
    let prepare = format!(
        "mount --bind {} {} && mount -t tmpfs none /run",
        relay::engine_socket().unwrap().display(),
        kept.display()
    );
    let Some(run) = unshared("s70_an_engine_is_found_at_a_socket_of_the_user", "-m", &prepare, &run) else { return };
    passed(&output(run).await);
}

#[test]
fn s70_an_engine_that_cannot_be_used_is_named_with_what_helps() {
    let home = Home::new();
    home.context("far", "ssh://build@engine.example");
    let told = |name: &str, value: &str| refusal(&home.run("registry").env(name, value).output().unwrap());
    for (name, value, expected) in [
        ("PATH", "/bin", "the current docker context \"far\""),
        ("PATH", "/bin", "run muster on \"engine.example\""),
        ("DOCKER_CONTEXT", "gone", "the docker context \"gone\" (DOCKER_CONTEXT) does not exist"),
        ("DOCKER_HOST", "ssh://a@b", "DOCKER_HOST is of the scheme ssh"),
        ("DOCKER_HOST", "/var/run/docker.sock", "write unix:///var/run/docker.sock"),
        ("DOCKER_HOST", "fd://", "not how it is reached"),
        ("DOCKER_HOST", "tcp://127.0.0.1:1", "DOCKER_HOST names tcp://127.0.0.1:1: "),
        ("DOCKER_HOST", "https://127.0.0.1:1", "tcp://127.0.0.1:1: "),
    ] {
        let said = told(name, value);
        assert!(said.contains("no container engine") && said.contains(expected), "{name}={value}: {said}");
    }
}

/// What is not there, what may not be used, and what does not listen is said of each place.
#[test]
fn s70_it_is_said_where_an_engine_was_looked_for() {
    let home = Home::new();
    let socket = home.path().join(".docker/run");
    fs::create_dir_all(&socket).unwrap();
    drop(std::os::unix::net::UnixListener::bind(socket.join("docker.sock")).unwrap());
    let run = home.run("registry");
    let Some(mut run) =
        unshared("s70_it_is_said_where_an_engine_was_looked_for", "-m", "mount -t tmpfs none /run", &run)
    else {
        return;
    };
    let said = refusal(&run.output().unwrap());
    let refused = format!("{}: it is there, but no engine listens", socket.join("docker.sock").display());
    assert!(said.contains(&refused), "{said}");
    for place in ["/var/run/docker.sock", ".colima/default/docker.sock", "podman/podman.sock"] {
        assert!(said.split_once("do not exist").is_some_and(|(_, places)| places.contains(place)), "{said}");
    }
}

#[test]
fn s70_an_engine_that_wants_tls_is_told_from_one_that_does_not() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // As an engine with TLS answers to one who does not speak it.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut asked = [0; 1024];
            if stream.read(&mut asked).is_ok_and(|read| read > 0) {
                let said = "Client sent an HTTP request to an HTTPS server.\n";
                write!(stream, "HTTP/1.0 400 Bad Request\r\nContent-Length: {}\r\n\r\n{said}", said.len()).unwrap();
            }
        }
    });
    let home = Home::new();
    let host = format!("tcp://127.0.0.1:{port}");
    let said = refusal(&home.run("registry").env("DOCKER_HOST", &host).output().unwrap());
    assert!(said.contains("set DOCKER_TLS_VERIFY=1"), "{said}");
    let run =
        |home: &Home| home.run("registry").env("DOCKER_HOST", &host).env("DOCKER_TLS_VERIFY", "1").output().unwrap();
    let said = refusal(&run(&home));
    assert!(said.contains("TLS needs the file") && said.contains(".docker/ca.pem"), "{said}");
    assert!(said.contains("does not exist: DOCKER_CERT_PATH names its folder"), "{said}");
    // The variables do nothing for a context.
    home.context("far", &host);
    let said = refusal(&home.run("registry").output().unwrap());
    let update = format!("docker context update \"far\" --docker host={host},ca=FILE,cert=FILE,key=FILE");
    assert!(said.contains(&update) && !said.contains("DOCKER_TLS_VERIFY"), "{said}");
    // Of a pipe nothing would come.
    let folder = home.path().join(".docker/contexts/tls").join(Digest::sha256(b"far").hex()).join("docker");
    fs::create_dir_all(&folder).unwrap();
    assert!(Command::new("mkfifo").arg(folder.join("ca.pem")).status().unwrap().success());
    let said = refusal(&home.run("registry").output().unwrap());
    assert!(said.contains("is a named pipe, not a regular file: ") && said.contains(&update), "{said}");
}

#[test]
fn s70_an_engine_that_does_not_speak_tls_is_told_with_what_names_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("tcp://127.0.0.1:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut asked = [0; 1024];
            if stream.read(&mut asked).is_ok_and(|read| read > 0) {
                let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            }
        }
    });
    let (home, tls) = (Home::new(), Tls::new());
    tls.write(&home.path().join(".docker"));
    let said = home.run("registry").env("DOCKER_HOST", &host).env("DOCKER_TLS_VERIFY", "1").output().unwrap();
    let said = refusal(&said);
    assert!(said.contains(&format!("it does not speak TLS: unset DOCKER_TLS_VERIFY, or write {host}")), "{said}");
    home.context("far", &host);
    tls.write(&home.path().join(".docker/contexts/tls").join(Digest::sha256(b"far").hex()).join("docker"));
    let said = refusal(&home.run("registry").output().unwrap());
    let update = format!("it does not speak TLS: docker context update \"far\" --docker host={host};");
    assert!(said.contains(&update) && !said.contains("DOCKER_TLS_VERIFY"), "{said}");
}

/// It is waited for once, and not once more for each case.
#[test]
fn s70_an_engine_that_never_answers_is_told() {
    let home = Home::new();
    let socket = home.path().join("engine.sock");
    let _listening = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let host = format!("unix://{}", socket.display());
    let said = refusal(&home.run("registry").env("DOCKER_HOST", &host).output().unwrap());
    assert!(said.contains(&format!("DOCKER_HOST names {host}: no answer in 5 seconds")), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn s70_an_engine_with_tls_is_spoken_to_with_the_certificates_of_the_user() {
    let Some(image) = image("s70_an_engine_with_tls_is_spoken_to_with_the_certificates_of_the_user") else { return };
    let _counting = COUNTING.lock().await;
    let home = Home::new();
    let tls = Tls::new();
    tls.write(&home.path().join(".docker"));
    let (port, count) = relay::at_port(Some(tls.acceptor())).await;
    let mut run = home.run(&image);
    run.env("DOCKER_HOST", format!("https://localhost:{port}"));
    passed(&output(run).await);
    assert!(count.load(Ordering::SeqCst) > 0);
    // The same as a context has it.
    let home = Home::new();
    home.context("far", &format!("tcp://localhost:{port}"));
    tls.write(&home.path().join(".docker/contexts/tls").join(Digest::sha256(b"far").hex()).join("docker"));
    passed(&output(home.run(&image)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn s73_an_engine_at_another_name_is_reached_by_that_name() {
    let test = "s73_an_engine_at_another_name_is_reached_by_that_name";
    let Some(image) = image(test) else { return };
    let _counting = COUNTING.lock().await;
    let home = Home::new();
    let (port, count) = relay::at_port(None).await;
    let hosts = home.path().join("hosts");
    fs::write(&hosts, "127.0.0.1 localhost docker\n").unwrap();
    let mut run = home.run(&image);
    run.env("DOCKER_HOST", format!("tcp://docker:{port}"));
    // What a proxy would be asked for is another machine's.
    run.env("http_proxy", "http://127.0.0.1:1");
    let Some(run) = unshared(test, "-m", &format!("mount --bind {} /etc/hosts", hosts.display()), &run) else { return };
    passed(&output(run).await);
    assert!(count.load(Ordering::SeqCst) > 0);
}

/// Every registry would be waited for in vain.
#[tokio::test(flavor = "multi_thread")]
async fn s72_a_registry_that_is_not_reached_is_told_once_for_the_run() {
    let test = "s72_a_registry_that_is_not_reached_is_told_once_for_the_run";
    let Some(image) = image(test) else { return };
    let _counting = COUNTING.lock().await;
    let home = Home::new();
    let Some(mut run) = unshared(test, "-n", "true", &home.run(&image)) else { return };
    run.arg("--jobs=2");
    let said = refusal(&output(run).await);
    assert_eq!(said.matches("is not reached from here").count(), 1, "{said}");
    assert!(said.contains("network namespace") && said.contains("TESTCONTAINERS_HOST_OVERRIDE"), "{said}");
    assert_eq!(super::count().await, 0);
}

/// As jobs of continuous integration run, which have the engine's socket from outside.
#[tokio::test(flavor = "multi_thread")]
async fn s72_a_run_inside_of_a_container_reaches_its_registries() {
    let test = "s72_a_run_inside_of_a_container_reaches_its_registries";
    let Some(image) = image(test) else { return };
    let _counting = COUNTING.lock().await;
    let docker = |arguments: &[&str]| Command::new("docker").args(arguments).output();
    if !docker(&["version"]).is_ok_and(|output| output.status.success()) {
        return skip::skip(test, "the program docker is not here");
    }
    let home = Home::new();
    let network = format!("muster-test-{}", std::process::id());
    assert!(docker(&["network", "create", &network]).unwrap().status.success());
    let mounts = [
        format!("{}:/muster:ro", env!("CARGO_BIN_EXE_muster")),
        format!("{}:/s.yaml:ro", home.path().join("s.yaml").display()),
        format!("{}:/var/run/docker.sock", relay::engine_socket().unwrap().display()),
    ];
    // The libraries that it was linked with are not the image's.
    let libraries = ["/lib", "/lib64", "/usr"].map(|folder| format!("{folder}:{folder}:ro"));
    for network in ["bridge", &network] {
        let mut run = Command::new("docker");
        run.args(["run", "--rm", "--network", network, "--entrypoint", "/muster"]);
        for mount in
            mounts.iter().chain(libraries.iter().filter(|mount| Path::new(mount.split(':').next().unwrap()).exists()))
        {
            run.args(["-v", mount]);
        }
        run.args([&image, "test", "/s.yaml", "--registry", &format!("container={image}")]);
        passed(&output(run).await);
    }
    assert!(docker(&["network", "rm", &network]).unwrap().status.success());
    assert_eq!(super::count().await, 0);
}

/// An authority, and what a server and a client have of it.
struct Tls {
    root: Authority,
}

impl Tls {
    fn new() -> Tls {
        let subject = "C=US, ST=WA, O=acme-rockets.io, CN=TLS Root";
        Tls { root: Authority::root(subject, Key::generate(KeyKind::P256).unwrap()).unwrap() }
    }

    /// A chain, and its key in PKCS #8.
    fn leaf(&self, purpose: &str) -> (Vec<Vec<u8>>, Vec<u8>) {
        use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let key = pair.to_pkcs8v1().unwrap().as_ref().to_vec();
        let subject = "C=US, ST=WA, O=acme-rockets.io, CN=localhost";
        let mut request = LeafRequest::new(subject, Key::from_pkcs8(&key).unwrap()).unwrap();
        request.purposes = vec![purpose.to_owned()];
        // One GeneralName: dNSName is [2].
        let names = tlv(0x30, &tlv(0x82, b"localhost"));
        let issued = self.root.issue_with(request, |draft| {
            draft.set(extension("2.5.29.17", false, &names)?);
            Ok(())
        });
        (issued.unwrap().chain, key)
    }

    /// The files of a client.
    fn write(&self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        let (chain, key) = self.leaf("1.3.6.1.5.5.7.3.2");
        let chain: String = chain.iter().map(|certificate| pem("CERTIFICATE", certificate)).collect();
        fs::write(folder.join("ca.pem"), pem("CERTIFICATE", self.root.certificate())).unwrap();
        fs::write(folder.join("cert.pem"), chain).unwrap();
        fs::write(folder.join("key.pem"), pem("PRIVATE KEY", &key)).unwrap();
    }

    /// A server that wants a certificate of a client.
    fn acceptor(&self) -> TlsAcceptor {
        let (chain, key) = self.leaf("1.3.6.1.5.5.7.3.1");
        let provider = Arc::new(default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(self.root.certificate().to_vec().into()).unwrap();
        let clients =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_client_cert_verifier(clients);
        let chain = chain.into_iter().map(Into::into).collect();
        TlsAcceptor::from(Arc::new(config.with_single_cert(chain, PrivatePkcs8KeyDer::from(key).into()).unwrap()))
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let lines: Vec<&str> = base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
