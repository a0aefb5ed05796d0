//! Where there is no browser: the server renders what these would change, and never calls them.

use devforge::contract::search::SearchResults;
use leptos::ev::Event;

pub fn copy_text(_text: &str) {}

pub fn page_attribute(_name: &str) -> Option<String> {
    None
}

pub fn has_focus(_id: &str) -> bool {
    false
}

pub fn typed_in(_id: &str) -> String {
    String::new()
}

pub fn type_in(_id: &str, _text: &str) {}

pub fn set_attribute(_id: &str, _name: &str, _value: &str) {}

pub fn show(_id: &str) {}

pub fn press(_id: &str) {}

pub fn open_in_new_tab(_address: &str) {}

pub fn remembered(_name: &str) -> Option<String> {
    None
}

pub fn remember(_name: &str, _text: &str) {}

pub async fn search(_address: &str) -> Option<SearchResults> {
    None
}

pub fn marked(_event: &Event, _attribute: &str) -> Option<String> {
    None
}

pub fn set_text(_id: &str, _text: &str) {}

pub fn set_html(_id: &str, _html: &str) {}
