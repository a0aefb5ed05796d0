//! The errors of a form in one place, each a link to its field. It takes the focus when the page comes back.

use leptos::prelude::*;

use super::Icon;

/// What is wrong, said as the thing to do, and the id of the field it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormError {
    pub field: String,
    pub message: String,
}

#[component]
pub fn ErrorSummary(
    errors: Vec<FormError>,
    /// Needed only where a page shows more than one.
    #[prop(default = "errors".to_owned(), into)]
    id: String,
    /// Leaves the focus where it is: for showing a summary, not for answering a form.
    #[prop(optional)]
    still: bool,
) -> impl IntoView {
    let title = title(errors.len());
    let title_id = format!("{id}-title");
    let links = errors
        .into_iter()
        .map(|error| view! { <li><a href=format!("#{}", error.field)>{error.message}</a></li> })
        .collect_view();

    view! {
        <div
            class="error-summary"
            id=id
            role="group"
            aria-labelledby=title_id
            tabindex=(!still).then_some("-1")
            autofocus=!still
        >
            <Icon name="bad"/>
            <h2 id=title_id.clone()>{title}</h2>
            <ul>{links}</ul>
        </div>
    }
}

fn title(count: usize) -> String {
    const WORDS: [&str; 9] = ["Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten"];

    match count {
        0 | 1 => "One thing needs another look".to_owned(),
        2..=10 => format!("{} things need another look", WORDS[count - 2]),
        _ => format!("{count} things need another look"),
    }
}

#[cfg(test)]
mod tests {
    use super::title;

    #[test]
    fn the_title_counts_in_words_up_to_ten() {
        assert_eq!(title(1), "One thing needs another look");
        assert_eq!(title(3), "Three things need another look");
        assert_eq!(title(10), "Ten things need another look");
        assert_eq!(title(11), "11 things need another look");
    }
}
