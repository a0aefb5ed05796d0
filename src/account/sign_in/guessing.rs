//! What makes guessing slow: the counts a try falls under, and when they are let go.
//!
//! What always holds: a device its owner was signed in on has a count of its own, so that guessing from elsewhere
//! keeps nobody out; what is counted is counted under keyed hashes, because the ledgers hold no addresses of people.

use std::time::Duration;

use crate::{
    account::{Client, Error},
    context::Context,
    contract::{account::User, id::UserId},
    crypto::Purpose,
    rate_limit::{
        self, Limit, Verdict,
        throttle::{self, Throttle},
    },
    session,
};

const MINUTE: u64 = 60;
/// From one network, whatever the addresses tried.
const PER_NETWORK: Limit =
    Limit { name: "sign_in_network", times: 200, per: Duration::from_secs(15 * MINUTE) };
/// One account from one network.
const FROM_HERE: Throttle = Throttle {
    name: "sign_in_here",
    free: 5,
    first_wait: Duration::from_secs(15),
    longest_wait: Duration::from_secs(15 * MINUTE),
    forget_after: Duration::from_secs(60 * MINUTE),
};
/// One account from everywhere it was not signed in before.
const FROM_ELSEWHERE: Throttle = Throttle { name: "sign_in_elsewhere", free: 30, ..FROM_HERE };
/// One account from a device it was signed in on: its owner, most likely.
const FROM_KNOWN_DEVICE: Throttle = Throttle { name: "sign_in_known", free: 10, ..FROM_HERE };
/// The password once more, by whoever holds a session.
const CONFIRMATIONS: Throttle = Throttle { name: "sign_in_confirm", ..FROM_HERE };
// Codes, once the password was right. There are only a million of them.
const CODES_HERE: Throttle = Throttle { name: "sign_in_code_here", ..FROM_HERE };
const CODES_ELSEWHERE: Throttle = Throttle { name: "sign_in_code_elsewhere", ..FROM_ELSEWHERE };
const CODES_KNOWN: Throttle = Throttle { name: "sign_in_code_known", ..FROM_KNOWN_DEVICE };

/// The counts that one try falls under.
pub struct Tries(Vec<(&'static Throttle, [u8; 32])>);

impl Tries {
    /// A password for this address. An address without an account is counted, and looked up, like any other.
    pub async fn of_password(
        ctx: &Context,
        email: &str,
        account: Option<UserId>,
        client: &Client,
    ) -> Result<Self, Error> {
        let here = place_key(ctx, email, client);
        let everywhere = email_key(ctx, email);
        Ok(match session::known_device(ctx, account, client).await? {
            Some(device) => Self(vec![(&FROM_KNOWN_DEVICE, device)]),
            None => Self(vec![(&FROM_HERE, here), (&FROM_ELSEWHERE, everywhere)]),
        })
    }

    /// A code, by somebody who knows the password.
    pub async fn of_code(ctx: &Context, user: &User, client: &Client) -> Result<Self, Error> {
        Ok(match session::known_device(ctx, Some(user.id), client).await? {
            Some(device) => Self(vec![(&CODES_KNOWN, device)]),
            None => Self(vec![
                (&CODES_HERE, place_key(ctx, &user.email, client)),
                (&CODES_ELSEWHERE, account_key(ctx, user.id)),
            ]),
        })
    }

    /// The password once more, by whoever holds a session of this account.
    pub fn of_confirmation(ctx: &Context, user: UserId) -> Self {
        Self(vec![(&CONFIRMATIONS, account_key(ctx, user))])
    }

    /// Counts one try, or says how long to wait.
    pub async fn admit(&self, ctx: &Context) -> Result<(), Error> {
        for (throttle, key) in &self.0 {
            allow(throttle::admit(ctx, throttle, key).await?)?;
        }
        Ok(())
    }

    /// Begins the counting anew: who was right is not the one who guesses.
    pub async fn forgive(&self, ctx: &Context) -> Result<(), Error> {
        for (throttle, key) in &self.0 {
            throttle::forgive(ctx, throttle, key).await?;
        }
        Ok(())
    }
}

/// Counts a sign-in from a network, of whatever kind.
pub async fn take_network(ctx: &Context, client: &Client) -> Result<(), Error> {
    let key = ctx.hashers.keyed(Purpose::RateLimitKey, client.network.as_bytes());
    allow(rate_limit::take(ctx, PER_NETWORK, &key).await?)
}

/// Lets whoever has just shown in another way that the account is theirs sign in at once, whatever others guessed.
pub async fn forgive(ctx: &Context, email: &str, user: UserId, client: &Client) -> Result<(), Error> {
    Tries(vec![
        (&FROM_HERE, place_key(ctx, email, client)),
        (&FROM_ELSEWHERE, email_key(ctx, email)),
        (&CODES_HERE, place_key(ctx, email, client)),
        (&CODES_ELSEWHERE, account_key(ctx, user)),
    ])
    .forgive(ctx)
    .await
}

fn allow(verdict: Verdict) -> Result<(), Error> {
    match verdict {
        Verdict::Go => Ok(()),
        Verdict::Wait(retry_after) => Err(Error::TooManyTries { retry_after }),
    }
}

fn account_key(ctx: &Context, user: UserId) -> [u8; 32] {
    ctx.hashers.keyed(Purpose::RateLimitKey, user.uuid().as_bytes())
}

fn email_key(ctx: &Context, email: &str) -> [u8; 32] {
    ctx.hashers.keyed(Purpose::RateLimitKey, email.to_lowercase().as_bytes())
}

fn place_key(ctx: &Context, email: &str, client: &Client) -> [u8; 32] {
    let value = format!("{}\n{}", email.to_lowercase(), client.network);
    ctx.hashers.keyed(Purpose::RateLimitKey, value.as_bytes())
}
