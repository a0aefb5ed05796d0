//! In the browser.

/// Puts `text` on the clipboard. Where that is not allowed nothing happens: the text stands on the page anyway.
pub fn copy_text(text: &str) {
    if let Some(window) = web_sys::window() {
        // The promise is left alone: there is nothing to do when it fails.
        let _ = window.navigator().clipboard().write_text(text);
    }
}

/// An attribute of the page's root element.
pub fn page_attribute(name: &str) -> Option<String> {
    web_sys::window()?.document()?.document_element()?.get_attribute(name)
}
