//! Two-factor sign-in: its part of the security page, its setting up, and the codes that are shown once.

use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    account::{
        Error,
        two_factor::{self, Status},
    },
    api::error::ApiError,
    context::Context,
    contract::account::{RecoveryCodes, TwoFactorSetup},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{
    layout::{Confirm, Section, back_at, page_below, part, setting},
    security,
};
use crate::components::{Badge, CodeBlock, Field, Icon};
use crate::pages::{
    forms::{Mistakes, mistakes},
    moments::day,
    shell::{Page, Visit},
};

/// With this few codes left it is time for new ones.
const FEW_CODES: u32 = 3;
const SECRET_GROUP: usize = 4;
const ABOUT_CODES: &str = "Each of these signs you in once when your phone is not at hand. Print them or put them \
    into a password manager. They are not shown again.";

pub async fn two_factor_page(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    show_setup(&ctx, &visit, Mistakes::default(), StatusCode::OK).await
}

pub async fn begin_two_factor(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    match two_factor::begin(&ctx, &visit.caller).await {
        Ok(_) => Ok(Redirect::to("/account/security/two-factor").into_response()),
        Err(error) => {
            let (status, wrong) = mistakes(error)?;
            let shown = security::Shown { wrong, ..security::Shown::default() };
            security::show(&ctx, &visit, shown, status).await
        }
    }
}

#[derive(Deserialize)]
pub struct CodeForm {
    #[serde(default)]
    code: String,
}

pub async fn enable_two_factor(
    State(ctx): State<Context>,
    visit: Visit,
    Form(form): Form<CodeForm>,
) -> Result<Response, ApiError> {
    let (status, wrong) = match two_factor::enable(&ctx, &visit.caller, &form.code).await {
        Ok(codes) => return Ok(codes_page(&visit, codes, "/account/security?done=two-factor-on")),
        Err(Error::InvalidCode) => {
            let mut wrong = Mistakes::default();
            wrong.add("code", "This is not the code of this moment. Wait for the next one and type that.");
            (StatusCode::UNPROCESSABLE_ENTITY, wrong)
        }
        Err(error) => mistakes(error)?,
    };
    show_setup(&ctx, &visit, wrong, status).await
}

pub async fn disable_two_factor(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    match two_factor::disable(&ctx, &visit.caller).await {
        Ok(()) => Ok(Redirect::to("/account/security?done=two-factor-off").into_response()),
        Err(error) => {
            let (status, wrong) = mistakes(error)?;
            let shown = security::Shown { wrong, ..security::Shown::default() };
            security::show(&ctx, &visit, shown, status).await
        }
    }
}

pub async fn recovery_codes(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    match two_factor::new_recovery_codes(&ctx, &visit.caller).await {
        Ok(codes) => Ok(codes_page(&visit, codes, "/account/security?done=new-codes")),
        Err(error) => {
            let (status, wrong) = mistakes(error)?;
            let shown = security::Shown { wrong, ..security::Shown::default() };
            security::show(&ctx, &visit, shown, status).await
        }
    }
}

async fn show_setup(
    ctx: &Context,
    visit: &Visit,
    wrong: Mistakes,
    status: StatusCode,
) -> Result<Response, ApiError> {
    let Some(setup) = two_factor::pending(ctx, &visit.caller).await? else {
        if wrong.is_empty() {
            return Ok(Redirect::to(Section::Security.path()).into_response());
        }
        let shown = security::Shown { wrong, ..security::Shown::default() };
        return security::show(ctx, visit, shown, status).await;
    };
    let title = "Set up two-factor sign-in";
    let page = Page::new(title, "Connect an authenticator app to your account.", move || {
        page_below(Section::Security, title, setup_view(setup, &wrong))
    });
    Ok(page.status(status).render(visit))
}

fn codes_page(visit: &Visit, codes: RecoveryCodes, next: &'static str) -> Response {
    let title = "Your recovery codes";
    let page = Page::new(title, "Codes for the day your phone is not at hand.", move || {
        page_below(Section::Security, title, codes_view(&codes, next))
    });
    page.render(&back_at(visit, Section::Security.path()))
}

