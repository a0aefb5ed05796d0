//! The client that talks to third parties.
//!
//! What always holds: connections are kept and used again, every attempt ends in time, no redirect is followed (what we
//! send carries keys), and an answer has a size it may not go beyond.

use std::time::Duration;

use reqwest::{Client, Response, redirect};

/// For one attempt, until the last byte of the answer.
const TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const IDLE: Duration = Duration::from_secs(60);
/// A page of a hundred subscriptions has a few hundred kB.
const LARGEST: usize = 4 * 1024 * 1024;

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// The request itself could not be made.
    Request,
    Network(&'static str),
    TooLarge,
}

impl NoAnswer {
    /// Says nothing of addresses and headers: it goes to the log.
    pub(super) const fn words(&self) -> &'static str {
        match *self {
            Self::Request => "the request could not be made",
            Self::Network(words) => words,
            Self::TooLarge => "the answer is larger than 4 MiB",
        }
    }
}

pub(super) fn client() -> Client {
    // One provider serves the whole process. The server installs it at its start; whoever uses this library without
    // the server, as tests do, has it from here. The second to install it changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .timeout(TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE)
        .redirect(redirect::Policy::none())
        .user_agent(concat!("devforge/", env!("CARGO_PKG_VERSION")))
        .build()
        .expect("a client of these settings can be built where there is a provider for TLS")
}

/// Reads the body, up to the size it may have.
pub(super) async fn body(mut response: Response) -> Result<Vec<u8>, NoAnswer> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| no_answer(&error))? {
        if body.len() + chunk.len() > LARGEST {
            return Err(NoAnswer::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

pub(super) fn no_answer(error: &reqwest::Error) -> NoAnswer {
    if error.is_builder() {
        NoAnswer::Request
    } else if error.is_timeout() {
        NoAnswer::Network("there was no answer in time")
    } else if error.is_connect() {
        NoAnswer::Network("there is no connection")
    } else {
        NoAnswer::Network("the connection broke")
    }
}
