//! A second real token: a TPM 2.0 in software (`swtpm`), behind `tpm2-pkcs11`. Its keys are its own, it hashes what it is given to
//! hash, and there is one connection to it at a time.

mod machine;

use std::fs;
use std::path::PathBuf;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11 as Module};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::Attribute;
use cryptoki::session::UserType;
use cryptoki::slot::Slot;
use cryptoki::types::{AuthPin, Ulong};
use muster::forge::{KeyKind, LeafRequest};

use crate::bench::{Attempt, Bench};
use crate::process::{held, open};
use crate::throughput::two_hundred;
use crate::world::{LEAF, issuing, pem, root};
use machine::{Machine, with_tpm};

const KINDS: [(KeyKind, &str); 2] = [(KeyKind::P256, "ec"), (KeyKind::Rsa2048, "rsa")];

/// Makes the token with its PIN, and a key of each family.
fn make_token(machine: &Machine) {
    let (officer, pin) =
        (AuthPin::from("officers pin"), AuthPin::from(fs::read_to_string(machine.pin_file()).unwrap()));
    with_module(machine, |module, slot| {
        module.init_token(slot, &officer, "tpm").unwrap();
        let session = module.open_rw_session(slot).unwrap();
        session.login(UserType::So, Some(&officer)).unwrap();
        session.init_pin(&pin).unwrap();
    });
    let curve = vec![0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    let size = vec![Attribute::ModulusBits(Ulong::new(2048)), Attribute::PublicExponent(vec![1, 0, 1])];
    for (mechanism, label, form) in [
        (Mechanism::EccKeyPairGen, "ec", vec![Attribute::EcParams(curve)]),
        (Mechanism::RsaPkcsKeyPairGen, "rsa", size),
    ] {
        let named = [Attribute::Token(true), Attribute::Label(label.into()), Attribute::Id(label.into())];
        let public = [named.to_vec(), form, vec![Attribute::Verify(true)]].concat();
        let private = [named.to_vec(), vec![Attribute::Private(true), Attribute::Sign(true)]].concat();
        with_module(machine, |module, slot| {
            let session = module.open_rw_session(slot).unwrap();
            session.login(UserType::User, Some(&pin)).unwrap();
            session.generate_key_pair(&mechanism, &public, &private).unwrap();
        });
    }
}

/// The module, started for `work` alone: a TPM has room for three objects, and a module that ends gives it back.
fn with_module(machine: &Machine, work: impl FnOnce(&Module, Slot)) {
    let module = Module::new(machine.module()).unwrap();
    module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    let slot = module.get_slots_with_token().unwrap()[0];
    work(&module, slot);
    module.finalize().unwrap();
}

fn chain(machine: &Machine, label: &str) -> PathBuf {
    machine.folder().join(format!("{label}.pem"))
}

#[test]
fn both_programs_sign_with_a_tpm() {
    let inside = |machine: &Machine| {
        make_token(machine);
        for (_, label) in KINDS {
            let request = LeafRequest::new(LEAF, held(&machine.uri(label))).unwrap();
            fs::write(chain(machine, label), pem(&issuing().issue(request).unwrap().chain)).unwrap();
        }
        fs::write(machine.folder().join("root.der"), root().certificate()).unwrap();
    };
    with_tpm("tpm::both_programs_sign_with_a_tpm", inside, |machine| {
        let bench = Bench::on(machine.module(), machine.pin_file(), machine.environment());
        // Another process has another root.
        bench.trust(&machine.folder().join("root.der"));
        for (kind, label) in KINDS {
            let chain = Some(chain(machine, label));
            let attempt = Attempt { chain, ..bench.plain(&format!("token=tpm;object={label}"), kind) };
            for done in [bench.sign(&attempt), bench.plugin(&attempt)] {
                done.signs();
                assert!(!done.said.contains(&bench.pin()), "{}", done.said);
            }
        }
        // A model with NUL behind it, as p11tool prints it.
        let path = "model=SW%20%20%20TPM%00%00%00%00%00%00%00%00;token=tpm;object=ec";
        bench.sign(&Attempt { chain: Some(chain(machine, "ec")), ..bench.plain(path, KeyKind::P256) }).signs();
    });
}

#[test]
fn two_hundred_signatures_on_a_tpm() {
    let inside = |machine: &Machine| {
        make_token(machine);
        for (kind, label) in KINDS {
            two_hundred(&open(&machine.uri(label)).unwrap(), &format!("TPM in software, {}", kind.word()));
        }
    };
    with_tpm("tpm::two_hundred_signatures_on_a_tpm", inside, |_| {});
}
