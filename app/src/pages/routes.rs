//! Which address shows what.
//!
//! What always holds: every page route stands in [`ROUTES`] or [`DEV_ROUTES`], because the router is made from the
//! same tables; the matrices of roles and origins and the sitemap are checked against these lists.

use axum::{
    Router,
    extract::{Form, State},
    http::{HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
    routing::{MethodFilter, on},
};
use devforge::{
    account::rules,
    api::{error::ApiError, extract::Path, openapi},
    config::Mode,
    content::Document,
    context::Context,
    contract::problem::{Problem, ProblemCode},
    search::Ask,
};
use serde::Deserialize;

use super::{
    account, activate, admin, api_reference, auth, avatar, blog, changelog, checkout, company, dev, docs,
    download, enterprise, error, features, feedback, feeds, home, invoice, og, pricing, search,
    shell::{Area, Page, Theme, Visit},
    site_files, status, support,
    text::{TextPage, text_page},
};

/// Makes a list of routes and the router that serves them out of one table, so that no route can be in one of the
/// two only.
macro_rules! routes {
    ($(#[$about:meta])* $list:ident, $router:ident: $($method:ident $path:literal => $handler:path,)*) => {
        $(#[$about])*
        pub const $list: &[(&str, &str)] = &[$((stringify!($method), $path),)*];

        fn $router() -> Router<Context> {
            Router::new()$(.route($path, on(MethodFilter::$method, $handler)))*
        }
    };
}

routes! {
    /// Method and path of every page and form of the site.
    ROUTES, site:
    GET "/" => home_page,
    GET "/about" => about,
    GET "/features" => features::index,
    GET "/features/{pillar}" => features::pillar,
    GET "/enterprise" => enterprise::enterprise_page,
    GET "/compare" => company::compare_page,
    GET "/contact" => company::contact_page,
    POST "/contact" => company::contact,
    GET "/press" => company::press_page,
    GET "/roadmap" => company::roadmap_page,
    GET "/status" => status::status_page,
    GET "/blog" => blog::index,
    GET "/blog/{slug}" => blog::post,
    GET "/blog/tags/{tag}" => blog::tagged,
    GET "/changelog" => changelog::index,
    GET "/changelog/{slug}" => changelog::release,
    GET "/feed.xml" => feeds::everything_atom,
    GET "/feed.json" => feeds::everything_json,
    GET "/changelog/feed.xml" => feeds::changelog_atom,
    GET "/changelog/feed.json" => feeds::changelog_json,
    GET "/og/{section}/{file}" => og::picture,
    GET "/support" => support::index,
    GET "/support/articles/{slug}" => support::article,
    POST "/feedback" => feedback::answer,
    GET "/pricing" => pricing::pricing_page,
    GET "/checkout" => checkout::checkout_page,
    POST "/checkout" => checkout::checkout,
    GET "/checkout/orders/{id}" => checkout::order_page,
    POST "/checkout/orders/{id}/pay" => checkout::pay,
    GET "/invoices/{id}" => invoice::invoice_page,
    GET "/invoices/{id}/pdf" => invoice::invoice_pdf,
    GET "/download" => download::download_page,
    GET "/activate" => activate::activate_page,
    POST "/activate" => activate::activate,
    GET "/legal/{slug}" => legal,
    GET "/docs" => docs::index,
    GET "/docs/api" => api_docs,
    GET "/docs/{topic}" => docs::topic,
    GET "/search" => search::search_page,
    POST "/theme" => set_theme,
    GET "/sign-in" => auth::sign_in_page,
    POST "/sign-in" => auth::sign_in,
    POST "/sign-in/passkey/options" => auth::passkey_options,
    POST "/sign-in/passkey" => auth::passkey_sign_in,
    GET "/sign-in/two-factor" => auth::second_step_page,
    POST "/sign-in/two-factor" => auth::second_step,
    POST "/sign-in/two-factor/options" => auth::second_step_options,
    POST "/sign-out" => auth::sign_out,
    GET "/register" => auth::register_page,
    POST "/register" => auth::register,
    GET "/forgot" => auth::forgot_page,
    POST "/forgot" => auth::forgot,
    GET "/reset/{token}" => auth::reset_page,
    POST "/reset/{token}" => auth::reset,
    GET "/verify/{token}" => auth::verify_page,
    POST "/verify/{token}" => auth::verify,
    GET "/email/{token}" => auth::email_page,
    POST "/email/{token}" => auth::email_confirm,
    GET "/account/confirm" => auth::confirm_page,
    POST "/account/confirm" => auth::confirm,
    POST "/account/confirm/options" => auth::confirm_options,
    GET "/account" => account::home_page,
    POST "/account/verify" => account::verify_again,
    GET "/account/licenses" => account::licenses_page,
    POST "/account/licenses/trial" => account::begin_trial,
    GET "/account/licenses/{id}" => account::license_page,
    POST "/account/licenses/{id}/reveal" => account::reveal,
    POST "/account/licenses/{id}/rotate" => account::rotate,
    POST "/account/licenses/{id}/transfer" => account::transfer,
    POST "/account/licenses/{id}/split" => account::split,
    POST "/account/licenses/{id}/machine-file" => account::machine_file,
    POST "/account/licenses/{id}/machines/{machine}/rename" => account::rename_machine,
    POST "/account/licenses/{id}/machines/{machine}/remove" => account::remove_machine,
    GET "/account/billing" => account::billing_page,
    GET "/account/billing/orders/{id}" => account::order_page,
    POST "/account/billing/orders/{id}/refund-request" => account::ask_for_refund,
    GET "/account/billing/subscription" => account::subscription_page,
    POST "/account/billing/subscription" => account::change_subscription,
    POST "/account/billing/subscription/cancel" => account::cancel_subscription,
    POST "/account/billing/subscription/resume" => account::resume_subscription,
    POST "/account/billing/portal" => account::open_portal,
    GET "/account/profile" => account::profile_page,
    POST "/account/profile" => account::profile,
    POST "/account/profile/email" => account::change_email,
    POST "/account/profile/email/cancel" => account::cancel_email,
    GET "/account/security" => account::security_page,
    POST "/account/security/password" => account::change_password,
    GET "/account/security/two-factor" => account::two_factor_page,
    POST "/account/security/two-factor" => account::enable_two_factor,
    POST "/account/security/two-factor/begin" => account::begin_two_factor,
    POST "/account/security/two-factor/disable" => account::disable_two_factor,
    POST "/account/security/recovery-codes" => account::recovery_codes,
    POST "/account/security/passkeys/options" => account::passkey_options,
    POST "/account/security/passkeys" => account::add_passkey,
    POST "/account/security/passkeys/{id}/remove" => account::remove_passkey,
    POST "/account/sessions/{id}/end" => account::end_session,
    POST "/account/sessions/end-others" => account::end_other_sessions,
    GET "/account/security/tokens" => account::tokens_page,
    POST "/account/security/tokens" => account::create_token,
    POST "/account/security/tokens/{id}/revoke" => account::revoke_token,
    GET "/account/privacy" => account::privacy_page,
    POST "/account/privacy" => account::choices,
    POST "/account/privacy/export" => account::export,
    GET "/account/privacy/exports/{id}" => account::export_download,
    GET "/account/delete" => account::delete_page,
    POST "/account/delete" => account::delete,
    POST "/account/delete/cancel" => account::keep,
    GET "/admin" => admin::index,
    GET "/admin/users" => admin::users,
    GET "/admin/users/{id}" => admin::user,
    POST "/admin/users/{id}/role" => admin::set_role,
    POST "/admin/users/{id}/lock" => admin::lock,
    POST "/admin/users/{id}/unlock" => admin::unlock,
    POST "/admin/users/{id}/sign-out" => admin::sign_out,
    POST "/admin/users/{id}/view" => admin::view,
    POST "/admin/view/stop" => admin::stop_viewing,
    GET "/admin/orders" => admin::orders_page,
    GET "/admin/orders/{id}" => admin::order_page,
    POST "/admin/orders/{id}/refund" => admin::refund_order,
    GET "/admin/refunds" => admin::refunds_page,
    POST "/admin/refunds/{id}" => admin::decide_refund,
    GET "/admin/licenses" => admin::licenses_page,
    POST "/admin/licenses/find" => admin::find_license,
    GET "/admin/licenses/new" => admin::new_license_page,
    POST "/admin/licenses/new" => admin::give_licenses,
    POST "/admin/licenses/keys.csv" => admin::new_licenses_csv,
    GET "/admin/licenses/versions" => admin::versions_page,
    POST "/admin/licenses/versions" => admin::announce_version,
    GET "/admin/licenses/{id}" => admin::license_page,
    POST "/admin/licenses/{id}/suspend" => admin::suspend_license,
    POST "/admin/licenses/{id}/reinstate" => admin::reinstate_license,
    POST "/admin/licenses/{id}/renew" => admin::renew_license,
    POST "/admin/licenses/{id}/rotate" => admin::rotate_license,
    POST "/admin/licenses/{id}/transfer" => admin::transfer_license,
    POST "/admin/licenses/{id}/revoke" => admin::revoke_license,
    POST "/admin/licenses/{id}/machines/{machine}/remove" => admin::remove_machine,
    GET "/admin/knowledge" => admin::articles_page,
    GET "/admin/knowledge/new" => admin::new_article_page,
    POST "/admin/knowledge/new" => admin::write_article,
    GET "/admin/knowledge/{id}" => admin::article_page,
    POST "/admin/knowledge/{id}" => admin::rewrite_article,
    POST "/admin/knowledge/{id}/status" => admin::set_article_status,
    GET "/admin/search" => admin::search_asked_page,
    GET "/admin/webhooks" => admin::webhooks_page,
    GET "/admin/webhooks/{id}" => admin::webhook_page,
    POST "/admin/webhooks/{id}/replay" => admin::replay_webhook,
    GET "/admin/finance" => admin::finance::overview,
    GET "/admin/finance/ledger" => admin::finance::ledger,
    GET "/admin/finance/ledger/{id}" => admin::finance::transaction,
    GET "/admin/finance/tax" => admin::finance::tax,
    GET "/admin/finance/subscriptions" => admin::finance::subscriptions,
    POST "/admin/finance/ledger.csv" => admin::finance::ledger_csv,
    POST "/admin/finance/tax.csv" => admin::finance::tax_csv,
    POST "/admin/finance/revenue.csv" => admin::finance::revenue_csv,
    POST "/admin/finance/check" => admin::finance::check,
    GET "/admin/catalogue" => admin::catalogue_page,
    GET "/admin/catalogue/prices" => admin::price_page,
    POST "/admin/catalogue/prices" => admin::set_price,
    POST "/admin/catalogue/prices/{id}/withdraw" => admin::withdraw_price,
    GET "/admin/catalogue/coupons" => admin::coupons_page,
    POST "/admin/catalogue/coupons" => admin::make_coupon,
    POST "/admin/catalogue/coupons/{id}/withdraw" => admin::withdraw_coupon,
    POST "/admin/catalogue/tiers/{code}" => admin::describe_tier,
    GET "/admin/reconcile" => admin::reconcile,
    POST "/admin/reconcile" => admin::reconcile_now,
    GET "/admin/audit" => admin::audit,
    POST "/admin/audit/check" => admin::check_audit,
    GET "/avatars/{file}" => avatar::avatar,
    GET "/robots.txt" => site_files::robots,
    GET "/llms.txt" => site_files::llms,
    GET "/sitemap.xml" => site_files::sitemap,
    GET "/.well-known/security.txt" => site_files::security,
    GET "/.well-known/jwks.json" => site_files::jwks,
}

routes! {
    /// Only there in development.
    DEV_ROUTES, dev_site:
    GET "/dev" => dev::index,
    GET "/dev/gallery" => dev::gallery_page,
    GET "/dev/mail" => dev::mail_list,
    GET "/dev/mail/{id}" => dev::mail_page,
    GET "/dev/mail/{id}/html" => dev::mail_html,
    GET "/dev/stripe" => dev::stripe,
    GET "/dev/panic" => dev::panic,
}

pub fn router(ctx: &Context) -> Router<Context> {
    match ctx.config.mode {
        Mode::Production => site(),
        Mode::Development => site().merge(dev_site()),
    }
    .fallback(nothing_here)
}

/// An address with a slash too many leads to its page. What else nobody serves is not there.
async fn nothing_here(method: Method, address: Uri) -> Result<Response, ApiError> {
    let path = address.path().trim_end_matches('/');
    let reads = matches!(method, Method::GET | Method::HEAD);
    // Only a page of ours is led to, so that `//example.com/` is never taken for another site.
    if !reads || path.is_empty() || path == address.path() || page_above(path) != path {
        return Err(ApiError::not_found());
    }
    let query = address.query().map(|query| format!("?{query}")).unwrap_or_default();
    Ok(Redirect::permanent(&format!("{path}{query}")).into_response())
}

/// The nearest page at or above this path: a form's own address often is none that can be visited.
pub fn page_above(path: &str) -> &str {
    let mut path = path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    loop {
        if path.is_empty() {
            return "/";
        }
        if ROUTES.iter().any(|(method, route)| *method == "GET" && is_at(route, path)) {
            return path;
        }
        path = path.rsplit_once('/').map_or("", |(above, _)| above);
    }
}

fn is_at(route: &str, path: &str) -> bool {
    route.split('/').count() == path.split('/').count()
        && route.split('/').zip(path.split('/')).all(|(part, given)| part.starts_with('{') || part == given)
}

async fn home_page(visit: Visit) -> Response {
    Page::new(
        "Dev Forge: code with any model, or with none",
        "Dev Forge is a desktop code editor. Connect an AI provider, run a model on your own machine, or switch AI off.",
        home::home,
    )
    .area(Area::Features)
    .public("/")
    .render(&visit)
}

async fn about(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    let content = ctx.content.now();
    let document = content.find("site", "about").ok_or_else(ApiError::not_found)?;
    Ok(written_page(document).area(Area::About).render(&visit))
}

async fn legal(
    State(ctx): State<Context>,
    Path(slug): Path<String>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let content = ctx.content.now();
    let document = content.find("legal", &slug).ok_or_else(ApiError::not_found)?;
    Ok(written_page(document).render(&visit))
}

fn written_page(document: &Document) -> Page {
    let shown = document.clone();
    Page::new(document.title.clone(), document.description.clone(), move || {
        text_page(TextPage {
            title: &shown.title,
            description: &shown.description,
            updated: shown.updated.as_deref(),
            html: shown.html().to_owned(),
            contents: shown
                .headings
                .iter()
                .filter(|heading| heading.level == 2)
                .map(|heading| (heading.id.clone(), heading.text.clone()))
                .collect(),
        })
    })
    .public(document.path())
}

async fn api_docs(visit: Visit) -> Response {
    Page::new(
        "API reference",
        "Every endpoint of the Dev Forge API: what it takes, what it answers, and how it says no.",
        || api_reference::api_reference(openapi::document()),
    )
    .area(Area::Docs)
    .public("/docs/api")
    .alternate_markdown("/docs/api.md")
    .render(&visit)
}

#[derive(Debug, Deserialize)]
struct ThemeForm {
    theme: String,
    #[serde(default)]
    return_to: String,
}

async fn set_theme(State(ctx): State<Context>, Form(form): Form<ThemeForm>) -> Result<Response, ApiError> {
    let theme = Theme::parse(&form.theme)
        .ok_or_else(|| ApiError::new(ProblemCode::InvalidRequest, "A theme is system, light or dark."))?;
    // Following the system is the absence of a choice.
    let (value, max_age) = match theme {
        Theme::System => ("", 0),
        chosen => (chosen.as_str(), 60 * 60 * 24 * 365),
    };
    let secure = if ctx.config.http.is_https() { "; Secure" } else { "" };
    let cookie =
        format!("{}={value}; Path=/; Max-Age={max_age}; SameSite=Lax; HttpOnly{secure}", Theme::COOKIE);
    let back = if form.return_to.is_empty() { "/" } else { rules::safe_next(&form.return_to) };
    let mut response = Redirect::to(back).into_response();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// The page for people in place of a problem's JSON.
pub fn error_page(ctx: &Context, visit: &Visit, problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let request_id = visit.request_id.to_string();
    let (title, body): (&str, Box<dyn FnOnce() -> leptos::prelude::AnyView + Send>) = match problem.code {
        ProblemCode::NotFound => {
            let path = visit.path.split('?').next().unwrap_or_default().to_owned();
            let matches = close_matches(ctx, &path);
            ("Not found", Box::new(move || error::not_found(&path, matches)))
        }
        ProblemCode::Unavailable => ("Not available", Box::new(move || error::unavailable(&request_id))),
        ProblemCode::ReadOnly => {
            let detail = problem.detail.clone();
            (problem.code.title(), Box::new(move || error::only_looking(&detail, &request_id)))
        }
        ProblemCode::Internal => {
            let status = problem.status;
            ("Something failed", Box::new(move || error::failed(status, &request_id)))
        }
        _ => {
            let problem = problem.clone();
            let title = problem.code.title();
            (
                title,
                Box::new(move || {
                    error::problem(problem.status, &problem.title, &problem.detail, &request_id)
                }),
            )
        }
    };
    Page::new(title, problem.code.title(), body).status(status).render(visit)
}

/// Pages whose words are like those in an address that does not exist.
fn close_matches(ctx: &Context, path: &str) -> Vec<(String, String, String)> {
    let words: String = path.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    // An error page must come out even when the index cannot be read.
    let found = ctx
        .search
        .find(&Ask { text: &words, kind: None, limit: 3, offset: 0 })
        .map(|results| results.items)
        .unwrap_or_default();
    found.into_iter().map(|hit| (hit.title, hit.url, hit.kind.label().to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::page_above;

    #[test]
    fn a_form_s_address_leads_to_the_page_it_stands_on() {
        assert_eq!(page_above("/account/profile"), "/account/profile");
        assert_eq!(page_above("/account/security/passkeys"), "/account/security");
        assert_eq!(page_above("/admin/users/usr_1/lock?done=x"), "/admin/users/usr_1");
        assert_eq!(page_above("/nothing/there"), "/");
        assert_eq!(page_above(""), "/");
    }
}
