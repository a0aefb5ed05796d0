//! A labelled field. The label stands above, an error directly under the input, the hint after it;
//! both are tied to the input, and what was typed is kept.

use leptos::prelude::*;

use super::Icon;

#[component]
pub fn Field(
    /// The name the form sends; also the input's id unless `id` is given.
    #[prop(into)]
    name: String,
    #[prop(into)] label: String,
    #[prop(optional, into)] id: Option<String>,
    /// `text` when absent; `password` gets a Show button; `textarea` becomes one.
    #[prop(optional, into)]
    kind: Option<String>,
    #[prop(optional, into)] value: String,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional_no_strip, into)] error: Option<String>,
    #[prop(optional, into)] autocomplete: Option<String>,
    #[prop(optional, into)] inputmode: Option<String>,
    #[prop(optional)] maxlength: Option<u32>,
    /// Optional fields say so; required ones say nothing.
    #[prop(optional)]
    optional: bool,
    #[prop(optional)] autofocus: bool,
    #[prop(optional)] disabled: bool,
) -> impl IntoView {
    let id = id.unwrap_or_else(|| name.clone());
    let kind = kind.unwrap_or_else(|| "text".to_owned());
    let hint_id = hint.as_ref().map(|_| format!("{id}-hint"));
    let error_id = error.as_ref().map(|_| format!("{id}-error"));
    let described_by = described_by(error_id.as_deref(), hint_id.as_deref());
    let invalid = error.is_some().then_some("true");
    // Names, addresses and secrets are not prose: no corrections, no capital at the start.
    let plain = matches!(kind.as_str(), "password" | "email" | "url");

    let input = if kind == "textarea" {
        // A text area's content is not escaped by the view, so it is escaped here.
        let content = escape_text(&value);
        view! {
            <textarea
                class="textarea"
                id=id.clone()
                name=name
                rows="4"
                maxlength=maxlength
                required=!optional
                disabled=disabled
                autocomplete=autocomplete
                aria-invalid=invalid
                aria-describedby=described_by
                inner_html=content
            ></textarea>
        }
        .into_any()
    } else {
        view! {
            <input
                class="input"
                id=id.clone()
                name=name
                type=kind.clone()
                value=value
                maxlength=maxlength
                required=!optional
                disabled=disabled
                autofocus=autofocus
                autocomplete=autocomplete
                inputmode=inputmode
                autocapitalize=plain.then_some("none")
                spellcheck=plain.then_some("false")
                aria-invalid=invalid
                aria-describedby=described_by
            />
        }
        .into_any()
    };

    let control = if kind == "password" {
        view! {
            <span class="input-affix">
                {input}
                <button class="button ghost small" type="button" data-reveal=id.clone() hidden=true>
                    <Icon name="eye" size=16/>
                    <span>"Show"</span>
                    <span class="visually-hidden">"password"</span>
                </button>
            </span>
        }
        .into_any()
    } else {
        input
    };

    view! {
        <div class="field">
            <label for=id>{label}{optional.then(|| view! { <span class="optional">" optional"</span> })}</label>
            {control}
            {error.map(|error| view! {
                <p class="field-error" id=error_id><Icon name="bad" size=16/><span>{error}</span></p>
            })}
            {hint.map(|hint| view! { <p class="hint" id=hint_id>{hint}</p> })}
        </div>
    }
}

/// The error is read before the hint, as it stands before it.
fn described_by(error: Option<&str>, hint: Option<&str>) -> Option<String> {
    match (error, hint) {
        (Some(error), Some(hint)) => Some(format!("{error} {hint}")),
        (Some(id), None) | (None, Some(id)) => Some(id.to_owned()),
        (None, None) => None,
    }
}

fn escape_text(text: &str) -> String {
    // A line break right after the tag is dropped by the parser, so one is put in front for it to drop.
    format!("\n{}", text.replace('&', "&amp;").replace('<', "&lt;"))
}

#[cfg(test)]
mod tests {
    use super::{described_by, escape_text};

    #[test]
    fn the_error_is_described_before_the_hint() {
        assert_eq!(described_by(Some("a-error"), Some("a-hint")).as_deref(), Some("a-error a-hint"));
        assert_eq!(described_by(None, Some("a-hint")).as_deref(), Some("a-hint"));
        assert_eq!(described_by(None, None), None);
    }

    #[test]
    fn a_text_area_cannot_be_closed_by_what_is_typed_into_it() {
        assert_eq!(escape_text("a & </textarea>"), "\na &amp; &lt;/textarea>");
    }
}
