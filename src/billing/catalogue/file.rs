//! The catalogue as it stands in the repository: what an empty database begins with.
//!
//! What always holds: a code is known and stands once, every amount is one of its currency, and what is left out is
//! no. A mistake fails the tests, never a start.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use serde::Deserialize;

use super::rules;
use crate::contract::{
    money::{Currency, parse_amount},
    payment::{Interval, Tier},
};

const TEXT: &str = include_str!("../../../content/catalogue.toml");

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    /// In the order in which they are shown.
    pub tiers: Vec<TierEntry>,
    pub features: Vec<FeatureEntry>,
    pub prices: Vec<PriceEntry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierEntry {
    pub tier: Tier,
    pub name: String,
    pub description: String,
    pub by_quote: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureEntry {
    pub code: String,
    pub group: String,
    pub name: String,
    /// The tiers that have it, each with words where yes is not enough.
    pub tiers: Vec<(Tier, Option<String>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceEntry {
    pub tier: Tier,
    pub interval: Interval,
    pub currency: Currency,
    pub amount: i64,
    pub trial_days: u16,
}

static OURS: LazyLock<Catalogue> =
    LazyLock::new(|| read(TEXT).expect("content/catalogue.toml is checked by the test beside this"));

pub fn ours() -> &'static Catalogue {
    &OURS
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    tiers: Vec<FileTier>,
    groups: Vec<FileGroup>,
    prices: Vec<FilePrice>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTier {
    code: Tier,
    name: String,
    description: String,
    #[serde(default)]
    by_quote: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileGroup {
    name: String,
    features: Vec<FileFeature>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileFeature {
    code: String,
    name: String,
    #[serde(default)]
    free: FileCell,
    #[serde(default)]
    pro: FileCell,
    #[serde(default)]
    enterprise: FileCell,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum FileCell {
    Plain(bool),
    Words(String),
}

impl Default for FileCell {
    fn default() -> Self {
        Self::Plain(false)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FilePrice {
    tier: Tier,
    interval: Interval,
    #[serde(default)]
    trial_days: u16,
    amounts: BTreeMap<String, String>,
}

/// Reads a catalogue and checks all of it.
fn read(text: &str) -> Result<Catalogue, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    Ok(Catalogue {
        tiers: tiers(file.tiers)?,
        features: features(file.groups)?,
        prices: prices(&file.prices)?,
    })
}

fn tiers(listed: Vec<FileTier>) -> Result<Vec<TierEntry>, String> {
    let mut seen = BTreeSet::new();
    for tier in &listed {
        let code = tier.code.as_str();
        if !seen.insert(tier.code) {
            return Err(format!("the tier {code} stands twice"));
        }
        if !rules::is_one_line(&tier.name, rules::MAX_TIER_NAME_CHARS)
            || !rules::is_one_line(&tier.description, rules::MAX_TIER_DESCRIPTION_CHARS)
        {
            return Err(format!("the tier {code} needs a name and a description that fit"));
        }
    }
    if seen.len() != Tier::ALL.len() {
        return Err("every tier has to be there".to_owned());
    }
    let entry = |tier: FileTier| TierEntry {
        tier: tier.code,
        name: tier.name,
        description: tier.description,
        by_quote: tier.by_quote,
    };
    Ok(listed.into_iter().map(entry).collect())
}

fn features(groups: Vec<FileGroup>) -> Result<Vec<FeatureEntry>, String> {
    let (mut codes, mut names) = (BTreeSet::new(), BTreeSet::new());
    let mut features = Vec::new();
    for group in groups {
        if !rules::is_one_line(&group.name, 60) || !names.insert(group.name.clone()) {
            return Err(format!("the group “{}” stands twice or has no fitting name", group.name));
        }
        for feature in group.features {
            let code = feature.code;
            if !is_feature_code(&code) || !codes.insert(code.clone()) {
                return Err(format!("the feature “{code}” stands twice or is not written as a code"));
            }
            if !rules::is_one_line(&feature.name, 120) {
                return Err(format!("the feature {code} needs a name that fits"));
            }
            let mut tiers = Vec::new();
            let cells = [feature.free, feature.pro, feature.enterprise];
            for (tier, cell) in Tier::ALL.iter().copied().zip(cells) {
                match cell {
                    FileCell::Plain(false) => {}
                    FileCell::Plain(true) => tiers.push((tier, None)),
                    FileCell::Words(words) if rules::is_one_line(&words, 60) => {
                        tiers.push((tier, Some(words)));
                    }
                    FileCell::Words(_) => return Err(format!("the words of the feature {code} do not fit")),
                }
            }
            if tiers.is_empty() {
                return Err(format!("no tier has the feature {code}"));
            }
            features.push(FeatureEntry { code, group: group.name.clone(), name: feature.name, tiers });
        }
    }
    Ok(features)
}

fn is_feature_code(code: &str) -> bool {
    code.len() >= 2
        && code.len() <= 60
        && code.starts_with(|first: char| first.is_ascii_lowercase())
        && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn prices(listed: &[FilePrice]) -> Result<Vec<PriceEntry>, String> {
    let mut seen = BTreeSet::new();
    let mut prices = Vec::new();
    for price in listed {
        let (tier, interval) = (price.tier, price.interval);
        for (currency, amount) in &price.amounts {
            let what = format!("{} {} {currency} {amount}", tier.as_str(), interval.as_str());
            let currency = Currency::ALL.into_iter().find(|known| known.as_str() == currency);
            let currency = currency.ok_or_else(|| format!("{what}: no such currency"))?;
            let amount =
                parse_amount(amount, currency).ok_or_else(|| format!("{what}: that is no amount"))?;
            let wrong = rules::price_problems(tier, interval, amount, price.trial_days);
            if let Some(problem) = wrong.first() {
                return Err(format!("{what}: {}", problem.message));
            }
            if !seen.insert((tier, interval, currency)) {
                return Err(format!("{what}: there is a second price for the same"));
            }
            prices.push(PriceEntry { tier, interval, currency, amount, trial_days: price.trial_days });
        }
    }
    Ok(prices)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIERS: &str = "tiers = [
        { code = 'free', name = 'Free', description = 'x' },
        { code = 'pro', name = 'Pro', description = 'x' },
        { code = 'enterprise', name = 'E', description = 'x', by_quote = true },
    ]\n";

    fn mistake(groups: &str, prices: &str) -> String {
        read(&format!("{TIERS}groups = [{groups}]\nprices = [{prices}]")).expect_err("it has a mistake")
    }

    #[test]
    fn ours_is_sound_and_offers_pro_in_every_way_and_currency() {
        let ours = read(TEXT).expect("content/catalogue.toml is sound");
        for interval in Interval::ALL.iter().copied() {
            for currency in Currency::ALL {
                let found = ours.prices.iter().filter(|price| {
                    (price.tier, price.interval, price.currency) == (Tier::Pro, interval, currency)
                });
                assert_eq!(found.count(), 1, "{interval:?} {currency:?}");
            }
        }
        assert!(ours.prices.iter().all(|price| price.tier != Tier::Free));
        let pro = ours.tiers.iter().find(|entry| entry.tier == Tier::Pro).expect("there");
        assert!(!pro.by_quote);
        assert_eq!(ours.features.len(), 16);
    }

    #[test]
    fn a_year_costs_less_than_twelve_months() {
        let ours = ours();
        for currency in Currency::ALL {
            let amount = |interval| {
                let mut prices = ours.prices.iter().filter(|price| price.currency == currency);
                prices
                    .find(|price| price.tier == Tier::Pro && price.interval == interval)
                    .expect("there")
                    .amount
            };
            assert!(amount(Interval::Year) < 12 * amount(Interval::Month), "{currency:?}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        let feature = |code: &str| format!("{{ code = '{code}', name = 'x', pro = true }}");
        let group = |features: &str| format!("{{ name = 'G', features = [{features}] }}");
        let twice = format!("{}, {}", feature("a_b"), feature("a_b"));
        for (groups, what) in [
            (group(&feature("A")), "not written as a code"),
            (group(&twice), "stands twice"),
            (group("{ code = 'ab', name = 'x' }"), "no tier has"),
            (group("{ code = 'ab', name = '', pro = true }"), "needs a name"),
            (group("{ code = 'ab', name = 'x', pro = '' }"), "do not fit"),
            (format!("{}, {}", group(""), group("")), "stands twice"),
        ] {
            let told = mistake(&groups, "");
            assert!(told.contains(what), "{told}");
        }
        let price = |rest: &str| format!("{{ tier = 'pro', {rest} }}");
        let month = price("interval = 'month', amounts = { usd = '19' }");
        for (prices, what) in [
            (price("interval = 'week', amounts = { usd = '19' }"), "week"),
            (price("interval = 'month', amounts = { chf = '19' }"), "no such currency"),
            (price("interval = 'month', amounts = { jpy = '19.50' }"), "no amount"),
            (price("interval = 'once', trial_days = 14, amounts = { usd = '19' }"), "trial"),
            (format!("{month}, {month}"), "second price"),
            (month.replace("pro", "free"), "costs nothing"),
        ] {
            let told = mistake("", &prices);
            assert!(told.contains(what), "{told}");
        }
        let told = read("tiers = []\ngroups = []\nprices = []").expect_err("tiers are missing");
        assert!(told.contains("every tier"), "{told}");
    }
}
