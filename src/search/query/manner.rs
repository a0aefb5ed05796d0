//! How a question is put: in plain words, or with something in it that only a program has.

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    Plain,
    /// It has a path, a method of HTTP or an identifier.
    Technical,
}

impl Manner {
    pub fn of(text: &str) -> Self {
        let is_technical = text.contains('/') || text.split_whitespace().any(is_of_a_program);
        if is_technical { Self::Technical } else { Self::Plain }
    }
}

fn is_of_a_program(word: &str) -> bool {
    let mut letters = word.chars().zip(word.chars().skip(1));
    let is_camel = letters.any(|(one, next)| one.is_lowercase() && next.is_uppercase());
    METHODS.contains(&word) || word.contains('_') || is_camel
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_methods_and_identifiers_are_told_from_words() {
        for text in ["/api/search", "DELETE a session", "max_tokens", "what is maxTokens"] {
            assert_eq!(Manner::of(text), Manner::Technical, "{text}");
        }
        for text in ["", "license", "get a refund", "delete my account", "SSO", "VAT number", "two-step"] {
            assert_eq!(Manner::of(text), Manner::Plain, "{text}");
        }
    }
}
