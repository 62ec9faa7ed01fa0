//! A module in front of others.

use std::fs;
use std::path::{Path, PathBuf};

use muster::forge::KeyKind;

use crate::bench::{Attempt, Bench};
use crate::process::with_shim;
use crate::skip::skip;

/// Where p11-kit's proxy is, on Linux and macOS.
fn proxy() -> Option<PathBuf> {
    let named = std::env::var_os("MUSTER_P11_KIT_PROXY").map(PathBuf::from);
    let usual = [
        "/usr/lib/x86_64-linux-gnu/p11-kit-proxy.so",
        "/usr/lib/aarch64-linux-gnu/p11-kit-proxy.so",
        "/usr/lib64/p11-kit-proxy.so",
        "/usr/lib/p11-kit-proxy.so",
        "/opt/homebrew/lib/p11-kit-proxy.dylib",
    ];
    named.into_iter().chain(usual.map(PathBuf::from)).find(|path| path.exists())
}

#[test]
fn s18_the_proxy_of_p11_kit_signs() {
    const NAME: &str = "reported::proxy::s18_the_proxy_of_p11_kit_signs";
    let Some(proxy) = proxy() else {
        return skip(NAME, "p11-kit's proxy is not installed (Debian: apt-get install p11-kit-modules)");
    };
    with_shim(NAME, |hsm, module| {
        let bench = Bench::new(hsm, module);
        // The programs have the folder of the bench for their home.
        let modules = bench.folder().join(".config/pkcs11/modules");
        fs::create_dir_all(&modules).unwrap();
        let through = |module: &Path| {
            fs::write(modules.join("behind.module"), format!("module: {}\n", module.display())).unwrap();
        };
        for (kind, label) in [(KeyKind::P256, "ec"), (KeyKind::Rsa2048, "rsa")] {
            bench.put(kind, 0, label, label.as_bytes());
            for (behind, manners) in [(hsm.module(), ""), (module, "always-auth")] {
                through(behind);
                let path = format!("token=ci;object={label}");
                let attempt = Attempt { module: Some(&proxy), ..bench.attempt(manners, &path, kind) };
                bench.sign(&attempt).signs();
                bench.plugin(&attempt).signs();
            }
        }
    });
}
