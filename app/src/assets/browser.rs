//! Islands draw icons only: the sprite's address stands on the page.

/// The address of the icon sprite, whatever is asked for: islands use no other file.
pub fn url(_name: &str) -> String {
    crate::browser::page_attribute("data-icons").unwrap_or_default()
}
