//! Asking for a proof of who one is, above a form that needs one. Before anything is typed, so that it is not lost on
//! the way to the proof.

use leptos::prelude::*;

use super::frame::Viewer;
use crate::components::Notice;

/// `back` is the page to come back to. None while the last proof is recent enough.
pub fn proof_first(viewer: Viewer, back: &str) -> Option<AnyView> {
    if viewer.is_fresh {
        return None;
    }
    let address = format!("/account/confirm?next={back}");
    let confirm = move || view! { <a class="button secondary small" href=address>"Confirm"</a> };
    let notice = view! {
        <Notice tone="info" icon="lock" title="Changes here ask who you are" actions=confirm>
            <p>"Your password or a passkey is enough for the next 15 minutes."</p>
        </Notice>
    };
    Some(notice.into_any())
}
