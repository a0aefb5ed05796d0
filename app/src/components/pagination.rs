//! Where one is in a list, and the way to the pages before and after. Addresses keep the filters they come with.

use leptos::prelude::*;

use super::Icon;

#[component]
pub fn Pagination(
    /// The first and last entry on this page, counted from one.
    first: u64,
    last: u64,
    /// How many there are in all, when that is known.
    #[prop(optional_no_strip)]
    total: Option<u64>,
    #[prop(optional_no_strip, into)] previous: Option<String>,
    #[prop(optional_no_strip, into)] next: Option<String>,
    /// Needed only where a page shows more than one.
    #[prop(default = "Pages".to_owned(), into)]
    label: String,
) -> impl IntoView {
    view! {
        <nav class="pagination" aria-label=label>
            <p>{summary(first, last, total)}</p>
            <div class="button-row">
                {step(previous, "Previous page", "left", "prev")}
                {step(next, "Next page", "right", "next")}
            </div>
        </nav>
    }
}

fn summary(first: u64, last: u64, total: Option<u64>) -> String {
    match (last, total) {
        (0, _) => "0 of 0".to_owned(),
        (_, Some(total)) => format!("{first}–{last} of {total}"),
        (_, None) => format!("{first}–{last}"),
    }
}

/// A link, or the same shape without effect where there is no such page, so that nothing moves.
fn step(address: Option<String>, label: &'static str, icon: &'static str, rel: &'static str) -> AnyView {
    match address {
        Some(address) => view! {
            <a class="button secondary icon-only small" href=address rel=rel aria-label=label>
                <Icon name=icon size=16/>
            </a>
        }
        .into_any(),
        None => view! {
            <span class="button secondary icon-only small" aria-disabled="true" aria-hidden="true">
                <Icon name=icon size=16/>
            </span>
        }
        .into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::summary;

    #[test]
    fn the_summary_counts_from_one_and_leaves_out_an_unknown_total() {
        assert_eq!(summary(1, 6, Some(218)), "1–6 of 218");
        assert_eq!(summary(7, 12, None), "7–12");
        assert_eq!(summary(0, 0, Some(0)), "0 of 0");
    }
}
