//! The simulator's own pages: to pay on, to look at an invoice, and to make things happen.
//!
//! What always holds: every page says that it is a test; everything that came from outside is escaped; only a form of
//! ours changes anything; nothing needs a script.

use std::{fmt::Write, sync::Arc};

use axum::{
    Router,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use serde_json::Value;

use crate::{
    Shared,
    cards::Card,
    fault::Fault,
    fields::{int, items, text},
    params::Params,
    portal,
    world::World,
};

mod actions;
mod dashboard;
mod invoice;
mod pay;

const STYLE: &str = include_str!("pages/style.css");
/// Inline styles and scripts are refused as well: a hole in the escaping stays harmless.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'";

pub fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/", get(dashboard::show).post(actions::act))
        .route("/pay/{session}", get(pay::show).post(pay::pay))
        .route("/pay/{session}/authenticate", get(pay::ask).post(pay::decide))
        .route("/invoice/{invoice}", get(invoice::show).post(invoice::pay))
        .route("/invoice/{invoice}/pdf", get(invoice::show))
        .route("/receipt/{charge}", get(invoice::receipt))
        .route("/portal/{session}", get(portal::show).post(portal::submit))
}

pub async fn style() -> Response {
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    (headers, STYLE).into_response()
}

/// A whole page. The title is text, `main` is HTML.
pub fn page(status: StatusCode, title: &str, main: &str) -> Response {
    let title = escape(title);
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><meta name=\"robots\" content=\"noindex\">\
         <title>{title} · Test mode</title><link rel=\"stylesheet\" href=\"/style.css\">\
         <link rel=\"icon\" href=\"data:,\"></head><body>\
         <header class=\"banner\"><strong>Test mode.</strong> No real card, no real money.</header>\
         <main>{main}</main></body></html>",
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        // Without one, a form of ours would come from nowhere.
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, html).into_response()
}

/// A page that says one thing.
pub fn says(status: StatusCode, title: &str, words: &str) -> Response {
    page(status, title, &format!("<h1>{}</h1><p>{}</p>", escape(title), escape(words)))
}

pub fn see_other(place: &str) -> Response {
    Redirect::to(place).into_response()
}

/// The page for what went wrong.
pub fn fault_page(fault: &Fault) -> Response {
    let status = StatusCode::from_u16(fault.status).unwrap_or(StatusCode::BAD_REQUEST);
    let title = if status == StatusCode::NOT_FOUND { "Not found" } else { "This does not work" };
    says(status, title, &fault.message)
}

/// Whether a form may change something: it comes from a page of ours, or from no browser at all. That the host is ours
/// is known by then.
pub fn is_ours(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    let host = headers.get(header::HOST).map(HeaderValue::as_bytes);
    headers.get(header::ORIGIN).is_none_or(|origin| {
        origin.as_bytes().strip_prefix(b"http://").is_some_and(|from| Some(from) == host)
    })
}

pub fn not_ours() -> Response {
    says(StatusCode::FORBIDDEN, "Not from here", "This form was sent from another site.")
}

/// Does something to the world as one act. What cannot be written down is a fault too.
pub fn act<T>(shared: &Shared, act: impl FnOnce(&mut World) -> Result<T, Fault>) -> Result<T, Fault> {
    shared.with(|world| world.whole(act)).unwrap_or_else(|error| {
        tracing::error!(%error, "the journal cannot be written");
        Err(Fault::broken())
    })
}

pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// `€19.00`, `−$5.00`, `¥1,900`.
pub fn money(amount: i64, currency: &str) -> String {
    let (symbol, digits) = match currency {
        "usd" => ("$".to_owned(), 2),
        "eur" => ("€".to_owned(), 2),
        "gbp" => ("£".to_owned(), 2),
        "jpy" => ("¥".to_owned(), 0),
        "krw" | "vnd" | "clp" => (format!("{} ", currency.to_ascii_uppercase()), 0),
        other => (format!("{} ", escape(&other.to_ascii_uppercase())), 2),
    };
    let sign = if amount < 0 { "−" } else { "" };
    let unit = 10_u64.pow(digits);
    let amount = amount.unsigned_abs();
    let (whole, rest) = (amount / unit, amount % unit);
    let mut grouped = String::new();
    for (index, digit) in whole.to_string().chars().enumerate() {
        if index > 0 && (whole.to_string().len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if digits == 0 {
        format!("{sign}{symbol}{grouped}")
    } else {
        format!("{sign}{symbol}{grouped}.{rest:02}")
    }
}

/// Lines and sums as a table. `sums` are words and amounts below the lines.
pub fn bill(lines: &Value, currency: &str, sums: &[(&str, i64)]) -> String {
    let mut html = String::from(
        "<table><thead><tr><th scope=\"col\">Item</th><th scope=\"col\" class=\"number\">Quantity</th>\
         <th scope=\"col\" class=\"number\">Amount</th></tr></thead><tbody>",
    );
    for line in items(lines) {
        let amount = line["amount_subtotal"].as_i64().unwrap_or_else(|| int(line, "amount"));
        let _ = write!(
            html,
            "<tr><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>",
            escape(text(line, "description")),
            int(line, "quantity"),
            money(amount, currency),
        );
    }
    html.push_str("</tbody><tfoot>");
    for (words, amount) in sums {
        let amount = money(*amount, currency);
        let _ = write!(
            html,
            "<tr><th scope=\"row\" colspan=\"2\">{words}</th><td class=\"number\">{amount}</td></tr>",
        );
    }
    html.push_str("</tfoot></table>");
    html
}

/// The number of a card and the cards for tests.
pub fn card_fields(chosen: Card) -> String {
    let mut html = format!(
        "<p class=\"field\"><label for=\"number\">Card number</label>\
         <input id=\"number\" name=\"number\" inputmode=\"numeric\" autocomplete=\"off\" maxlength=\"24\" \
         aria-describedby=\"number-hint\" value=\"{number}\">\
         <input type=\"hidden\" name=\"shown\" value=\"{number}\" autocomplete=\"off\">\
         <span class=\"hint\" id=\"number-hint\">A number typed here counts before the choice below.</span></p>\
         <fieldset><legend>Cards for tests</legend>",
        number = spaced(chosen),
    );
    for card in Card::ALL {
        let checked = if card == chosen { " checked" } else { "" };
        let _ = write!(
            html,
            "<label class=\"choice\"><input type=\"radio\" name=\"card\" value=\"{}\"{checked}>\
             <span><span class=\"digits\">{}</span> <span class=\"does\">{}</span></span></label>",
            card.number(),
            spaced(card),
            card.does(),
        );
    }
    html.push_str("</fieldset>");
    html
}

fn spaced(card: Card) -> String {
    let number = card.number();
    format!("{} {} {} {}", &number[..4], &number[4..8], &number[8..12], &number[12..])
}

/// The card of a form: the number that was typed, or the one that was chosen while the number stayed as it was shown.
pub fn card_of(form: &Params) -> Option<Card> {
    let typed = form.text("number").map(str::trim).filter(|typed| !typed.is_empty());
    let chosen = form.text("card").and_then(Card::parse);
    let Some(typed) = typed else { return chosen };
    let card = Card::parse(typed)?;
    let untouched = form.text("shown").and_then(Card::parse) == Some(card);
    if untouched { chosen.or(Some(card)) } else { Some(card) }
}

pub fn notice(words: &str) -> String {
    format!("<p class=\"notice\" role=\"alert\">{}</p>", escape(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_through_unescaped() {
        assert_eq!(escape(r#"<a href="x" id='y'>&"#), "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;");
    }

    #[test]
    fn amounts_have_the_digits_of_their_currency() {
        assert_eq!(money(123_456_789, "eur"), "€1,234,567.89");
        assert_eq!(money(-500, "usd"), "−$5.00");
        assert_eq!(money(1_900, "jpy"), "¥1,900");
        assert_eq!(money(5, "chf"), "CHF 0.05");
    }

    #[test]
    fn a_typed_number_counts_before_the_choice() {
        let card = |form: &str| card_of(&Params::parse(form).expect("reads"));
        let declined = "&card=4000000000000002";
        let shown = "&shown=4242+4242+4242+4242";
        assert_eq!(card(&format!("number=4242424242424242{declined}{shown}")), Some(Card::Declined));
        assert_eq!(card(&format!("number=4242424242424242{declined}")), Some(Card::Good));
        let after_a_decline = "&shown=4000+0000+0000+0002";
        assert_eq!(card(&format!("number=4242424242424242{declined}{after_a_decline}")), Some(Card::Good));
        let chosen = "&card=4242424242424242";
        assert_eq!(card(&format!("number=4000000000000002{chosen}{after_a_decline}")), Some(Card::Good));
        assert_eq!(card("number=4000000000009995&card=4242424242424242"), Some(Card::InsufficientFunds));
        assert_eq!(card("number=4242+4242+4242+4242"), Some(Card::Good));
        assert_eq!(card("number=4111111111111111&card=4242424242424242"), None);
        assert_eq!(card("card=4000000000000069"), Some(Card::Expired));
    }

    #[test]
    fn forms_of_other_sites_are_refused() {
        let with = |site: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("sec-fetch-site", HeaderValue::from_static(site));
            is_ours(&headers)
        };
        assert!(is_ours(&HeaderMap::new()) && with("same-origin") && with("none"));
        assert!(!with("cross-site") && !with("same-site"));
        let from = |origin: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("127.0.0.1:12111"));
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            is_ours(&headers)
        };
        assert!(from("http://127.0.0.1:12111"));
        for other in ["http://127.0.0.1:3000", "https://127.0.0.1:12111", "https://evil.example", "null", ""]
        {
            assert!(!from(other), "{other}");
        }
    }
}
