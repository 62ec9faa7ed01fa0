//! Remembers the chains that were checked already.
//!
//! A registry holds many signatures of few signers. A chain depends on its bytes alone, so it is parsed and checked once
//! and shared by every thread. The key is all of these bytes, compared in full: no two chains can be taken for each
//! other, whatever their hashes are. Only chains that fulfil the rules are remembered, within a bound in bytes: what strangers
//! send takes no room for long.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, PoisonError, RwLock};

use crate::failure::Failure;
use crate::limits;

use super::chain::Chain;

/// Parts with a lock each, so that threads seldom wait for each other. A power of two.
const SHARDS: usize = 16;
/// How many chains a part remembers.
const CHAINS_PER_SHARD: usize = limits::CHAINS_REMEMBERED / SHARDS;
/// How much memory the chains of a part may take.
const BYTES_PER_SHARD: usize = limits::CHAINS_REMEMBERED_BYTES / SHARDS;

/// A memo from the bytes of chains to what the check of each found.
///
/// It holds at most [`limits::CHAINS_REMEMBERED`] chains and [`limits::CHAINS_REMEMBERED_BYTES`] bytes, and no chain that is
/// too long to be honest. When there is no room for a new chain in the part into which it falls, that part is emptied first:
/// its chains are checked once more when they come again.
#[derive(Debug)]
pub struct ChainCache {
    hashing: RandomState,
    shards: [RwLock<Shard>; SHARDS],
}

/// What is remembered, by the hash of the bytes.
#[derive(Debug, Default)]
struct Shard {
    chains: HashMap<u64, Arc<Chain>>,
    /// How much memory they take.
    bytes: usize,
}

impl ChainCache {
    /// An empty memo.
    pub fn new() -> ChainCache {
        ChainCache { hashing: RandomState::new(), shards: Default::default() }
    }

    /// The chain made of these certificates, each in DER, leaf first.
    ///
    /// # Errors
    ///
    /// As [`Chain::parse_code_signing`].
    pub fn chain(&self, ders: &[impl AsRef<[u8]>]) -> Result<Arc<Chain>, Failure> {
        let bytes: usize = ders.iter().map(|der| der.as_ref().len()).sum();
        if bytes > limits::CHAIN_REMEMBERED_BYTES || ders.len() > limits::CHAIN_CERTIFICATES {
            return Chain::parse_code_signing(ders).map(Arc::new);
        }
        let hash = self.hash(ders);
        let shard = &self.shards[hash as usize % SHARDS];
        if let Some(chain) = shard.read().unwrap_or_else(PoisonError::into_inner).chains.get(&hash)
            && is_of(chain, ders)
        {
            return Ok(Arc::clone(chain));
        }
        // Checked without the lock: two threads may do the same work once, but none waits for it.
        let chain = Chain::parse_code_signing(ders).map(Arc::new)?;
        shard.write().unwrap_or_else(PoisonError::into_inner).insert(hash, &chain);
        Ok(chain)
    }

    fn hash(&self, ders: &[impl AsRef<[u8]>]) -> u64 {
        let mut hasher = self.hashing.build_hasher();
        for der in ders {
            hasher.write_usize(der.as_ref().len());
            hasher.write(der.as_ref());
        }
        hasher.finish()
    }

    /// How many chains are remembered, and how much memory they take.
    #[cfg(test)]
    fn held(&self) -> (usize, usize) {
        let held = self.shards.iter().map(|shard| shard.read().unwrap());
        held.fold((0, 0), |(chains, bytes), shard| (chains + shard.chains.len(), bytes + shard.bytes))
    }
}

impl Default for ChainCache {
    fn default() -> ChainCache {
        ChainCache::new()
    }
}

impl Shard {
    fn insert(&mut self, hash: u64, chain: &Arc<Chain>) {
        let bytes = footprint(chain);
        if self.chains.len() >= CHAINS_PER_SHARD || self.bytes + bytes > BYTES_PER_SHARD {
            *self = Shard::default();
        }
        self.bytes += bytes;
        if let Some(replaced) = self.chains.insert(hash, Arc::clone(chain)) {
            self.bytes -= footprint(&replaced);
        }
    }
}

/// How much memory a chain takes at most: what is kept of a certificate beside its bytes is a few times as long as these (a
/// purpose of three bytes becomes a string), and its names and its key have a bound of their own.
fn footprint(chain: &Chain) -> usize {
    chain.certificates().iter().map(|certificate| 8 * certificate.der().len() + (4 << 10)).sum()
}

