//! The check digits of each country's VAT numbers, as their tax offices have published them.
//!
//! What always holds: a check is given as many ASCII characters as its country's numbers have, and answers for all of
//! them.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Good,
    /// Letters where digits have to be, or the other way round.
    Form,
    /// It looks right, and its check digits say that it is not.
    Digits,
}

fn when(good: bool) -> Verdict {
    if good { Verdict::Good } else { Verdict::Digits }
}

fn digits(text: &[u8]) -> Option<Vec<u32>> {
    text.iter().map(|byte| byte.is_ascii_digit().then(|| u32::from(byte - b'0'))).collect()
}

/// For numbers that are digits and nothing else.
fn all_digits(text: &[u8], check: impl Fn(&[u32]) -> bool) -> Verdict {
    digits(text).map_or(Verdict::Form, |digits| when(check(&digits)))
}

fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}

fn value(digits: &[u32]) -> u64 {
    digits.iter().fold(0, |value, digit| value * 10 + u64::from(*digit))
}

/// What is missing to the next multiple of eleven: 0 to 10.
const fn to_eleven(sum: u32) -> u32 {
    (11 - sum % 11) % 11
}

/// The sum of Luhn's method when the last digit counts once.
fn luhn(digits: &[u32]) -> u32 {
    let doubled = |digit: u32| digit * 2 / 10 + digit * 2 % 10;
    digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| if place.is_multiple_of(2) { *digit } else { doubled(*digit) })
        .sum()
}

/// ISO 7064, MOD 11,10.
fn mod_11_10(digits: &[u32]) -> bool {
    let product = |check: u32| (if check == 0 { 10 } else { check }) * 2 % 11;
    digits.iter().fold(5, |check, digit| (product(check) + digit) % 10) == 1
}

fn is_day(day: u64, month: u64) -> bool {
    (1..=31).contains(&day) && (1..=12).contains(&month)
}

pub(super) fn at(text: &[u8]) -> Verdict {
    match digits(&text[1..]) {
        Some(digits) if text[0] == b'U' => when((16 - luhn(&digits[..7]) % 10) % 10 == digits[7]),
        _ => Verdict::Form,
    }
}

pub(super) fn be(text: &[u8]) -> Verdict {
    all_digits(text, |digits| {
        let number = value(&digits[..8]);
        digits[0] <= 1 && number > 0 && (number + value(&digits[8..])).is_multiple_of(97)
    })
}

pub(super) fn bg(text: &[u8]) -> Verdict {
    all_digits(text, |digits| match digits {
        [body @ .., last] if body.len() == 8 => {
            let first = weighted(body, &[1, 2, 3, 4, 5, 6, 7, 8]) % 11;
            let check = if first == 10 { weighted(body, &[3, 4, 5, 6, 7, 8, 9, 10]) % 11 } else { first };
            check % 10 == *last
        }
        [body @ .., last] => {
            // The month of a birth tells its century too.
            let born = is_day(value(&body[4..6]), value(&body[2..4]) % 20);
            let person = weighted(body, &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10 == *last;
            let foreigner = weighted(body, &[21, 19, 17, 13, 11, 9, 7, 3, 1]) % 10 == *last;
            let other = to_eleven(weighted(body, &[4, 3, 2, 7, 6, 5, 4, 3, 2])) == *last;
            (born && person) || foreigner || other
        }
        [] => false,
    })
}

pub(super) fn cy(text: &[u8]) -> Verdict {
    const ODD: [u32; 10] = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21];
    let Some(digits) = digits(&text[..8]) else { return Verdict::Form };
    if !text[8].is_ascii_uppercase() {
        return Verdict::Form;
    }
    let sum: u32 = digits
        .iter()
        .enumerate()
        .map(|(place, digit)| if place.is_multiple_of(2) { ODD[*digit as usize] } else { *digit })
        .sum();
    when(!text.starts_with(b"12") && u32::from(text[8] - b'A') == sum % 26)
}

pub(super) fn cz(text: &[u8]) -> Verdict {
    const WEIGHTS: [u32; 7] = [8, 7, 6, 5, 4, 3, 2];
    all_digits(text, |digits| {
        let (year, month, day) = (value(&digits[..2]), value(&digits[2..4]) % 50 % 20, value(&digits[4..6]));
        match digits.len() {
            8 => {
                let check = to_eleven(weighted(digits, &WEIGHTS));
                digits[0] != 9 && (if check == 0 { 1 } else { check }) % 10 == digits[7]
            }
            9 if digits[0] == 6 => {
                let check = weighted(&digits[1..], &WEIGHTS) % 11;
                (18 - (10 - check)) % 10 == digits[8]
            }
            // Births up to 1953 have no check digit.
            9 => is_day(day, month) && !(54..80).contains(&year),
            _ => is_day(day, month) && value(&digits[..9]) % 11 % 10 == u64::from(digits[9]),
        }
    })
}

