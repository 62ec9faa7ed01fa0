//! Closed vocabularies: every way in which something can be forged wrongly has a word, in kebab case, for scenario files.

/// A vocabulary.
pub trait Word: Copy + 'static {
    /// Every word of it.
    const WORDS: &'static [Self];

    /// What the vocabulary is called, in the singular.
    const NAME: &'static str;

    /// The word.
    fn word(self) -> &'static str;

    /// The member that `word` stands for.
    fn of(word: &str) -> Option<Self> {
        Self::WORDS.iter().copied().find(|known| known.word() == word)
    }
}

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

        impl $crate::forge::Word for $name {
            const WORDS: &'static [$name] = $name::ALL;
            const NAME: &'static str = stringify!($name);

            fn word(self) -> &'static str {
                self.as_str()
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::forge::UnknownWord;

            fn from_str(word: &str) -> Result<$name, $crate::forge::UnknownWord> {
                <$name as $crate::forge::Word>::of(word).ok_or_else(|| $crate::forge::UnknownWord::new(word))
            }
        }
    };
}

pub(crate) use words;

/// A word that is not in its vocabulary; quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not one of the words that may stand here")]
pub struct UnknownWord(String);

impl UnknownWord {
    pub(crate) fn new(word: &str) -> UnknownWord {
        UnknownWord(crate::failure::quote(word))
    }
}
