//! What mails about refunds say. That money goes back, the credit note's mail tells.

use sqlx::PgConnection;

use super::{
    requests::RefundWish,
    store::{self, RefundItem},
};
use crate::{
    billing::{Error, document, order, payment::Payment},
    context::Context,
    contract::id::InvoiceId,
    mail::{self, Message, Recipient},
};

/// The bank has sent a refund back to us.
pub async fn refund_failed(
    conn: &mut PgConnection,
    ctx: &Context,
    payment: &Payment,
    refund: &RefundItem,
    reversal: Option<InvoiceId>,
) -> Result<(), Error> {
    let Some(address) = store::address_of(&mut *conn, payment.id).await? else { return Ok(()) };
    let mut message = Message::new("Your refund did not arrive")
        .greeting("Hello,")
        .paragraph(format!(
            "we gave {} back to you, and your bank returned it to us. The credit note is taken back as well.",
            refund.amount
        ))
        .paragraph("We will find another way: answer this mail, or write to our support, and tell us which.");
    if let Some(reversal) = reversal {
        message = message.action("See the document", document::link(ctx, reversal));
    }
    let to = Recipient::nameless(address);
    match payment.account {
        Some(account) => mail::send_to_account(conn, ctx, account, &to, "refund_failed", &message).await?,
        None => mail::send(conn, ctx, &to, "refund_failed", &message).await?,
    };
    Ok(())
}

pub async fn decided(
    conn: &mut PgConnection,
    ctx: &Context,
    wish: &RefundWish,
    status: &str,
    answer: &str,
) -> Result<(), Error> {
    let subject =
        if status == "accepted" { "Your money is on its way" } else { "About the refund you asked for" };
    let message = Message::new(subject)
        .greeting("Hello,")
        .paragraph(if status == "accepted" {
            "you asked for your money back, and we are giving it back. Banks usually take five to ten days to show it."
        } else {
            "you asked for your money back. We cannot give it back, and this is why:"
        })
        .paragraph(answer)
        .action("See the order", order::link(ctx, wish.order))
        // Whoever has the link sees the order.
        .sensitive();
    let to = Recipient::nameless(wish.email.as_str());
    mail::send_to_account(conn, ctx, wish.account, &to, "refund_decided", &message).await?;
    Ok(())
}
