//! From the entries for a certificate to whether it is revoked.
//!
//! Follows *signing-and-verification-workflow*, Certificate Revocation Evaluation, and RFC 5280, section 6.3.3. A
//! revocation stands for good, whatever else is listed; only a hold can be lifted. A delta knows more than its base.

use time::OffsetDateTime;

use super::entries::Entry;

const CERTIFICATE_HOLD: u8 = 6;
const REMOVE_FROM_CRL: u8 = 8;

/// The entry by which a certificate is revoked, given those for it in the base and in the delta.
///
/// An entry by which it became bad only after `authentic_signing_time` does not count. Of hold and removal the later one
/// does; of two at the same time the hold, unless the removal is the delta's.
pub(super) fn revoked_by(
    base: &[Entry],
    delta: &[Entry],
    authentic_signing_time: Option<OffsetDateTime>,
) -> Option<Entry> {
    let counts = |entry: &&Entry| match (authentic_signing_time, entry.invalid_from) {
        (Some(signed), Some(invalid_from)) => invalid_from <= signed,
        _ => true,
    };
    let lasting = |entry: &&Entry| !matches!(entry.reason, Some(CERTIFICATE_HOLD | REMOVE_FROM_CRL));
    if let Some(entry) = base.iter().chain(delta).filter(counts).find(lasting) {
        return Some(*entry);
    }
    let latest = |entries: &[Entry]| {
        let is_hold = |entry: &Entry| entry.reason == Some(CERTIFICATE_HOLD);
        entries.iter().filter(counts).max_by_key(|entry| (entry.revoked_at, is_hold(entry))).copied()
    };
    let held = |entry: &Entry| entry.reason == Some(CERTIFICATE_HOLD);
    match (latest(base), latest(delta)) {
        (_, Some(newer)) if held(&newer) => Some(newer),
        (Some(older), Some(newer)) => Some(older).filter(|older| held(older) && older.revoked_at > newer.revoked_at),
        (older, _) => older.filter(held),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const MAY: OffsetDateTime = datetime!(2026-05-01 0:00 UTC);
    const JUNE: OffsetDateTime = datetime!(2026-06-01 0:00 UTC);
    const HOLD: Option<u8> = Some(CERTIFICATE_HOLD);
    const REMOVE: Option<u8> = Some(REMOVE_FROM_CRL);

    fn entry((revoked_at, reason): (OffsetDateTime, Option<u8>)) -> Entry {
        Entry { revoked_at, reason, invalid_from: None }
    }

    type Listed = [(OffsetDateTime, Option<u8>)];

    #[test]
    fn f07_a_revocation_stands_and_of_hold_and_removal_the_later_decides() {
        let cases: &[(&Listed, &Listed, Option<OffsetDateTime>)] = &[
            (&[], &[], None),
            (&[(MAY, REMOVE)], &[], None),
            (&[(MAY, HOLD)], &[], Some(MAY)),
            (&[(MAY, HOLD), (JUNE, REMOVE)], &[], None),
            (&[(JUNE, REMOVE), (MAY, HOLD)], &[], None),
            (&[(MAY, REMOVE), (JUNE, HOLD)], &[], Some(JUNE)),
            (&[(MAY, HOLD), (MAY, REMOVE)], &[], Some(MAY)),
            (&[(MAY, None)], &[], Some(MAY)),
            (&[(MAY, Some(0))], &[], Some(MAY)),
            (&[(MAY, Some(1)), (JUNE, REMOVE)], &[], Some(MAY)),
            // The delta knows more than its base.
            (&[(MAY, HOLD)], &[(JUNE, REMOVE)], None),
            (&[(MAY, HOLD)], &[(MAY, REMOVE)], None),
            (&[(JUNE, HOLD)], &[(MAY, REMOVE)], Some(JUNE)),
            (&[(JUNE, REMOVE)], &[(MAY, HOLD)], Some(MAY)),
            (&[], &[(MAY, HOLD)], Some(MAY)),
            (&[], &[(MAY, REMOVE)], None),
            (&[], &[(MAY, Some(4))], Some(MAY)),
            (&[(MAY, Some(1))], &[(JUNE, REMOVE)], Some(MAY)),
            (&[(MAY, HOLD)], &[(JUNE, Some(1))], Some(JUNE)),
        ];
        for (base, delta, expected) in cases {
            let [listed, changed] = [base, delta].map(|all| all.iter().copied().map(entry).collect::<Vec<_>>());
            let found = revoked_by(&listed, &changed, None).map(|entry| entry.revoked_at);
            assert_eq!(found, *expected, "{base:?} {delta:?}");
        }
    }

    #[test]
    fn f08_an_entry_that_is_bad_only_after_the_signature_does_not_count() {
        let bad_from = |invalid_from| Entry { invalid_from, ..entry((JUNE, Some(1))) };
        for (invalid_from, signed, revoked) in [
            (Some(JUNE), Some(MAY), false),
            (Some(MAY), Some(MAY), true),
            (Some(MAY), Some(JUNE), true),
            (Some(JUNE), None, true),
            (None, Some(MAY), true),
        ] {
            let base = [bad_from(invalid_from)];
            assert_eq!(revoked_by(&base, &[], signed).is_some(), revoked, "{invalid_from:?} {signed:?}");
            assert_eq!(revoked_by(&[], &base, signed).is_some(), revoked, "{invalid_from:?} {signed:?}");
        }
        // Another entry for the same certificate still does.
        let both = [bad_from(Some(JUNE)), entry((MAY, Some(1)))];
        assert_eq!(revoked_by(&both, &[], Some(MAY)).map(|entry| entry.revoked_at), Some(MAY));
    }
}
