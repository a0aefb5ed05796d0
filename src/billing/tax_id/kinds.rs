//! How the VAT numbers of each country look, and what is said when one does not.

use super::checks::{self, Verdict};

pub(super) struct Kind {
    pub country: &'static str,
    /// As written first; then how else it is.
    pub prefixes: &'static [&'static str],
    pub suffixes: &'static [&'static str],
    /// Without prefix and suffix.
    pub lengths: &'static [usize],
    /// Is given as many bytes as one of the lengths says.
    pub check: fn(&[u8]) -> Verdict,
    /// What is said of a number of so many characters.
    pub counted: [&'static str; 16],
    pub more: &'static str,
    pub other: &'static str,
    pub wrong: &'static str,
}

/// All words are made here, as errors carry words that live as long as the program.
macro_rules! kind {
    ($country:literal, [$($prefix:literal),*], [$($suffix:literal),*], $article:literal, $name:literal, $form:literal, $lengths:expr, $check:ident) => {
        Kind {
            country: $country,
            prefixes: &[$($prefix),*],
            suffixes: &[$($suffix),*],
            lengths: &$lengths,
            check: checks::$check,
            counted: [
                concat!($article, $name, " VAT number has ", $form, ". This one has none."),
                concat!($article, $name, " VAT number has ", $form, ". This one has 1."),
                concat!($article, $name, " VAT number has ", $form, ". This one has 2."),
                concat!($article, $name, " VAT number has ", $form, ". This one has 3."),
                concat!($article, $name, " VAT number has ", $form, ". This one has 4."),
                concat!($article, $name, " VAT number has ", $form, ". This one has 5."),
                concat!($article, $name, " VAT number has ", $form, ". This one has 6."),
                concat!($article, $name, " VAT number has ", $form, ". This one has 7."),
                concat!($article, $name, " VAT number has ", $form, ". This one has 8."),
                concat!($article, $name, " VAT number has ", $form, ". This one has 9."),
                concat!($article, $name, " VAT number has ", $form, ". This one has 10."),
                concat!($article, $name, " VAT number has ", $form, ". This one has 11."),
                concat!($article, $name, " VAT number has ", $form, ". This one has 12."),
                concat!($article, $name, " VAT number has ", $form, ". This one has 13."),
                concat!($article, $name, " VAT number has ", $form, ". This one has 14."),
                concat!($article, $name, " VAT number has ", $form, ". This one has 15."),
            ],
            more: concat!($article, $name, " VAT number has ", $form, ". This one has more."),
            other: concat!($article, $name, " VAT number has ", $form, ". This one has something else in it."),
            wrong: concat!(
                "The check digits of this ",
                $name,
                " VAT number do not fit. Look for a typing mistake."
            ),
        }
    };
}

pub(super) static KINDS: [Kind; 31] = [
    kind!("AT", ["AT"], [], "An ", "Austrian", "9 characters after AT, a U and 8 digits", [9], at),
    kind!("BE", ["BE"], [], "A ", "Belgian", "10 digits after BE", [10], be),
    kind!("BG", ["BG"], [], "A ", "Bulgarian", "9 or 10 digits after BG", [9, 10], bg),
    kind!("CY", ["CY"], [], "A ", "Cypriot", "9 characters after CY, 8 digits and a letter", [9], cy),
    kind!("CZ", ["CZ"], [], "A ", "Czech", "8 to 10 digits after CZ", [8, 9, 10], cz),
    kind!("DE", ["DE"], [], "A ", "German", "9 digits after DE", [9], de),
    kind!("DK", ["DK"], [], "A ", "Danish", "8 digits after DK", [8], dk),
    kind!("EE", ["EE"], [], "An ", "Estonian", "9 digits after EE", [9], ee),
    kind!("GR", ["EL", "GR"], [], "A ", "Greek", "9 digits after EL", [9], gr),
    kind!("ES", ["ES"], [], "A ", "Spanish", "9 characters after ES, at least one of them a letter", [9], es),
    kind!("FI", ["FI"], [], "A ", "Finnish", "8 digits after FI", [8], fi),
    kind!("FR", ["FR"], [], "A ", "French", "11 characters after FR, the last 9 of them digits", [11], fr),
    kind!("HR", ["HR"], [], "A ", "Croatian", "11 digits after HR", [11], hr),
    kind!("HU", ["HU"], [], "A ", "Hungarian", "8 digits after HU", [8], hu),
    kind!(
        "IE",
        ["IE"],
        [],
        "An ",
        "Irish",
        "8 or 9 characters after IE, 7 digits and 1 or 2 letters",
        [8, 9],
        ie
    ),
    kind!("IT", ["IT"], [], "An ", "Italian", "11 digits after IT", [11], it),
    kind!("LT", ["LT"], [], "A ", "Lithuanian", "9 or 12 digits after LT", [9, 12], lt),
    kind!("LU", ["LU"], [], "A ", "Luxembourg", "8 digits after LU", [8], lu),
    kind!("LV", ["LV"], [], "A ", "Latvian", "11 digits after LV", [11], lv),
    kind!("MT", ["MT"], [], "A ", "Maltese", "8 digits after MT", [8], mt),
    kind!("NL", ["NL"], [], "A ", "Dutch", "12 characters after NL, 9 digits, a B and 2 digits", [12], nl),
    kind!("PL", ["PL"], [], "A ", "Polish", "10 digits after PL", [10], pl),
    kind!("PT", ["PT"], [], "A ", "Portuguese", "9 digits after PT", [9], pt),
    kind!("RO", ["RO"], [], "A ", "Romanian", "2 to 10 digits after RO", [2, 3, 4, 5, 6, 7, 8, 9, 10], ro),
    kind!("SE", ["SE"], [], "A ", "Swedish", "12 digits after SE", [12], se),
    kind!("SI", ["SI"], [], "A ", "Slovenian", "8 digits after SI", [8], si),
    kind!("SK", ["SK"], [], "A ", "Slovak", "10 digits after SK", [10], sk),
    // Five characters are those of government departments and health authorities.
    kind!("GB", ["GB"], [], "A ", "British", "9 or 12 digits after GB", [5, 9, 12], gb),
    kind!("XI", ["XI"], [], "A ", "Northern Irish", "9 or 12 digits after XI", [5, 9, 12], gb),
    kind!(
        "CH",
        ["CHE", "CH"],
        ["MWST", "TVA", "IVA", "TPV", "VAT"],
        "A ",
        "Swiss",
        "9 digits after CHE",
        [9],
        ch
    ),
    kind!("NO", ["NO"], ["MVA"], "A ", "Norwegian", "9 digits before MVA", [9], no),
];
