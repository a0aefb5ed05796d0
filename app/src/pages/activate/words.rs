//! What a license that is refused is told, code by code, and what to do next.

use devforge::contract::license::LicenseCode;

/// What is wrong with the license itself: nothing in the form puts it right.
pub struct Refusal {
    pub tone: &'static str,
    pub icon: &'static str,
    pub title: &'static str,
    pub text: &'static str,
    /// Addresses and their words, the likeliest first.
    pub ways: Vec<(String, &'static str)>,
}

/// What is wrong with what was typed.
pub const fn at_field(code: LicenseCode) -> Option<(&'static str, &'static str)> {
    match code {
        LicenseCode::NotFound => Some((
            "licenseKey",
            "We do not know this key. Compare it with the one in your mail: it begins with DF and has five groups.",
        )),
        LicenseCode::ProductMismatch => {
            Some(("licenseKey", "This is the key of another product. A key of Dev Forge begins with DF."))
        }
        LicenseCode::EmailMismatch => Some((
            "email",
            "This license is for another address. Enter the one that the mail with the key went to.",
        )),
        _ => None,
    }
}

pub fn refusal(code: LicenseCode, signed_in: bool, support: String) -> Refusal {
    let account = if signed_in { "/account/licenses" } else { "/sign-in?next=/account/licenses" };
    let account = |words| (account.to_owned(), words);
    let pricing = ("/pricing".to_owned(), "See pricing");
    let support = (support, "Write to support");
    let (tone, icon, title, text, ways) = match code {
        LicenseCode::Expired => (
            "warn",
            "clock",
            "This license has expired",
            "The editor goes on with its free tier, and your files stay as they are. Renew it or buy another one.",
            vec![pricing, account("Look at your licenses")],
        ),
        LicenseCode::VersionNotCovered => (
            "warn",
            "clock",
            "This license does not cover the newest version",
            "It covers every version that came out before it expired. Use one of those, or buy another license.",
            vec![("/download".to_owned(), "Go to the downloads"), pricing],
        ),
        LicenseCode::Suspended => (
            "warn",
            "lock",
            "This license is paused",
            "A payment is questioned or missing, or we paused it. Nothing on your machines was removed.",
            vec![account("See why it is paused"), support],
        ),
        LicenseCode::Revoked => (
            "bad",
            "x",
            "This key is not good any more",
            "A new key took its place, which its owner got by mail, or the license ended: with a refund, or by us.",
            vec![account("Look at your licenses"), support],
        ),
        LicenseCode::TooManyMachines | LicenseCode::NoMachine | LicenseCode::MachineRequired => (
            "warn",
            "laptop",
            "All places of this license are taken",
            "Remove a machine that is not used any more, then activate again.",
            vec![account("Look at its machines")],
        ),
        // These are told at a field, or are no refusal.
        LicenseCode::Valid
        | LicenseCode::NotFound
        | LicenseCode::ProductMismatch
        | LicenseCode::EmailMismatch => (
            "bad",
            "bad",
            "This license could not be activated",
            "Check the key and the address, then try again.",
            vec![support],
        ),
    };
    Refusal { tone, icon, title, text, ways }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_says_something_of_its_own_or_stands_at_its_field() {
        let unsaid = refusal(LicenseCode::Valid, false, String::new()).title;
        for code in LicenseCode::ALL.into_iter().filter(|code| !code.is_valid()) {
            let refusal = refusal(code, false, "/legal/imprint".to_owned());
            assert_ne!(at_field(code).is_some(), refusal.title != unsaid, "{code:?}");
            assert!(refusal.ways.iter().all(|(address, _)| address.starts_with('/')), "{code:?}");
        }
    }
}
