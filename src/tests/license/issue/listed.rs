//! However many licenses somebody has, they see all of them.

use std::collections::HashSet;

use devforge::license::{self, issue::GenerateOrder};

use super::{gift, given, people};
use crate::support::TestApp;

#[tokio::test]
async fn everything_that_somebody_has_can_be_reached_page_by_page() {
    let app = TestApp::start().await;
    let (ada, admin) = people(&app).await;
    // All at once, so that they differ by nothing but their ids.
    let made = given(&app, &admin, &GenerateOrder { count: 230, mail: false, ..gift(&ada) }).await;
    let (mut before, mut seen) = (None, HashSet::new());
    loop {
        let page = license::list_own(&app.ctx, &ada, before, license::MAX_LIST).await.expect("listed");
        assert!(page.len() <= 100);
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        for license in &page {
            assert!(seen.insert(license.id), "twice");
        }
    }
    let all: HashSet<_> = made.iter().map(|issued| issued.license.id).collect();
    assert_eq!(seen, all);
    assert_eq!(license::count_own(&app.ctx, &ada).await.expect("counted"), 230);
    assert_eq!(license::count_own(&app.ctx, &admin).await.expect("counted"), 0);
    let nobody = license::list_own(&app.ctx, &admin, before, license::MAX_LIST).await.expect("listed");
    assert!(nobody.is_empty(), "where somebody else is on their way leads to nothing of theirs");
}
