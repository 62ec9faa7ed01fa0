//! Finding trusted identities of which one includes another, without comparing every pair.
//!
//! Follows *trust-store-trust-policy*, Trusted Identities Constraints: no two identities of a statement may overlap. One
//! includes another when each of its attributes has the same value in the other. So for every set of attribute types
//! that occurs (there are few), each name is cut down to these types and looked up among the names that have exactly
//! them: the work grows with names × sets, not with the square of the names.

use std::collections::HashMap;

use crate::limits;
use crate::pki::DistinguishedName;

/// The reason why overlaps were not looked for: too many sets of attribute types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooManySets(pub(super) usize);

/// An overlap: positions in the list, the one that includes first.
pub(super) type Overlap = (usize, usize);

/// The overlaps among `names`: for each name at most one, with a name that includes it (or equals it and stands before).
pub(super) fn overlaps(names: &[&DistinguishedName]) -> Result<Vec<Overlap>, TooManySets> {
    // The first name with exactly these types and values, by types.
    let mut shapes: HashMap<Vec<&str>, HashMap<Vec<&str>, usize>> = HashMap::new();
    let mut found = Vec::new();
    let mut equal = vec![false; names.len()];
    for (position, name) in names.iter().enumerate() {
        let types = name.attributes().keys().map(String::as_str).collect();
        let values = name.attributes().values().map(String::as_str).collect();
        let first = *shapes.entry(types).or_default().entry(values).or_insert(position);
        if first != position {
            found.push((first, position));
            equal[position] = true;
        }
    }
    if shapes.len() * names.len() > limits::IDENTITY_COMPARISONS {
        return Err(TooManySets(shapes.len()));
    }
    for (position, name) in names.iter().enumerate().filter(|(position, _)| !equal[*position]) {
        let including = shapes.iter().find_map(|(types, by_values)| {
            // An attribute that is not there has the empty value, as in DistinguishedName::is_subset_of.
            let value = |kind: &&str| name.attributes().get(*kind).map_or("", String::as_str);
            let cut: Vec<&str> = types.iter().map(value).collect();
            by_values.get(&cut).copied().filter(|other| *other != position)
        });
        found.extend(including.map(|other| (other, position)));
    }
    found.sort_unstable_by_key(|(_, position)| *position);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DistinguishedName {
        DistinguishedName::parse(text).unwrap()
    }

    #[test]
    fn agrees_with_comparing_every_pair() {
        let parts = ["CN=a", "CN=b", "OU=a", "L=x", "L=", "STREET=s", "2.5.4.42=g", "OU="];
        let names: Vec<_> = (0..1u32 << parts.len())
            .filter_map(|bits| {
                let chosen = parts.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1);
                let rest: String = chosen.map(|(_, part)| format!(", {part}")).collect();
                DistinguishedName::parse(&format!("C=US, ST=WA, O=o{}{rest}", bits % 3)).ok()
            })
            .collect();
        assert!(names.len() > 50);
        let names: Vec<_> = names.iter().collect();
        let found: Vec<_> = overlaps(&names).unwrap().into_iter().map(|(_, included)| included).collect();
        let by_pairs: Vec<_> = (0..names.len())
            .filter(|inner| (0..names.len()).any(|outer| outer != *inner && names[outer].is_subset_of(names[*inner])))
            .collect();
        assert_eq!(found, by_pairs);
    }

    #[test]
    fn equal_names_overlap_once() {
        let one = name("C=US, ST=WA, O=a");
        assert_eq!(overlaps(&[&one, &one, &one]).unwrap(), [(0, 1), (0, 2)]);
        assert_eq!(overlaps(&[&one]).unwrap(), []);
    }

    #[test]
    fn work_is_bounded() {
        let names: Vec<_> = (0..2500).map(|n| name(&format!("C=US, ST=WA, O=a, 1.2.{n}=x"))).collect();
        let names: Vec<_> = names.iter().collect();
        assert_eq!(overlaps(&names), Err(TooManySets(2500)));
    }
}
