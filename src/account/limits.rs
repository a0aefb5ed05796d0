//! How often the doors that stand open may be knocked at: what costs a mail or a hash, or could be guessed at.
//!
//! Counted under keyed hashes, so that the ledger names nobody.

use std::time::Duration;

use super::Error;
use crate::{
    context::Context,
    contract::id::UserId,
    crypto::Purpose,
    rate_limit::{self, Limit, Verdict},
};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Forms sent, whatever is wrong with them: judging a password costs more than reading one.
pub const REGISTRATION_TRIES: Limit = limit("register_try", 60, HOUR);
pub const REGISTRATIONS_AN_HOUR: Limit = limit("register_hour", 20, HOUR);
pub const REGISTRATIONS_A_DAY: Limit = limit("register_day", 100, DAY);
pub const VERIFICATION_MAILS: Limit = limit("verification_mail", 5, HOUR);
/// From one network, so that nobody elsewhere uses up what its owner has.
pub const RESETS_OF_AN_ADDRESS_FROM_A_NETWORK: Limit = limit("reset_address_network", 3, HOUR);
/// From everywhere. So many that it takes twenty networks to keep its owner waiting, and a mailbox bears them.
pub const RESETS_OF_AN_ADDRESS: Limit = limit("reset_address", 60, HOUR);
pub const RESETS_FROM_A_NETWORK: Limit = limit("reset_network", 20, HOUR);
/// Passwords tried with a link that is good.
pub const RESET_TRIES: Limit = limit("reset_try", 20, HOUR);
pub const PASSWORD_CHECKS: Limit = limit("password_check", 10, 15 * MINUTE);
pub const EMAIL_CHANGES: Limit = limit("email_change", 5, HOUR);

const fn limit(name: &'static str, times: u32, seconds: u64) -> Limit {
    Limit { name, times, per: Duration::from_secs(seconds) }
}

/// Whose tries are counted.
#[derive(Debug, Clone, Copy)]
pub enum Of<'a> {
    Account(UserId),
    Address(&'a str),
    AddressFrom { address: &'a str, network: &'a str },
    Network(&'a str),
}

/// Counts one try, and refuses it when there were too many.
pub async fn take(ctx: &Context, limit: Limit, of: Of<'_>) -> Result<(), Error> {
    match rate_limit::take(ctx, limit, &key(ctx, of)).await? {
        Verdict::Go => Ok(()),
        Verdict::Wait(retry_after) => Err(Error::TooManyTries { retry_after }),
    }
}

/// Starts the counting anew.
pub async fn forget(ctx: &Context, limit: Limit, of: Of<'_>) -> Result<(), Error> {
    Ok(rate_limit::forget(ctx, limit, &key(ctx, of)).await?)
}

fn key(ctx: &Context, of: Of<'_>) -> [u8; 32] {
    let keyed = |value: &[u8]| ctx.hashers.keyed(Purpose::RateLimitKey, value);
    match of {
        Of::Account(id) => keyed(id.uuid().as_bytes()),
        Of::Address(address) => keyed(address.to_lowercase().as_bytes()),
        Of::AddressFrom { address, network } => {
            keyed(format!("{}\n{network}", address.to_lowercase()).as_bytes())
        }
        Of::Network(network) => keyed(network.as_bytes()),
    }
}
