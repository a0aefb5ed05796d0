//! Where there is no browser: the server renders what these would change, and never calls them.

pub fn copy_text(_text: &str) {}

pub fn page_attribute(_name: &str) -> Option<String> {
    None
}
