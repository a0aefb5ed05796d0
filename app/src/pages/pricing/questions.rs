//! What people ask before they buy. The answers say no more than the terms and the refund policy do.

use leptos::prelude::*;

use crate::components::Icon;

/// `trial` is the longest trial in days; 0 where nothing is free at the start.
pub fn questions(email: &str, trial: u16) -> AnyView {
    let trial = (trial > 0).then(|| {
        let text = format!(
            "Signed in, you give a way to pay and are charged nothing for the first {trial} days. The day on which that ends \
             stands on the last page before you confirm, and in your account. Cancel before then and nothing is paid."
        );
        question("How does the free time at the start work?", view! { <p>{text}</p> }.into_any())
    });
    view! {
        <section class="section page">
            <div class="hot-bar questions">
                <h2 class="section-title">"Before you buy"</h2>
                <div>
                    {question("When do I have what I bought?", when())}
                    {trial}
                    {question("What happens when a license ends?", ends())}
                    {question("Does the editor need a connection?", offline())}
                    {question("How do taxes work?", taxes())}
                    {question("Do you take purchase orders?", orders(email))}
                    {question("Can I get my money back?", refunds())}
                </div>
            </div>
        </section>
    }
    .into_any()
}

fn question(question: &'static str, answer: AnyView) -> AnyView {
    view! {
        <details>
            <summary><h3>{question}</h3><Icon name="plus"/></summary>
            {answer}
        </details>
    }
    .into_any()
}

fn when() -> AnyView {
    view! {
        <p>
            "The page of your order shows it as soon as the payment is through, which takes seconds with most cards. "
            "A mail brings you a link to that page. You need no account to buy."
        </p>
    }
    .into_any()
}

fn ends() -> AnyView {
    view! {
        <p>
            "The editor goes to the Free tier. It keeps working, and it never locks a file. A subscription that you "
            "cancel runs to the end of the time you have paid for."
        </p>
    }
    .into_any()
}

fn offline() -> AnyView {
    view! {
        <p>
            "No. The answer to a license check is signed, so your machine can check it by itself and works with it "
            "until it runs out. Then the editor goes to the Free tier until it reaches us again."
        </p>
    }
    .into_any()
}

fn taxes() -> AnyView {
    view! {
        <p>
            "Checkout adds the tax of your country before you pay, and the invoice names it. Give your VAT number there "
            "if you have one: where the reverse charge applies, no tax is added and you declare it yourself."
        </p>
    }
    .into_any()
}

fn orders(email: &str) -> AnyView {
    let write = if email.is_empty() {
        view! { <a href="/legal/imprint">"Write to us"</a> }.into_any()
    } else {
        view! { <a href=format!("mailto:{email}")>"Write to us"</a> }.into_any()
    };
    view! {
        <p>
            "For Enterprise, where the agreement can be signed on paper. "{write}" with the number of seats. "
            "Pro is paid at checkout."
        </p>
    }
    .into_any()
}

fn refunds() -> AnyView {
    view! {
        <p>
            "Yes, all of it, within 14 days of a first purchase or of a yearly renewal, without a reason. What holds "
            "after that stands under "<a href="/legal/refunds">"Refunds"</a>"."
        </p>
    }
    .into_any()
}
