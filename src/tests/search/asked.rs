//! What people look for is counted, and nothing of theirs is kept.

use devforge::{account::Caller, clock::Clock, contract::account::Role, jobs::Job, search::asked};
use time::macros::datetime;

use super::{RARE, other_node, prepare, staff};
use crate::{api::client::get, support::TestApp};

#[tokio::test]
async fn what_people_look_for_is_counted_over_all_nodes_and_nothing_of_theirs_is_kept() {
    let app = TestApp::start().await;
    let other = other_node(&app).await;
    for node in [&app.ctx, &other] {
        prepare(node).await;
        for path in [
            "/api/search?q=Privacy",
            "/api/search?q=%20privacy%20",
            "/api/search?q=privacy&offset=1",
            "/api/search?q=privacy&typing=true",
            &format!("/api/search?q={RARE}"),
            // Nothing of this kind, but something there is.
            "/api/search?q=privacy&kind=changelog&limit=1",
            "/api/search?q=ada%40example.com",
            "/api/search?q=070%20123%2045%2067",
            "/api/search?q=DF-7K2QF-0ABCD-11111-22222-33333",
            "/api/search?q=",
        ] {
            assert_eq!(get(node, path).await.status, 200, "{path}");
        }
    }
    asked::flush(&app.ctx).await.expect("written down");
    asked::flush(&other).await.expect("written down");
    asked::flush(&other).await.expect("nothing is left");

    let support = staff(&app).await;
    let report = asked::list(&app.ctx, &support, 7).await.expect("listed");
    let most: Vec<(&str, i64, i64)> =
        report.most.iter().map(|asked| (asked.words.as_str(), asked.times, asked.found_nothing)).collect();
    assert_eq!(most, [("privacy", 6, 0), (RARE, 2, 2)]);
    assert_eq!(report.missed.len(), 1);
    assert_eq!((report.totals.asked, report.totals.found_nothing, report.totals.different), (8, 2, 2));

    let customer = app.signed_in("ada@example.com", Role::Customer).await;
    assert!(matches!(asked::list(&app.ctx, &customer, 7).await, Err(asked::Error::Denied(_))));
    assert!(matches!(asked::list(&app.ctx, &Caller::Anonymous, 7).await, Err(asked::Error::Denied(_))));
}

#[tokio::test]
async fn what_people_looked_for_is_kept_for_four_hundred_days() {
    let app = TestApp::start_at(Clock::fixed(datetime!(2026-11-20 23:59 UTC)), |_| ()).await;
    asked::note(&app.ctx, "activate", 3);
    asked::flush(&app.ctx).await.expect("written down");
    app.ctx.clock.advance(time::Duration::days(400));
    asked::note(&app.ctx, "renew", 3);
    asked::flush(&app.ctx).await.expect("written down");
    let different = async || {
        let support = app.signed_in_again("grace@example.com").await;
        let report = asked::list(&app.ctx, &support, 1_000).await.expect("listed");
        report.totals.different
    };
    app.person("grace@example.com", Role::Support).await;
    asked::PurgeAsked {}.run(app.ctx.clone()).await.expect("purged");
    assert_eq!(different().await, 2);
    app.ctx.clock.advance(time::Duration::days(1));
    asked::PurgeAsked {}.run(app.ctx.clone()).await.expect("purged");
    assert_eq!(different().await, 1);
}
