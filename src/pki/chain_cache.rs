//! Remembers the chains that were checked already.
//!
//! A registry holds many signatures of few signers. A chain depends on its bytes alone, so it is parsed and checked once
//! and shared by every thread. The key is all of these bytes, compared in full: no two chains can be taken for each
//! other, whatever their hashes are. Failures are remembered like successes.

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

/// A memo from the bytes of chains to what the check of each found.
///
/// It holds at most [`limits::CHAINS_REMEMBERED`] chains, and none that is too long to be honest. When the part into
/// which a new chain falls is full, that part is emptied first: its chains are checked once more when they come again.
#[derive(Debug)]
pub struct ChainCache {
    hashing: RandomState,
    shards: [RwLock<Shard>; SHARDS],
}

/// What is remembered, by the hash of the bytes.
type Shard = HashMap<u64, Entry>;

#[derive(Debug)]
struct Entry {
    ders: Box<[Box<[u8]>]>,
    chain: Result<Arc<Chain>, Failure>,
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
        if let Some(entry) = shard.read().unwrap_or_else(PoisonError::into_inner).get(&hash)
            && entry.is_for(ders)
        {
            return entry.chain.clone();
        }
        // Checked without the lock: two threads may do the same work once, but none waits for it.
        let chain = Chain::parse_code_signing(ders).map(Arc::new);
        let ders = ders.iter().map(|der| der.as_ref().into()).collect();
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= CHAINS_PER_SHARD {
            shard.clear();
        }
        shard.insert(hash, Entry { ders, chain: chain.clone() });
        chain
    }

    fn hash(&self, ders: &[impl AsRef<[u8]>]) -> u64 {
        let mut hasher = self.hashing.build_hasher();
        for der in ders {
            hasher.write_usize(der.as_ref().len());
            hasher.write(der.as_ref());
        }
        hasher.finish()
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().unwrap().len()).sum()
    }
}

impl Default for ChainCache {
    fn default() -> ChainCache {
        ChainCache::new()
    }
}

impl Entry {
    fn is_for(&self, ders: &[impl AsRef<[u8]>]) -> bool {
        self.ders.len() == ders.len() && self.ders.iter().zip(ders).all(|(ours, theirs)| **ours == *theirs.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Code;
    use crate::forge::{Authority, Key, KeyKind, LeafRequest};

    fn chain() -> Vec<Vec<u8>> {
        let key = |slot| Key::pooled(KeyKind::P256, slot).unwrap();
        let root = Authority::root("C=US, ST=WA, O=a, CN=root", key(0)).unwrap();
        root.issue(LeafRequest::new("C=US, ST=WA, O=a, CN=leaf", key(1)).unwrap()).unwrap().chain
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
        assert_eq!(cache.len(), 1);
    }

    #[test]
    fn failures_are_remembered_under_their_own_bytes() {
        let cache = ChainCache::new();
        let ders = chain();
        assert!(cache.chain(&ders).is_ok());
        let code = |ders: &[Vec<u8>]| cache.chain(ders).unwrap_err().code;
        let mut bad = ders.clone();
        *bad[0].last_mut().unwrap() ^= 1;
        assert_eq!(code(&bad), Code::ChainInvalid);
        assert_eq!((code(&bad), cache.len()), (Code::ChainInvalid, 2));
        // The same bytes cut elsewhere are other certificates.
        let mut shifted = ders.clone();
        let byte = shifted[1].remove(0);
        shifted[0].push(byte);
        assert_eq!(code(&shifted), Code::CertificateMalformed);
        assert_eq!(code(&[ders.concat()]), Code::CertificateMalformed);
        assert_eq!(code(&[]), Code::ChainMalformed);
        assert!(cache.chain(&ders).is_ok());
    }

    #[test]
    fn an_entry_under_the_same_hash_is_not_taken_for_another() {
        let cache = ChainCache::new();
        let ders = chain();
        let hash = cache.hash(&ders);
        let stranger = Err(Failure::new(Code::ChainInvalid, "another"));
        let entry = Entry { ders: Box::new([b"another".as_slice().into()]), chain: stranger };
        cache.shards[hash as usize % SHARDS].write().unwrap().insert(hash, entry);
        assert!(cache.chain(&ders).is_ok());
    }

    #[test]
    fn it_does_not_grow_without_bound() {
        let cache = ChainCache::new();
        for number in 0..3 * SHARDS * CHAINS_PER_SHARD {
            assert!(cache.chain(&[number.to_be_bytes()]).is_err());
        }
        assert!(cache.len() <= SHARDS * CHAINS_PER_SHARD);
        let len = cache.len();
        assert!(cache.chain(&[vec![0; limits::CHAIN_REMEMBERED_BYTES + 1]]).is_err());
        assert!(cache.chain(&[[]; limits::CHAIN_CERTIFICATES + 1]).is_err());
        assert_eq!(cache.len(), len);
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
        assert_eq!(cache.len(), 1);
    }
}
