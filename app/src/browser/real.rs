//! In the browser.

use devforge::contract::search::{SearchHit, SearchKind, SearchResults};
use js_sys::{Array, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element, Event, HtmlElement, HtmlInputElement, Response, Storage};

/// Puts `text` on the clipboard. Where that is not allowed nothing happens: the text stands on the page anyway.
pub fn copy_text(text: &str) {
    if let Some(window) = web_sys::window() {
        // The promise is left alone: there is nothing to do when it fails.
        let _ = window.navigator().clipboard().write_text(text);
    }
}

/// An attribute of the page's root element.
pub fn page_attribute(name: &str) -> Option<String> {
    document()?.document_element()?.get_attribute(name)
}

/// Whether the element with this id is where keys go.
pub fn has_focus(id: &str) -> bool {
    document().and_then(|document| document.active_element()).is_some_and(|element| element.id() == id)
}

pub fn typed_in(id: &str) -> String {
    field(id).map(|field| field.value()).unwrap_or_default()
}

/// Puts `text` into a field, as if it had been typed there.
pub fn type_in(id: &str, text: &str) {
    if let Some(field) = field(id) {
        field.set_value(text);
        let _ = field.focus();
    }
}

pub fn set_attribute(id: &str, name: &str, value: &str) {
    if let Some(element) = element(id) {
        let _ = element.set_attribute(name, value);
    }
}

pub fn set_text(id: &str, text: &str) {
    if let Some(element) = element(id) {
        element.set_text_content(Some(text));
    }
}

/// Puts HTML of our own making into an element.
pub fn set_html(id: &str, html: &str) {
    if let Some(element) = element(id) {
        element.set_inner_html(html);
    }
}

/// Scrolls no further than it takes to see the element.
pub fn show(id: &str) {
    if let Some(element) = element(id) {
        let nearest = web_sys::ScrollIntoViewOptions::new();
        nearest.set_block(web_sys::ScrollLogicalPosition::Nearest);
        element.scroll_into_view_with_scroll_into_view_options(&nearest);
    }
}

/// What a click on the element does.
pub fn press(id: &str) {
    if let Some(element) = element(id) {
        element.unchecked_into::<HtmlElement>().click();
    }
}

pub fn open_in_new_tab(address: &str) {
    if let Some(window) = web_sys::window() {
        let _ = window.open_with_url_and_target(address, "_blank");
    }
}

/// What was kept in this browser under `name`.
pub fn remembered(name: &str) -> Option<String> {
    storage()?.get_item(name).ok()?
}

/// Keeps `text` in this browser. Where that is not allowed it is forgotten with the page.
pub fn remember(name: &str, text: &str) {
    if let Some(storage) = storage() {
        let _ = if text.is_empty() { storage.remove_item(name) } else { storage.set_item(name, text) };
    }
}

/// What the search at an address of ours answers, unless it cannot be had. Read field by field: a reader made for the
/// whole type would be a tenth of the program.
pub async fn search(address: &str) -> Option<SearchResults> {
    let answer = web_sys::window()?.fetch_with_str(address).await.ok()?.unchecked_into::<Response>();
    if !answer.ok() {
        return None;
    }
    let results = answer.json().ok()?.await.ok()?;
    let items = Array::from(&part(&results, "items"));
    Some(SearchResults {
        items: items.iter().map(|item| hit(&item)).collect(),
        total: part(&results, "total").as_f64()? as u64,
        facets: Vec::new(),
        corrected: part(&results, "corrected").as_string(),
    })
}

fn hit(item: &JsValue) -> SearchHit {
    SearchHit {
        title: String::new(),
        url: text(item, "url"),
        kind: SearchKind::parse(&text(item, "kind")).unwrap_or(SearchKind::Page),
        trail: Array::from(&part(item, "trail")).iter().filter_map(|part| part.as_string()).collect(),
        title_html: text(item, "titleHtml"),
        excerpt_html: text(item, "excerptHtml"),
    }
}

fn part(of: &JsValue, name: &str) -> JsValue {
    Reflect::get(of, &name.into()).unwrap_or_default()
}

fn text(of: &JsValue, name: &str) -> String {
    part(of, name).as_string().unwrap_or_default()
}

/// What the nearest element that has this attribute, from where the event happened upwards, says in it.
pub fn marked(event: &Event, attribute: &str) -> Option<String> {
    let target: Element = event.target()?.dyn_into().ok()?;
    target.closest(&["[", attribute, "]"].concat()).ok()??.get_attribute(attribute)
}

fn document() -> Option<Document> {
    web_sys::window()?.document()
}

fn element(id: &str) -> Option<Element> {
    document()?.get_element_by_id(id)
}

fn field(id: &str) -> Option<HtmlInputElement> {
    element(id)?.dyn_into().ok()
}

fn storage() -> Option<Storage> {
    web_sys::window()?.local_storage().ok()?
}
