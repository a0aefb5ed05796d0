//! A document for the screen and for the printer of a browser.

use devforge::{
    billing::document::{Content, Document, DocumentRef, Party},
    contract::payment::{DocumentKind, Line},
};
use leptos::prelude::*;

use crate::components::{Breadcrumb, Icon};
use crate::pages::{account::state_of, moments::day};

/// All that the page shows.
pub struct Shown {
    pub document: Document,
    /// The other documents about the same payment.
    pub beside: Vec<DocumentRef>,
    /// Where its printed form is.
    pub pdf: String,
    pub signed_in: bool,
}

pub fn invoice_view(shown: &Shown) -> AnyView {
    let content = &shown.document.content;
    let trail = shown.signed_in.then(|| {
        let trail = vec![("Billing".to_owned(), "/account/billing".to_owned())];
        view! { <Breadcrumb trail=trail here=content.number.clone()/> }
    });
    view! {
        <div class="invoice page">
            <header class="invoice-head">
                {trail}
                <h1 class="page-title">{content.kind.label()}" "{content.number.clone()}</h1>
                {state_of(content.kind, shown.document.status())}
                <a class="button primary" href=shown.pdf.clone()><Icon name="download" size=16/>"Download PDF"</a>
            </header>
            <article class="panel" aria-label="The document">
                {facts(content)}
                <div class="invoice-parties">
                    {party("From", &content.seller)}
                    {party("Bill to", &content.buyer)}
                </div>
                {lines(content)}
                {sums(content)}
                {notes(content)}
            </article>
            {(!shown.beside.is_empty()).then(|| beside(&shown.beside))}
        </div>
    }
    .into_any()
}

fn facts(content: &Content) -> AnyView {
    let paid = content.paid_at.map(|at| fact("Date paid", day(at)));
    let corrects = content.corrects.as_ref().map(|of| {
        let what = if content.kind == DocumentKind::CreditNote { "For invoice" } else { "For credit note" };
        fact(what, format!("{} of {}", of.number, day(of.issued_at)))
    });
    view! {
        <dl class="facts">
            {fact("Number", content.number.clone())}
            {fact("Date of issue", day(content.issued_at))}
            {paid}
            {corrects}
        </dl>
    }
    .into_any()
}

fn fact(label: &'static str, value: String) -> AnyView {
    view! { <div><dt>{label}</dt><dd>{value}</dd></div> }.into_any()
}

fn party(head: &'static str, party: &Party) -> AnyView {
    let lines = party.address.iter().map(|line| view! { <span>{line.clone()}</span> }).collect_view();
    let tax_id = party.tax_id.as_ref().map(|id| view! { <span>"Tax ID "{id.clone()}</span> });
    view! {
        <div>
            <h2>{head}</h2>
            <address>
                <strong>{party.name.clone()}</strong>
                {lines}
                <span>{party.email.clone()}</span>
                {tax_id}
            </address>
        </div>
    }
    .into_any()
}

fn lines(content: &Content) -> AnyView {
    let rows = content.shown_lines().map(|one| line(content, one)).collect_view();
    view! {
        <div class="table-wrap" tabindex="0" role="region" aria-label="What it is for">
            <table class="table stack">
                <thead>
                    <tr>
                        <th scope="col">"Description"</th>
                        <th scope="col" class="num">"Quantity"</th>
                        <th scope="col" class="num">"Unit price"</th>
                        <th scope="col" class="num">"Tax"</th>
                        <th scope="col" class="num">"Amount"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn line(content: &Content, line: &Line) -> AnyView {
    let discount = (line.discount != 0).then(|| {
        let text = format!("Discount {}", content.money(-line.discount));
        view! { <small>{text}</small> }
    });
    view! {
        <tr>
            <th scope="row"><span>{line.description.clone()}{discount}</span></th>
            <td class="num" data-label="Quantity">{line.quantity.to_string()}</td>
            <td class="num" data-label="Unit price">{content.money(line.unit_amount).to_string()}</td>
            <td class="num" data-label="Tax">{line.tax.rate.to_string()}</td>
            <td class="num" data-label="Amount">{content.money(line.net).to_string()}</td>
        </tr>
    }
    .into_any()
}

fn sums(content: &Content) -> AnyView {
    let taxes = content
        .taxes
        .iter()
        .map(|tax| {
            let words = format!("{} on {}", tax.reason, content.money(tax.net));
            sum(words, content.money(tax.tax).to_string())
        })
        .collect_view();
    let total = match content.kind {
        DocumentKind::Invoice => "Total",
        DocumentKind::CreditNote => "Total credited",
        DocumentKind::CreditNoteReversal => "Total taken back",
    };
    view! {
        <dl class="invoice-sums">
            {sum("Subtotal".to_owned(), content.money(content.subtotal).to_string())}
            {taxes}
            {sum(total.to_owned(), content.money(content.total).to_string())}
        </dl>
    }
    .into_any()
}

fn sum(label: String, amount: String) -> AnyView {
    view! { <div><dt>{label}</dt><dd>{amount}</dd></div> }.into_any()
}

fn notes(content: &Content) -> AnyView {
    let reason = content.corrects.as_ref().map(|of| format!("Reason: {}", of.reason));
    [content.settled(), reason, content.note.clone()]
        .into_iter()
        .flatten()
        .map(|note| view! { <p class="quiet small">{note}</p> })
        .collect_view()
        .into_any()
}

fn beside(documents: &[DocumentRef]) -> AnyView {
    let rows = documents
        .iter()
        .map(|document| {
            let about = format!("{} · {}", document.kind.label(), day(document.issued_at));
            view! {
                <li class="row">
                    <div>
                        <a class="row-title" href=document.url.clone()>{document.number.clone()}</a>
                        <p class="meta">{about}</p>
                    </div>
                    <span>{document.total.to_string()}</span>
                </li>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="beside">
            <h2 class="panel-title" id="beside">"About the same payment"</h2>
            <ul class="rows">{rows}</ul>
        </section>
    }
    .into_any()
}
