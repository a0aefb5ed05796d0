//! The sign-in form. A plain POST: what was typed comes back with its errors, the password never does.

use leptos::prelude::*;

use crate::components::{ErrorSummary, FormError, Icon};

#[derive(Default)]
pub struct SignInForm {
    pub email: String,
    /// Where to go afterwards. The handler has checked that it is a path of this site.
    pub next: String,
    /// What is wrong with the whole: wrong credentials, too many tries.
    pub error: Option<String>,
    /// What is wrong with one field, as (field, message). Fields are `email` and `password`.
    pub field_errors: Vec<(&'static str, String)>,
}

pub fn sign_in(form: SignInForm) -> AnyView {
    let email_error = form.error_of("email");
    let password_error = form.error_of("password");
    let summary = form.summary();
    let SignInForm { email, next, .. } = form;

    view! {
        <div class="sign-in page">
            <h1 class="page-title">"Sign in"</h1>
            {summary}
            <form class="sign-in-form" method="post" action="/sign-in" novalidate=true>
                <input type="hidden" name="next" value=next/>
                <div class="field">
                    <label for="email">"Mail address"</label>
                    <input
                        class="input"
                        id="email"
                        name="email"
                        type="email"
                        inputmode="email"
                        autocomplete="username"
                        autocapitalize="none"
                        spellcheck="false"
                        maxlength="254"
                        required=true
                        value=email
                        aria-invalid=email_error.is_some().then_some("true")
                        aria-describedby=email_error.is_some().then_some("email-error")
                    />
                    {field_error("email-error", email_error)}
                </div>
                <div class="field">
                    <label for="password">"Password"</label>
                    <div class="input-affix">
                        <input
                            class="input"
                            id="password"
                            name="password"
                            type="password"
                            autocomplete="current-password"
                            maxlength="1024"
                            required=true
                            aria-invalid=password_error.is_some().then_some("true")
                            aria-describedby=password_error.is_some().then_some("password-error")
                        />
                        <button class="button ghost small" type="button" data-reveal="password" hidden=true>
                            <span>"Show"</span><span class="visually-hidden">" password"</span>
                        </button>
                    </div>
                    {field_error("password-error", password_error)}
                </div>
                <div class="form-actions">
                    <button class="button primary large" type="submit">"Sign in"</button>
                    <p class="meta">"Your account shows where you are signed in. The editor works without one."</p>
                </div>
            </form>
        </div>
    }
    .into_any()
}

impl SignInForm {
    fn error_of(&self, field: &str) -> Option<String> {
        self.field_errors.iter().find(|(name, _)| *name == field).map(|(_, message)| message.clone())
    }

    /// What needs another look, on top. `site.js` moves the focus there, so that a screen reader begins with it.
    fn summary(&self) -> Option<AnyView> {
        let errors: Vec<FormError> = self
            .field_errors
            .iter()
            .map(|(field, message)| FormError { field: (*field).to_owned(), message: message.clone() })
            .collect();
        match &self.error {
            Some(error) => Some(whole_form_error(error)),
            None if errors.is_empty() => None,
            None => Some(view! { <ErrorSummary errors=errors/> }.into_any()),
        }
    }
}

/// Wrong credentials and the like belong to no field: which of the two was wrong is not said.
fn whole_form_error(error: &str) -> AnyView {
    let error = error.to_owned();
    view! {
        <div class="error-summary" role="group" aria-labelledby="sign-in-error" tabindex="-1" autofocus>
            <Icon name="bad"/>
            <h2 id="sign-in-error">{error}</h2>
        </div>
    }
    .into_any()
}

fn field_error(id: &'static str, message: Option<String>) -> Option<AnyView> {
    message.map(|message| {
        view! { <p class="field-error" id=id><Icon name="bad" size=16/><span>{message}</span></p> }.into_any()
    })
}
