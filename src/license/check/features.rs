//! What each tier includes, as codes.

use std::collections::HashMap;

use time::OffsetDateTime;

use crate::{billing::catalogue, contract::payment::Tier, license::ExtraFeature};

/// The codes of each tier's features, in the catalogue's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierFeatures(HashMap<Tier, Vec<String>>);

impl TierFeatures {
    pub(super) const fn new(by_tier: HashMap<Tier, Vec<String>>) -> Self {
        Self(by_tier)
    }

    /// What this program was made with: for when nothing else was read yet.
    pub(super) fn at_first() -> Self {
        Self(catalogue::first_features())
    }

    /// The features of a tier, and what a license has beyond them.
    pub fn of(&self, tier: Tier, extra: &[ExtraFeature], now: OffsetDateTime) -> Vec<String> {
        let mut features = self.0.get(&tier).cloned().unwrap_or_default();
        for extra in extra {
            if extra.until.is_none_or(|until| until > now) && !features.contains(&extra.feature) {
                features.push(extra.feature.clone());
            }
        }
        features
    }
}