pub(super) fn de(text: &[u8]) -> Verdict {
    all_digits(text, |digits| digits[0] != 0 && mod_11_10(digits))
}

pub(super) fn dk(text: &[u8]) -> Verdict {
    all_digits(text, |digits| {
        digits[0] != 0 && weighted(digits, &[2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
    })
}

pub(super) fn ee(text: &[u8]) -> Verdict {
    all_digits(text, |digits| weighted(digits, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10))
}

pub(super) fn gr(text: &[u8]) -> Verdict {
    all_digits(text, |digits| weighted(digits, &[256, 128, 64, 32, 16, 8, 4, 2]) % 11 % 10 == digits[8])
}

pub(super) fn es(text: &[u8]) -> Verdict {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    const COMPANY: &[u8; 10] = b"JABCDEFGHI";
    let Some(body) = digits(&text[1..8]) else { return Verdict::Form };
    let (first, last) = (text[0], text[8]);
    // For people, with what stands for the first letter.
    let person = |first: u64| LETTERS[((first * 10_000_000 + value(&body)) % 23) as usize] == last;
    match first {
        b'0'..=b'9' => when(person(u64::from(first - b'0'))),
        b'X'..=b'Z' => when(person(u64::from(first - b'X'))),
        b'K'..=b'M' => when(person(0)),
        b'A'..=b'H' | b'J' | b'N' | b'P'..=b'S' | b'U'..=b'W' => {
            // Luhn's method, with the check digit still to come.
            let check = (10 - luhn(&[body.as_slice(), &[0]].concat()) % 10) % 10;
            when(last == COMPANY[check as usize] || u32::from(last) == u32::from(b'0') + check)
        }
        _ => Verdict::Form,
    }
}

pub(super) fn fi(text: &[u8]) -> Verdict {
    all_digits(text, |digits| weighted(digits, &[7, 9, 10, 5, 8, 4, 2, 1]).is_multiple_of(11))
}

pub(super) fn fr(text: &[u8]) -> Verdict {
    // Without I and O, which look like digits.
    const ALPHABET: &[u8; 34] = b"0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let place = |letter: u8| ALPHABET.iter().position(|known| *known == letter).map(|place| place as u64);
    let (Some(company), Some(first), Some(second)) = (digits(&text[2..]), place(text[0]), place(text[1]))
    else {
        return Verdict::Form;
    };
    let number = value(&company);
    // Monaco's begin with zeros, and are not companies of France.
    if !text[2..].starts_with(b"000") && !luhn(&company).is_multiple_of(10) {
        return Verdict::Digits;
    }
    when(if first < 10 && second < 10 {
        first * 10 + second == (number * 100 + 12) % 97
    } else {
        let key = if first < 10 { first * 24 + second - 10 } else { first * 34 + second - 100 };
        (number + 1 + key / 11) % 11 == key % 11
    })
}

pub(super) fn hr(text: &[u8]) -> Verdict {
    all_digits(text, mod_11_10)
}

pub(super) fn hu(text: &[u8]) -> Verdict {
    all_digits(text, |digits| weighted(digits, &[9, 7, 3, 1, 9, 7, 3, 1]).is_multiple_of(10))
}

pub(super) fn ie(text: &[u8]) -> Verdict {
    const LETTERS: &[u8; 23] = b"WABCDEFGHIJKLMNOPQRSTUV";
    let place = |letter: u8| (0..).zip(LETTERS).find(|(_, known)| **known == letter).map(|(place, _)| place);
    let extra: Option<u32> = text.get(8).map_or(Some(0), |letter| place(*letter));
    let (Some(check), Some(extra)) = (place(text[7]), extra) else { return Verdict::Form };
    let body = match digits(&text[..7]) {
        Some(body) => body,
        // The old form: the second character is a letter, and the first digit counts last.
        None if text.len() == 8 && matches!(text[1], b'A'..=b'Z' | b'+' | b'*') => {
            match digits(&[&b"0"[..], &text[2..7], &text[..1]].concat()) {
                Some(body) => body,
                None => return Verdict::Form,
            }
        }
        None => return Verdict::Form,
    };
    when((weighted(&body, &[8, 7, 6, 5, 4, 3, 2]) + 9 * extra) % 23 == check)
}

pub(super) fn it(text: &[u8]) -> Verdict {
    all_digits(text, |digits| {
        let office = value(&digits[7..10]);
        let known = (1..=100).contains(&office) || matches!(office, 120 | 121 | 888 | 999);
        value(&digits[..7]) > 0 && known && luhn(digits).is_multiple_of(10)
    })
}

pub(super) fn lt(text: &[u8]) -> Verdict {
    all_digits(text, |digits| {
        let (body, last) = digits.split_at(digits.len() - 1);
        let first = weighted(body, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2]) % 11;
        let check = if first == 10 { weighted(body, &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4]) % 11 } else { first };
        body.last() == Some(&1) && check % 10 == last[0]
    })
}

