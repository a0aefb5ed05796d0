//! Our own JavaScript, with what only its readers need taken out.

/// Drops indentation, empty lines and lines that are nothing but a comment. Lines stay lines, so nothing depends on
/// where JavaScript puts a semicolon; what stands inside a template literal stays as it is.
pub fn shorten(script: &str) -> String {
    let mut short = String::with_capacity(script.len());
    let (mut comment, mut template) = (false, false);
    for line in script.lines() {
        if template {
            short.push_str(line);
        } else {
            let code = line.trim();
            if comment || code.starts_with("/*") {
                // What stands behind a comment's end is code.
                match code.split_once("*/") {
                    Some((_, rest)) if rest.trim().is_empty() => comment = false,
                    Some((_, rest)) => {
                        comment = false;
                        short.push_str(rest.trim());
                        short.push('\n');
                    }
                    None => comment = true,
                }
                continue;
            }
            if code.is_empty() || code.starts_with("//") {
                continue;
            }
            short.push_str(code);
        }
        short.push('\n');
        template ^= line.matches('`').count() % 2 == 1;
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_indentation_go() {
        let script =
            "// Why.\n\nconst a = 1\n/**\n * More.\n */\nif (a) {\n    go() // kept\n}\n/* b */ c()\n";
        assert_eq!(shorten(script), "const a = 1\nif (a) {\ngo() // kept\n}\nc()\n");
    }

    #[test]
    fn templates_stay() {
        let script = "const a = `\n  // not a comment\n\n  /* nor this */`\n  b()\n";
        assert_eq!(shorten(script), "const a = `\n  // not a comment\n\n  /* nor this */`\nb()\n");
    }

    #[test]
    fn addresses_are_no_comments() {
        assert_eq!(shorten("  const a = 'https://x'\n"), "const a = 'https://x'\n");
    }
}