/// Whether `chain` is made of these very bytes.
fn is_of(chain: &Chain, ders: &[impl AsRef<[u8]>]) -> bool {
    let ours = chain.certificates();
    ours.len() == ders.len() && ours.iter().zip(ders).all(|(ours, theirs)| ours.der() == theirs.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Code;
    use crate::forge::{Authority, Key, KeyKind, LeafRequest, Signer};

    fn key(slot: usize) -> Key {
        Key::pooled(KeyKind::P256, slot).unwrap()
    }

    fn root() -> Authority {
        Authority::root("C=US, ST=WA, O=a, CN=root", key(0)).unwrap()
    }

    fn request() -> LeafRequest {
        LeafRequest::new("C=US, ST=WA, O=a, CN=leaf", key(1)).unwrap()
    }

    fn chain() -> Vec<Vec<u8>> {
        root().issue(request()).unwrap().chain
    }

    #[test]
    fn the_same_bytes_give_the_same_chain() {
        let cache = ChainCache::new();
        let ders = chain();
        let first = cache.chain(&ders).unwrap();
        assert_eq!(first.certificates().len(), 2);
        assert!(Arc::ptr_eq(&first, &cache.chain(&ders).unwrap()));
        let borrowed: Vec<&[u8]> = ders.iter().map(Vec::as_slice).collect();
        assert!(Arc::ptr_eq(&first, &cache.chain(&borrowed).unwrap()));
        assert_eq!(cache.held(), (1, footprint(&first)));
    }

    /// What no rule lets pass is not worth remembering, and is judged by its own bytes every time.
    #[test]
    fn failures_are_not_remembered() {
        let cache = ChainCache::new();
        let ders = chain();
        assert!(cache.chain(&ders).is_ok());
        let code = |ders: &[Vec<u8>]| cache.chain(ders).unwrap_err().code;
        let mut bad = ders.clone();
        *bad[0].last_mut().unwrap() ^= 1;
        assert_eq!((code(&bad), code(&bad)), (Code::ChainInvalid, Code::ChainInvalid));
        // The same bytes cut elsewhere are other certificates.
        let mut shifted = ders.clone();
        let byte = shifted[1].remove(0);
        shifted[0].push(byte);
        assert_eq!(code(&shifted), Code::CertificateMalformed);
        assert_eq!(code(&[ders.concat()]), Code::CertificateMalformed);
        assert_eq!(code(&[]), Code::ChainMalformed);
        assert_eq!(cache.held().0, 1);
        assert!(cache.chain(&ders).is_ok());
    }

    /// A chain is what all of its certificates make it: under another root the same leaf is another signer.
    #[test]
    fn chains_with_the_same_leaf_are_kept_apart() {
        let cache = ChainCache::new();
        let again = Authority::root_with("C=US, ST=WA, O=a, CN=root", key(0), |draft| draft.set_serial(&[7])).unwrap();
        let ders = chain();
        let other = vec![ders[0].clone(), again.certificate().to_vec()];
        assert_ne!(ders[1], other[1]);
        for _ in 0..2 {
            for ders in [&ders, &other] {
                let found = cache.chain(ders).unwrap();
                assert_eq!(found.certificates()[1].der(), ders[1]);
            }
        }
        // Nor does the leaf alone, or with a stranger above it, pass because it did once.
        let stranger = Authority::root("C=US, ST=WA, O=a, CN=root", key(2)).unwrap();
        assert!(cache.chain(&ders[..1]).is_err());
        assert!(cache.chain(&[ders[0].clone(), stranger.certificate().to_vec()]).is_err());
        assert_eq!(cache.held().0, 2);
    }

    #[test]
    fn an_entry_under_the_same_hash_is_not_taken_for_another() {
        let cache = ChainCache::new();
        let ders = chain();
        let stranger = Arc::new(Chain::parse_code_signing(&Signer::self_signed(request()).unwrap().chain).unwrap());
        let hash = cache.hash(&ders);
        let shard = &cache.shards[hash as usize % SHARDS];
        shard.write().unwrap().insert(hash, &stranger);
        assert_eq!(cache.chain(&ders).unwrap().certificates().len(), 2);
        // It has taken the place of the other, and the account says so.
        let kept = Arc::clone(&shard.read().unwrap().chains[&hash]);
        assert_eq!(cache.held(), (1, footprint(&kept)));
    }

    #[test]
    fn it_does_not_grow_without_bound() {
        let chain = Arc::new(Chain::parse_code_signing(&chain()).unwrap());
        let mut shard = Shard::default();
        for hash in 0..3 * CHAINS_PER_SHARD as u64 {
            shard.insert(hash, &chain);
            assert!(shard.chains.len() <= CHAINS_PER_SHARD && shard.bytes <= BYTES_PER_SHARD);
            assert_eq!(shard.bytes, shard.chains.len() * footprint(&chain));
        }
        // Long chains: the bytes come to their bound before the number does.
        let long = long();
        for hash in 0..CHAINS_PER_SHARD as u64 {
            shard.insert(hash, &long);
            assert!(shard.bytes <= BYTES_PER_SHARD);
        }
        assert!(shard.chains.len() < CHAINS_PER_SHARD / 2);
    }

    /// A chain that says more of itself than is remembered.
    fn long() -> Arc<Chain> {
        let change = |draft: &mut crate::forge::CertificateDraft| {
            draft.add(crate::forge::extension("1.2.3.4", false, &vec![0; limits::CHAIN_REMEMBERED_BYTES])?);
            Ok(())
        };
        let ders = Signer::self_signed_with(request(), change).unwrap().chain;
        let cache = ChainCache::new();
        let chain = cache.chain(&ders).unwrap();
        assert_eq!(cache.held().0, 0);
        chain
    }

    #[test]
    fn threads_share_it() {
        let cache = ChainCache::new();
        let ders = chain();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        assert!(cache.chain(&ders).is_ok());
                    }
                });
            }
        });
        assert_eq!(cache.held().0, 1);
    }
}
