//! Where vendors and distributions install their modules, by system.
//!
//! What each product is, and who says that its module lies there, is in `docs/tokens.md`.

use std::env::consts;
use std::path::PathBuf;

/// Modules by their path below a folder of libraries.
const BELOW_LIBRARIES: [&str; 10] = [
    "softhsm/libsofthsm2.so",
    "pkcs11/libsofthsm2.so",
    "opensc-pkcs11.so",
    "pkcs11/opensc-pkcs11.so",
    "libykcs11.so",
    "libykcs11.so.2",
    "pkcs11/yubihsm_pkcs11.so",
    "pkcs11/libtpm2_pkcs11.so",
    "libtpm2_pkcs11.so",
    "pkcs11/libnethsm_pkcs11.so",
];

/// Modules that have a place of their own.
const ON_LINUX: [&str; 5] = [
    "/opt/cloudhsm/lib/libcloudhsm_pkcs11.so",
    "/usr/safenet/lunaclient/lib/libCryptoki2_64.so",
    "/opt/nfast/toolkits/pkcs11/libcknfast.so",
    "/usr/local/primus/lib/libprimusP11.so",
    "/usr/local/lib/yubihsm_pkcs11.so",
];

const ON_MACOS: [&str; 10] = [
    "/Library/OpenSC/lib/opensc-pkcs11.so",
    "/opt/homebrew/lib/opensc-pkcs11.so",
    "/usr/local/lib/opensc-pkcs11.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/libykcs11.dylib",
    "/usr/local/lib/libykcs11.dylib",
    "/opt/homebrew/lib/pkcs11/yubihsm_pkcs11.dylib",
    "/usr/local/lib/pkcs11/yubihsm_pkcs11.dylib",
    "/usr/local/lib/yubihsm_pkcs11.dylib",
];

const ON_WINDOWS: [&str; 8] = [
    r"C:\Program Files\OpenSC Project\OpenSC\pkcs11\opensc-pkcs11.dll",
    r"C:\Program Files\Yubico\Yubico PIV Tool\bin\libykcs11.dll",
    r"C:\Program Files\Yubico\YubiHSM Shell\bin\pkcs11\yubihsm_pkcs11.dll",
    r"C:\SoftHSM2\lib\softhsm2-x64.dll",
    r"C:\Program Files\SoftHSM2\lib\softhsm2-x64.dll",
    r"C:\Program Files\Amazon\CloudHSM\lib\cloudhsm_pkcs11.dll",
    r"C:\Program Files\SafeNet\LunaClient\cryptoki.dll",
    r"C:\Program Files\nCipher\nfast\toolkits\pkcs11\cknfast.dll",
];

/// The folders of libraries of this system, the one that p11-kit is built for first where distributions agree.
pub(super) fn library_folders() -> Vec<PathBuf> {
    if cfg!(windows) {
        return Vec::new();
    }
    if cfg!(target_os = "macos") {
        return ["/opt/homebrew/lib", "/usr/local/lib"].map(PathBuf::from).into();
    }
    let multiarch = PathBuf::from(format!("/usr/lib/{}-linux-gnu", consts::ARCH));
    let others = ["/usr/lib64", "/usr/lib", "/usr/local/lib64", "/usr/local/lib"].map(PathBuf::from);
    [multiarch].into_iter().chain(others).collect()
}

/// The modules that are there, in usual places.
pub(super) fn modules(libraries: &[PathBuf]) -> Vec<PathBuf> {
    let of_their_own: &[&str] = if cfg!(windows) {
        &ON_WINDOWS
    } else if cfg!(target_os = "macos") {
        &ON_MACOS
    } else {
        &ON_LINUX
    };
    let below = BELOW_LIBRARIES.iter().flat_map(|module| libraries.iter().map(move |folder| folder.join(module)));
    below.chain(of_their_own.iter().map(PathBuf::from)).filter(|path| path.is_file()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn modules_are_found_below_the_folders_of_libraries() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("lib64"), folder.path().join("lib"));
        for module in [first.join("pkcs11/opensc-pkcs11.so"), second.join("libykcs11.so.2"), second.join("libother.so")]
        {
            fs::create_dir_all(module.parent().unwrap()).unwrap();
            fs::write(module, "").unwrap();
        }
        fs::create_dir_all(second.join("softhsm/libsofthsm2.so")).unwrap();
        let found = modules(&[first.clone(), second.clone()]);
        let below: Vec<_> = found.iter().filter(|path| path.starts_with(folder.path())).collect();
        assert_eq!(below, [&first.join("pkcs11/opensc-pkcs11.so"), &second.join("libykcs11.so.2")]);
    }
}
