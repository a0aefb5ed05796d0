//! The mails that bring documents.
//!
//! What always holds: the link in them opens one document and nothing else; a name that somebody typed greets nobody
//! at an address that nobody has proven.

use sqlx::PgConnection;

use super::{Document, content::day, link, store};
use crate::{
    billing::Error,
    context::Context,
    contract::{id::InvoiceId, payment::DocumentKind},
    mail::{self, Message, Recipient},
};

/// Queues the mail with the link to a document, in the transaction that issues it.
pub async fn mail_document(conn: &mut PgConnection, ctx: &Context, id: InvoiceId) -> Result<(), Error> {
    let document = store::find(&mut *conn, id).await?.ok_or(Error::NotFound)?;
    if !mail::accepts(&document.content.buyer.email) {
        // A payment is not lost over an address: the document is in the account, and with support.
        return Ok(());
    }
    let message = message(ctx, &document);
    let kind = match document.content.kind {
        DocumentKind::Invoice => "billing_invoice",
        DocumentKind::CreditNote => "billing_credit_note",
        DocumentKind::CreditNoteReversal => "billing_credit_note_reversal",
    };
    let buyer = &document.content.buyer;
    let Some(account) = document.account else {
        let to = Recipient::nameless(&buyer.email);
        mail::send(conn, ctx, &to, kind, &message.greeting("Hello,")).await?;
        return Ok(());
    };
    let (to, greeting) = if !buyer.name.is_empty() && store::is_proven(&mut *conn, account).await? {
        (Recipient::new(&buyer.email, &buyer.name), format!("Hello {},", buyer.name))
    } else {
        (Recipient::nameless(&buyer.email), "Hello,".to_owned())
    };
    mail::send_to_account(conn, ctx, account, &to, kind, &message.greeting(greeting)).await?;
    Ok(())
}

fn message(ctx: &Context, document: &Document) -> Message {
    let content = &document.content;
    let number = &content.number;
    let (subject, first, action) = match content.kind {
        DocumentKind::Invoice => (
            format!("Your invoice {number} from Dev Forge"),
            "thank you for your purchase. Here is the invoice.",
            "Open the invoice",
        ),
        DocumentKind::CreditNote => (
            format!("Your credit note {number} from Dev Forge"),
            "we gave you money back. Here is the credit note. Until it is on your account, a bank takes up to ten days.",
            "Open the credit note",
        ),
        DocumentKind::CreditNoteReversal => (
            format!("Your refund came back to us ({number})"),
            "a refund of ours did not reach you: the bank sent it back. This document takes back its credit note. \
             You still get your money. Answer this mail so that we find a way.",
            "Open the document",
        ),
    };
    let mut facts = vec![("Number", number.clone()), ("Amount", content.money(content.total).to_string())];
    facts.push(("Date", day(content.issued_at)));
    if let Some(of) = &content.corrects {
        facts.push(("Corrects", of.number.clone()));
    }
    Message::new(subject)
        .paragraph(first)
        .facts(facts)
        .action(action, link(ctx, document.id))
        .note("The link opens this one document, for whoever has it. It is also in your account, under Billing.")
        .sensitive()
}
