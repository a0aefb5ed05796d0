//! Making an account. Whoever makes one is signed in at once; the address is confirmed from the mail.

use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    account::{self, Client, Error, rules},
    api::{error::ApiError, extract::Query},
    context::Context,
    contract::account::Registration,
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{HOME, Landing, enter, parts, tried::Tried, with_next};
use crate::{
    components::Field,
    pages::shell::{Page, Visit},
};

pub async fn register_page(Query(query): Query<Landing>, visit: Visit) -> Response {
    let next = rules::safe_next(&query.next).to_owned();
    if visit.caller.user().is_some() {
        return Redirect::to(&next).into_response();
    }
    page(Shown { next, ..Shown::default() }, &Tried::default(), &visit)
}

#[derive(Deserialize)]
pub struct NewPerson {
    #[serde(default)]
    name: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

pub async fn register(
    State(ctx): State<Context>,
    client: Client,
    visit: Visit,
    Form(sent): Form<NewPerson>,
) -> Result<Response, ApiError> {
    let next = rules::safe_next(&sent.next).to_owned();
    let NewPerson { name, email, password, .. } = sent;
    let registration = Registration { email, password, name };
    let refused = match account::register(&ctx, &registration, &client).await {
        Ok(user) => {
            let opened = account::sign_in::after_registration(&ctx, &user, &client).await?;
            let to: &str = if next == HOME { "/account?done=registered" } else { &next };
            return enter(&ctx, &visit, &opened, to).await;
        }
        Err(error) => error,
    };
    let taken = matches!(refused, Error::EmailTaken);
    let tried = if taken {
        Tried::at("email", "There is an account with this address. Sign in, or reset the password.")
    } else {
        Tried::failed(&ctx, refused)?
    };
    let Registration { email, name, .. } = registration;
    Ok(page(Shown { name, email, next, taken }, &tried, &visit))
}

#[derive(Default)]
struct Shown {
    name: String,
    email: String,
    next: String,
    /// There is an account with this address.
    taken: bool,
}

fn page(shown: Shown, tried: &Tried, visit: &Visit) -> Response {
    let last = tried.clone();
    let page = Page::new(
        "Create an account",
        "A Dev Forge account holds your licenses, your machines and your invoices.",
        move || view(shown, &last),
    );
    tried.answer(page, visit)
}

fn view(shown: Shown, tried: &Tried) -> AnyView {
    let Shown { name, email, next, taken } = shown;
    let name_error = tried.of("name");
    let email_error = tried.of("email");
    let password_error = tried.of("password");
    let sign_in = with_next("/sign-in", &next);
    let ways = taken.then(|| {
        let sign_in = sign_in.clone();
        view! {
            <p class="auth-links">
                <a href=sign_in>"Sign in with this address"</a>
                <a href="/forgot">"Reset the password"</a>
            </p>
        }
    });

    let form = view! {
        <form method="post" action="/register" novalidate=true>
            <input type="hidden" name="next" value=next/>
            <Field
                name="email"
                label="Mail address"
                kind="email"
                value=email
                error=email_error
                inputmode="email"
                autocomplete="username"
                maxlength=254
            />
            {ways}
            <Field name="name" label="Name" value=name error=name_error autocomplete="name" maxlength=200/>
            <Field
                name="password"
                label="Password"
                kind="password"
                error=password_error
                hint="At least 12 characters. A few words you can remember are good."
                autocomplete="new-password"
                maxlength=1024
            />
            <div class="form-actions">
                <button class="button primary large" type="submit">"Create account"</button>
            </div>
        </form>
        <p class="auth-terms">
            "With an account you agree to the " <a href="/legal/terms">"terms"</a> ". The "
            <a href="/legal/privacy">"privacy policy"</a> " says what we keep, and for how long."
        </p>
        <p class="auth-links"><a href=sign_in>"Sign in to an account you have"</a></p>
    }
    .into_any();
    parts::frame("Create an account", None, tried, form)
}