/// The part of the security page.
pub fn two_factor_part(status: &Status) -> AnyView {
    let rows = match status.since {
        None => {
            let badge = view! { <Badge tone="plain" icon="minus" label="Off"/> };
            let set_up = view! {
                <form method="post" action="/account/security/two-factor/begin">
                    <button class="button secondary small" type="submit">
                        "Set up"<span class="visually-hidden">" two-factor sign-in"</span>
                    </button>
                </form>
            };
            let state = "You need a phone or a password manager that shows such codes.".into_any();
            setting("Authenticator app", Some(badge.into_any()), state, set_up.into_any())
        }
        Some(since) => {
            let on = view! { <Badge tone="ok" label="On"/> };
            let off = Confirm {
                open: "Turn off",
                about: "two-factor sign-in".to_owned(),
                consequence: "Whoever knows your password can then sign in. The recovery codes end with it.",
                action: "/account/security/two-factor/disable".to_owned(),
                verb: "Turn off two-factor sign-in",
                one_of_several: false,
            };
            let few = (status.codes_left <= FEW_CODES)
                .then(|| view! { <Badge tone="warn" label="Make new ones"/> }.into_any());
            let new_codes = Confirm {
                open: "New codes",
                about: "for recovery".to_owned(),
                consequence: "You get ten new codes. Those you have now are no longer good.",
                action: "/account/security/recovery-codes".to_owned(),
                verb: "Make new recovery codes",
                one_of_several: false,
            };
            let since = format!("On since {}.", day(since)).into_any();
            view! {
                {setting("Authenticator app", Some(on.into_any()), since, off.view())}
                {setting("Recovery codes", few, left_in_words(status.codes_left).into_any(), new_codes.view())}
            }
            .into_any()
        }
    };
    part(
        "two-factor",
        "Two-factor sign-in",
        Some(
            "After your password, a code that changes every half minute. A stolen password alone opens nothing.",
        ),
        view! { <ul class="rows">{rows}</ul> }.into_any(),
    )
}

fn left_in_words(left: u32) -> String {
    match left {
        0 => "None is left. Without your phone you cannot sign in.".to_owned(),
        1 => "One is left. Each is good once, when your phone is not at hand.".to_owned(),
        left => format!("{left} are left. Each is good once, when your phone is not at hand."),
    }
}

fn setup_view(setup: TwoFactorSetup, wrong: &Mistakes) -> AnyView {
    // Groups without blanks between them: what is copied is the secret as it is.
    let groups =
        grouped(&setup.secret).into_iter().map(|group| view! { <span>{group}</span> }).collect_view();
    view! {
        {wrong.summary()}
        <ol class="steps">
            <li>
                <h2 class="panel-title">"Scan this code"</h2>
                <p class="small">"Open your authenticator app, add an account, and point the camera here."</p>
                <div class="pairing">
                    <div class="qr" inner_html=setup.qr_svg></div>
                    <div>
                        <h3 class="sub-title">"No camera at hand"</h3>
                        <p class="small quiet">"Type this secret into the app."</p>
                        <p><code class="secret" id="secret">{groups}</code></p>
                        <p class="button-row">
                            <button class="button secondary small" type="button" data-copy="secret" hidden=true>
                                <Icon name="copy" size=16/>"Copy secret"
                            </button>
                            <a class="button ghost small" href=setup.otpauth_url>"Open an app on this device"</a>
                        </p>
                    </div>
                </div>
            </li>
            <li>
                <h2 class="panel-title">"Type the code it shows"</h2>
                <form class="account-form" method="post" action="/account/security/two-factor" novalidate=true>
                    <Field name="code" label="Code from the app" autocomplete="one-time-code" inputmode="numeric"
                        maxlength=12 error=wrong.of("code") hint="Six digits. They change every half minute."/>
                    <div class="form-actions">
                        <button class="button primary" type="submit">"Turn on"</button>
                        <a class="button ghost" href="/account/security">"Cancel"</a>
                    </div>
                </form>
            </li>
        </ol>
    }
    .into_any()
}

fn codes_view(codes: &RecoveryCodes, next: &'static str) -> AnyView {
    let text = codes.recovery_codes.join("\n");
    view! {
        <p class="lead">{ABOUT_CODES}</p>
        <div class="once"><CodeBlock title="Recovery codes" code=text/></div>
        <div class="form-actions"><a class="button primary" href=next>"I have kept them"</a></div>
    }
    .into_any()
}

fn grouped(secret: &str) -> Vec<String> {
    let letters: Vec<char> = secret.chars().collect();
    letters.chunks(SECRET_GROUP).map(|group| group.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::{grouped, left_in_words};

    #[test]
    fn a_secret_is_read_in_fours() {
        assert_eq!(grouped("ABCDEFGHIJ"), ["ABCD", "EFGH", "IJ"]);
        assert_eq!(grouped("ABCDEFGHIJ").concat(), "ABCDEFGHIJ");
        assert!(grouped("").is_empty());
    }

    #[test]
    fn the_last_codes_are_counted_in_words() {
        assert!(left_in_words(0).starts_with("None"));
        assert!(left_in_words(1).starts_with("One is"));
        assert!(left_in_words(7).starts_with("7 are"));
    }
}
