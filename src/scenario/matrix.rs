//! `matrix`: the variants of a scenario, every combination of values that is not excluded.

use schemars::JsonSchema;
use serde::Deserialize;

use super::finding::{Findings, Rule};
use super::spanned::Spanned;
use super::words::{Algorithm, Format};
use super::world::{FlavourWord, Keystore, RegistryWord};
use crate::limits;

/// The variants of a scenario: each axis lists values, and every combination is a case.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawMatrix {
    /// Of signing keys that state no algorithm.
    #[serde(default)]
    pub(super) algorithm: Vec<Algorithm>,
    /// Of signatures that state no format.
    #[serde(default)]
    pub(super) format: Vec<Format>,
    /// Of embedded registries that state no flavour.
    #[serde(default)]
    pub(super) flavour: Vec<FlavourWord>,
    /// Of registries that state no kind: `embedded` or `oras`.
    #[serde(default)]
    pub(super) registry: Vec<RegistryWord>,
    /// Of signing keys that state no keystore.
    #[serde(default)]
    pub(super) keystore: Vec<Keystore>,
    /// Combinations that are left out: each excludes all that have its values.
    #[serde(default)]
    pub(super) exclude: Vec<Spanned<Variant>>,
}

/// One value of some axes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Variant {
    pub(super) algorithm: Option<Algorithm>,
    pub(super) format: Option<Format>,
    pub(super) flavour: Option<FlavourWord>,
    pub(super) registry: Option<RegistryWord>,
    pub(super) keystore: Option<Keystore>,
}

/// The variants of a scenario, at least one unless something is wrong.
pub(super) fn variants(matrix: Option<&Spanned<RawMatrix>>, findings: &mut Findings<'_, '_>) -> Vec<Variant> {
    let Some(Spanned { value: matrix, range, .. }) = matrix else { return vec![Variant::default()] };
    let axes = [
        matrix.algorithm.len(),
        matrix.format.len(),
        matrix.flavour.len(),
        matrix.registry.len(),
        matrix.keystore.len(),
    ];
    let all = axes.iter().map(|values| (*values).max(1)).try_fold(1_usize, usize::checked_mul);
    if all.is_none_or(|all| all > limits::SCENARIO_CASES) {
        let message = format!("the matrix has more than {} combinations", limits::SCENARIO_CASES);
        findings.error(Rule::Matrix, range, message, "divide the scenario");
        return Vec::new();
    }
    if axes.iter().all(|values| *values == 0) {
        findings.error(
            Rule::Matrix,
            range,
            "the matrix has no values".to_owned(),
            "add an axis with values, or remove it",
        );
    }
    if has_doubles(matrix) {
        findings.error(Rule::Matrix, range, "a value stands twice on its axis".to_owned(), "once is enough");
    }
    if matrix.registry.iter().any(|kind| matches!(kind, RegistryWord::Container | RegistryWord::External)) {
        let message = "container and external need an image or an address, which a matrix cannot give".to_owned();
        findings.error(Rule::Matrix, range, message, "state them under registries, or run with --registry");
    }

    let mut variants = vec![Variant::default()];
    variants = spread(variants, &matrix.algorithm, |variant, value| variant.algorithm = Some(value));
    variants = spread(variants, &matrix.format, |variant, value| variant.format = Some(value));
    variants = spread(variants, &matrix.flavour, |variant, value| variant.flavour = Some(value));
    variants = spread(variants, &matrix.registry, |variant, value| variant.registry = Some(value));
    variants = spread(variants, &matrix.keystore, |variant, value| variant.keystore = Some(value));
    for exclusion in &matrix.exclude {
        let before = variants.len();
        variants.retain(|variant| !excludes(&exclusion.value, variant));
        if variants.len() == before {
            let message = "this excludes nothing".to_owned();
            findings.error(Rule::Matrix, &exclusion.range, message, "remove it, or name values of the matrix");
        }
    }
    if variants.is_empty() {
        findings.error(Rule::Matrix, range, "every combination is excluded".to_owned(), "leave at least one");
    }
    variants
}

fn spread<T: Copy>(variants: Vec<Variant>, values: &[T], set: fn(&mut Variant, T)) -> Vec<Variant> {
    if values.is_empty() {
        return variants;
    }
    let with = |variant: Variant, value: T| {
        let mut variant = variant;
        set(&mut variant, value);
        variant
    };
    variants.into_iter().flat_map(|variant| values.iter().map(move |value| with(variant, *value))).collect()
}

fn has_doubles(matrix: &RawMatrix) -> bool {
    fn doubled<T: Ord + Copy>(values: &[T]) -> bool {
        values.iter().collect::<std::collections::BTreeSet<_>>().len() != values.len()
    }
    doubled(&matrix.algorithm)
        || doubled(&matrix.format)
        || doubled(&matrix.flavour)
        || doubled(&matrix.registry)
        || doubled(&matrix.keystore)
}

/// Whether `variant` has every value of `exclusion`. One without values excludes nothing.
fn excludes(exclusion: &Variant, variant: &Variant) -> bool {
    fn holds<T: PartialEq>(wanted: Option<T>, value: Option<T>) -> bool {
        wanted.is_none() || wanted == value
    }
    *exclusion != Variant::default()
        && holds(exclusion.algorithm, variant.algorithm)
        && holds(exclusion.format, variant.format)
        && holds(exclusion.flavour, variant.flavour)
        && holds(exclusion.registry, variant.registry)
        && holds(exclusion.keystore, variant.keystore)
}

/// What the matrix chose: `[ec-p256, jws]`, or nothing.
pub(super) fn label(variant: Variant) -> String {
    let words = [
        variant.algorithm.map(|word| word.as_str()),
        variant.format.map(|word| word.as_str()),
        variant.flavour.map(|word| word.as_str()),
        variant.registry.map(|word| word.as_str()),
        variant.keystore.map(|word| word.as_str()),
    ];
    let words: Vec<&str> = words.into_iter().flatten().collect();
    if words.is_empty() { String::new() } else { format!("[{}]", words.join(",")) }
}
