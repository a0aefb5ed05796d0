//! What the pages say of licenses: of very many, to a token that is for other things, and of what became of an order.

use std::collections::HashSet;

use axum::http::{StatusCode, header};
use devforge::{
    account::personal_token,
    billing::order,
    contract::{
        account::{NewPersonalToken, Role, Scope},
        payment::Tier,
    },
    license::{
        self,
        issue::{self, GenerateOrder},
        life,
    },
};
use stripe_simulator::Card;

use super::Given;
use crate::{
    checkout::{form, pay},
    eventually::eventually,
    support::{Answer, TestSite, send},
};

const LIST: &str = "/account/licenses";

/// The licenses that a list leads to, in its order.
fn listed(page: &Answer) -> Vec<&str> {
    let links = page.text().split("href=\"/account/licenses/").skip(1);
    links.filter_map(|rest| rest.split('"').next()).collect()
}

/// The way to the older ones.
fn older(page: &Answer) -> Option<String> {
    let before = page.text().split("href=\"/account/licenses?before=").nth(1)?.split('"').next()?;
    Some(format!("{LIST}?before={before}"))
}

#[tokio::test]
async fn whoever_has_very_many_gets_to_all_of_them() {
    let given = Given::one().await;
    let order = GenerateOrder {
        account: given.owner.user.id,
        tier: Tier::Pro,
        seats: 1,
        count: 101,
        expires_at: None,
        fallback: false,
        floating: false,
        overage: 0,
        reason: "for a team".to_owned(),
        mail: false,
        request: None,
    };
    Box::pin(issue::generate(&given.site.ctx, &given.admin, &order)).await.expect("made");

    let mut seen = HashSet::new();
    let (mut path, mut pages, mut oldest) = (LIST.to_owned(), Vec::new(), String::new());
    loop {
        let page = given.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(page.text().contains("102 licenses, the newest first"));
        let ids = listed(&page);
        pages.push(ids.len());
        ids.last().copied().unwrap_or_default().clone_into(&mut oldest);
        seen.extend(ids.into_iter().map(str::to_owned));
        let Some(next) = older(&page) else { break };
        path = next;
    }
    assert_eq!((pages, seen.len()), (vec![50, 50, 2], 102));
    assert!(seen.contains(&given.license.id.to_string()));

    let beyond = given.get(&format!("{LIST}?before={oldest}")).await;
    assert!(beyond.text().contains("No older licenses"));
    let nonsense = given.get(&format!("{LIST}?before=x")).await;
    assert_eq!(listed(&nonsense).len(), 50);
    assert!(given.get("/account").await.text().contains("All 102 licenses"));
    let activate = given.get("/activate").await;
    assert!(activate.text().contains("You have older licenses too."));
    assert_eq!(activate.text().matches("name=\"license\"").count(), 50);
}

#[tokio::test]
async fn a_token_that_is_not_for_licenses_sees_the_rest_of_the_account() {
    let site = TestSite::start_with_fixed_clock().await;
    let user = site.person(Role::Customer).await;
    let (_, caller) = site.session_of(&user).await;
    let page = async |scopes: &[Scope], path: &str| {
        let new =
            NewPersonalToken { name: "A script".to_owned(), scopes: scopes.to_vec(), expires_in_days: None };
        let made = personal_token::create(&site.ctx, &caller, &new).await.expect("a token");
        send(site.visit(path).header(header::AUTHORIZATION, format!("Bearer {}", made.token))).await
    };
    let without = page(&[Scope::AccountRead], "/account").await;
    assert_eq!(without.status, StatusCode::OK, "{}", without.text());
    assert!(without.text().contains(&user.email) && !without.text().contains("You use the free tier"));
    let with = page(&[Scope::AccountRead, Scope::LicensesRead], "/account").await;
    assert!(with.text().contains("You use the free tier"));
    assert_eq!(page(&[Scope::AccountRead], LIST).await.status, StatusCode::FORBIDDEN);
    assert_eq!(page(&[Scope::AccountRead], "/activate").await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_was_bought_is_told_of_as_it_stands() {
    let (site, stripe) = TestSite::start_selling().await;
    let (_, admin) = site.session_of(&site.person(Role::Admin).await).await;
    let bought = send(site.post("/checkout", &form(&[]))).await;
    assert_eq!(bought.status, StatusCode::SEE_OTHER, "{}", bought.text());
    let order =
        order::list(&site.ctx, &admin, &order::Filter::default()).await.expect("the orders").remove(0);
    let path = order::path(&site.ctx, order.id);
    pay(&stripe, &order, Card::Good);
    let ready = eventually("the license is there", async || {
        site.run_jobs().await;
        let page = send(site.visit(&path)).await;
        page.text().contains("The key is in the mail to").then_some(page)
    })
    .await;
    // Who has the link need not have an account, and is not told whether the address has one.
    assert!(ready.text().contains("The key is in the mail to grace@example.com."), "{}", ready.text());

    let id = license::of_order(&site.ctx, order.id).await.expect("the licenses").remove(0).id;
    let stands = async |word: &str, about: &str| {
        let page = send(site.visit(&path)).await;
        for words in [word, about, "Your order is paid"] {
            assert!(page.text().contains(words), "{words}: {}", page.text());
        }
        for words in ["The key is in the mail", "Being made", "href=\"/activate\">Activate it"] {
            assert!(!page.text().contains(words), "{word}: {words}");
        }
    };
    life::suspend(&site.ctx, &admin, id, "asked by its owner").await.expect("held back");
    stands("Paused", "We paused it.").await;
    life::reinstate(&site.ctx, &admin, id, "").await.expect("reinstated");
    life::revoke(&site.ctx, &admin, id, "asked by its owner").await.expect("taken away");
    stands("Taken away", "We took it away.").await;
}
