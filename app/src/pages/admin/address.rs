//! Addresses of lists with their filters in them.

use std::fmt::Write;

/// `path` with every pair that says something.
pub fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut address = path.to_owned();
    let filled = pairs.iter().filter(|(_, value)| !value.is_empty());
    for (index, (name, value)) in filled.enumerate() {
        let mark = if index == 0 { '?' } else { '&' };
        let _ = write!(address, "{mark}{name}={}", encode(value));
    }
    address
}

fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::with_query;

    #[test]
    fn only_what_is_filled_stands_in_an_address() {
        assert_eq!(with_query("/admin/users", &[("q", ""), ("role", "")]), "/admin/users");
        assert_eq!(
            with_query("/admin/users", &[("q", "ada & co"), ("role", ""), ("page", "2")]),
            "/admin/users?q=ada%20%26%20co&page=2"
        );
    }

    #[test]
    fn what_was_typed_cannot_become_another_parameter() {
        assert_eq!(with_query("/a", &[("q", "x&page=9#ü%")]), "/a?q=x%26page%3D9%23%C3%BC%25");
    }
}