pub(super) fn lu(text: &[u8]) -> Verdict {
    all_digits(text, |digits| value(&digits[..6]) % 89 == value(&digits[6..]))
}

pub(super) fn lv(text: &[u8]) -> Verdict {
    all_digits(text, |digits| {
        if digits[0] > 3 {
            return weighted(digits, &[9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1]) % 11 == 3;
        }
        // People's begin with their birth, or with 32.
        let person = digits[..2] == [3, 2] || is_day(value(&digits[..2]), value(&digits[2..4]));
        let check = (1 + weighted(digits, &[10, 5, 8, 4, 2, 1, 6, 3, 7, 9])) % 11 % 10;
        person && check == digits[10]
    })
}

pub(super) fn mt(text: &[u8]) -> Verdict {
    all_digits(text, |digits| {
        digits[0] != 0 && weighted(digits, &[3, 4, 6, 7, 8, 9, 10, 1]).is_multiple_of(37)
    })
}

pub(super) fn nl(text: &[u8]) -> Verdict {
    let (Some(body), Some(branch)) = (digits(&text[..9]), digits(&text[10..])) else { return Verdict::Form };
    if text[9] != b'B' {
        return Verdict::Form;
    }
    let company = weighted(&body, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11 == body[8];
    // Those of people, since 2020: ISO 7064, MOD 97,10, over `NL…B…` with letters as 10 to 35.
    let letters = |digits: &[u32], after: u64| (after * 10_u64.pow(digits.len() as u32) + value(digits)) % 97;
    let person = letters(&branch, (letters(&body, 2321) * 100 + 11) % 97) == 1;
    when(value(&body) > 0 && value(&branch) > 0 && (company || person))
}

pub(super) fn pl(text: &[u8]) -> Verdict {
    all_digits(text, |digits| weighted(digits, &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 == digits[9])
}

pub(super) fn pt(text: &[u8]) -> Verdict {
    all_digits(text, |digits| {
        digits[0] != 0 && to_eleven(weighted(digits, &[9, 8, 7, 6, 5, 4, 3, 2])) % 10 == digits[8]
    })
}

pub(super) fn ro(text: &[u8]) -> Verdict {
    const WEIGHTS: [u32; 9] = [7, 5, 3, 2, 1, 7, 5, 3, 2];
    all_digits(text, |digits| {
        let (body, last) = digits.split_at(digits.len() - 1);
        digits[0] != 0 && 10 * weighted(body, &WEIGHTS[WEIGHTS.len() - body.len()..]) % 11 % 10 == last[0]
    })
}

pub(super) fn se(text: &[u8]) -> Verdict {
    all_digits(text, |digits| {
        luhn(&digits[..10]).is_multiple_of(10) && (1..=94).contains(&value(&digits[10..]))
    })
}

pub(super) fn si(text: &[u8]) -> Verdict {
    all_digits(text, |digits| {
        let check = 11 - weighted(digits, &[8, 7, 6, 5, 4, 3, 2]) % 11;
        digits[0] != 0 && (if check == 10 { 0 } else { check }) == digits[7]
    })
}

pub(super) fn sk(text: &[u8]) -> Verdict {
    all_digits(text, |digits| {
        digits[0] != 0 && matches!(digits[2], 2 | 3 | 4 | 7 | 8 | 9) && value(digits).is_multiple_of(11)
    })
}

pub(super) fn gb(text: &[u8]) -> Verdict {
    if text.len() == 5 {
        return match (&text[..2], digits(&text[2..]).map(|digits| value(&digits))) {
            (b"GD", Some(number)) => when(number < 500),
            (b"HA", Some(number)) => when(number >= 500),
            _ => Verdict::Form,
        };
    }
    all_digits(text, |digits| {
        let rest = weighted(digits, &[8, 7, 6, 5, 4, 3, 2, 10, 1]) % 97;
        // Numbers given out since 2010 are 55 further on; both kinds go on.
        rest == 0 || (value(&digits[..3]) >= 100 && matches!(rest, 42 | 55))
    })
}

pub(super) fn ch(text: &[u8]) -> Verdict {
    all_digits(text, |digits| to_eleven(weighted(digits, &[5, 4, 3, 2, 7, 6, 5, 4])) == digits[8])
}

pub(super) fn no(text: &[u8]) -> Verdict {
    all_digits(text, |digits| weighted(digits, &[3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11))
}
