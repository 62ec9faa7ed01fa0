//! Closed vocabularies: every way in which something can be forged wrongly has a word, in kebab case, for scenario files.

/// An enum whose variants have words. Each has `ALL`, `as_str`, and is read by serde and by `FromStr`.
macro_rules! words {
    ($(#[$doc:meta])* $vis:vis $name:ident { $($(#[$note:meta])+ $variant:ident $text:literal)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Deserialize, serde::Serialize)]
        #[derive(schemars::JsonSchema)]
        $vis enum $name { $($(#[$note])+ #[serde(rename = $text)] $variant,)+ }

        impl $name {
            /// Every one.
            $vis const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word.
            $vis fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::forge::UnknownWord;

            fn from_str(word: &str) -> Result<$name, $crate::forge::UnknownWord> {
                let known = $name::ALL.iter().find(|known| known.as_str() == word);
                known.copied().ok_or_else(|| $crate::forge::UnknownWord($crate::failure::quote(word)))
            }
        }
    };
}

pub(super) use words;

/// The word is none of the vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is none of the words that may stand here")]
pub struct UnknownWord(pub String);
