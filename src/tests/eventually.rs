//! Waiting for what another task, or the server, is about to do. Both integration binaries use it.

use std::time::Duration;

const LONGEST: Duration = Duration::from_secs(20);
const BETWEEN: Duration = Duration::from_millis(10);

/// What `ask` gives once it gives something. Fails the test when that takes too long.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(BETWEEN).await;
        }
    };
    tokio::time::timeout(LONGEST, asking)
        .await
        .unwrap_or_else(|_| panic!("not within {} seconds: {what}", LONGEST.as_secs()))
}
