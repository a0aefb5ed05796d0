//! What many kinds of objects share: metadata, addresses, references, and ways to build and read large values.

use serde_json::{Value, json};

use crate::{fault::Fault, params::Params, world::World};

const MAX_METADATA: usize = 50;
const MAX_METADATA_KEY: usize = 40;
const MAX_METADATA_VALUE: usize = 500;

/// The metadata as a request leaves it: named keys are set, those set to nothing go, and `metadata=` empties it.
pub fn metadata(before: &Value, params: &Params) -> Result<Value, Fault> {
    if params.has("metadata") && params.value()["metadata"] == "" {
        return Ok(json!({}));
    }
    let mut kept = before.as_object().cloned().unwrap_or_default();
    for (key, value) in params.object("metadata") {
        let Some(text) = value.as_str() else {
            return Err(Fault::invalid("metadata", "Metadata values must be strings."));
        };
        if key.chars().count() > MAX_METADATA_KEY || text.chars().count() > MAX_METADATA_VALUE {
            return Err(Fault::invalid("metadata", "Keys have up to 40 characters, values up to 500."));
        }
        if text.is_empty() {
            kept.remove(&key);
        } else {
            kept.insert(key, value);
        }
    }
    if kept.len() > MAX_METADATA {
        return Err(Fault::invalid("metadata", "You can have up to 50 keys."));
    }
    Ok(Value::Object(kept))
}

/// The address under `address`, all its parts named. Null when none was given.
pub fn address(params: &Params) -> Value {
    let Some(given) = params.sub(&["address"]).filter(|given| given.value().is_object()) else {
        return Value::Null;
    };
    let part = |name: &str| json!(given.text(name));
    json!({
        "city": part("city"), "country": part("country"), "line1": part("line1"), "line2": part("line2"),
        "postal_code": part("postal_code"), "state": part("state"),
    })
}

/// Sets each of these fields to the text that was given; one given empty becomes null, one not given stays.
pub fn set_texts(object: &mut Value, params: &Params, names: &[&str]) {
    for name in names {
        if params.has(name) {
            object[*name] = json!(params.text(name));
        }
    }
}

/// An object that a request refers to. Stripe answers 400, not 404, when what is missing is not what was asked for.
pub fn referred(world: &World, kind: &str, id: &str, param: &str) -> Result<Value, Fault> {
    world.find(kind, id).map_err(|fault| Fault { status: 400, param: Some(param.to_owned()), ..fault })
}

/// Both objects in one. The `json!` macro cannot build one as wide as Stripe's in a single go.
pub fn joined(first: Value, second: Value) -> Value {
    match (first, second) {
        (Value::Object(mut fields), Value::Object(more)) => {
            fields.extend(more);
            Value::Object(fields)
        }
        (first, _) => first,
    }
}

/// The text of a field, or nothing.
pub fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_default()
}

pub fn int(object: &Value, name: &str) -> i64 {
    object[name].as_i64().unwrap_or_default()
}

/// The things of an array, or of a list object's `data`.
pub fn items(value: &Value) -> &[Value] {
    let array = value.as_array().or_else(|| value["data"].as_array());
    array.map(Vec::as_slice).unwrap_or_default()
}

pub fn texts(value: &Value) -> Vec<String> {
    items(value).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A whole list, as it stands inside another object.
pub fn list(url: &str, data: Vec<Value>) -> Value {
    let count = data.len();
    json!({ "object": "list", "data": Value::Array(data), "has_more": false, "total_count": count, "url": url })
}

/// Three letters, as ISO 4217 has them, in lower case.
pub fn currency(params: &Params) -> Result<String, Fault> {
    let given = params.required("currency")?.to_ascii_lowercase();
    if given.len() == 3 && given.bytes().all(|letter| letter.is_ascii_lowercase()) {
        Ok(given)
    } else {
        Err(Fault::invalid("currency", "Invalid currency: use a three-letter ISO code."))
    }
}

/// One of the words that this parameter takes.
pub fn word<'a>(params: &'a Params, name: &str, words: &[&str]) -> Result<Option<&'a str>, Fault> {
    match params.text(name) {
        Some(given) if !words.contains(&given) => {
            Err(Fault::invalid(name, &format!("Invalid {name}: must be one of {}", words.join(", "))))
        }
        given => Ok(given),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_merged_key_by_key() {
        let before = json!({ "order": "1", "old": "x" });
        let params = Params::parse("metadata[order]=2&metadata[old]=&metadata[new]=y").expect("reads");
        assert_eq!(metadata(&before, &params), Ok(json!({ "order": "2", "new": "y" })));
        let emptied = Params::parse("metadata=").expect("reads");
        assert_eq!(metadata(&before, &emptied), Ok(json!({})));
        let untouched = Params::parse("name=A").expect("reads");
        assert_eq!(metadata(&before, &untouched), Ok(before));
    }

    #[test]
    fn metadata_has_the_limits_of_stripe() {
        let long_key = format!("metadata[{}]=x", "k".repeat(41));
        assert!(metadata(&json!({}), &Params::parse(&long_key).expect("reads")).is_err());
        let long_value = format!("metadata[k]={}", "v".repeat(501));
        assert!(metadata(&json!({}), &Params::parse(&long_value).expect("reads")).is_err());
    }

    #[test]
    fn an_address_names_all_its_parts() {
        let params = Params::parse("address[country]=DE&address[city]=Berlin").expect("reads");
        assert_eq!(address(&params)["country"], "DE");
        assert_eq!(address(&params)["line2"], Value::Null);
        assert_eq!(address(&Params::parse("name=A").expect("reads")), Value::Null);
    }
}
