//! A question that stops the reader: the safe choice first, the exact verb last.
//! Opening and closing is the platform's (`commandfor`); where that is not known, `site.js` does the same.

use leptos::prelude::*;

#[component]
pub fn Dialog(
    /// The id that a `DialogButton` opens.
    #[prop(into)]
    id: String,
    /// The question.
    #[prop(into)]
    title: String,
    /// The label of the choice that changes nothing.
    #[prop(into)]
    keep: String,
    /// The form or button that does it; stands right of the safe choice.
    #[prop(into)]
    confirm: ViewFnOnce,
    /// The consequence, in words.
    children: Children,
) -> impl IntoView {
    let title_id = format!("{id}-title");

    view! {
        <dialog class="dialog" id=id aria-labelledby=title_id>
            <h2 id=title_id.clone()>{title}</h2>
            {children()}
            <div class="dialog-actions">
                <button class="button secondary" type="button" command="close" commandfor=id.clone() data-close="">
                    {keep}
                </button>
                {confirm.run()}
            </div>
        </dialog>
    }
}

/// The button that opens a dialog.
#[component]
pub fn DialogButton(
    /// The id of the dialog.
    #[prop(into)]
    opens: String,
    /// The button's kind: `secondary`, `bad`, `ghost` and so on.
    #[prop(into)]
    kind: String,
    children: Children,
) -> impl IntoView {
    view! {
        <button
            class=format!("button {kind}")
            type="button"
            command="show-modal"
            commandfor=opens.clone()
            data-dialog=opens
            aria-haspopup="dialog"
        >
            {children()}
        </button>
    }
}
