//! Stripe's form encoding: `items[0][price]=price_1` as a tree, and typed looks into it.

use serde_json::{Map, Value};

use crate::fault::Fault;

/// Deeper than any request of ours, and shallow enough for recursion.
const MAX_DEPTH: usize = 8;

/// What a request brought, as a tree of objects, arrays and texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Params(Value);

impl Params {
    pub fn parse(encoded: &str) -> Result<Self, Fault> {
        let mut root = Value::Object(Map::new());
        for (name, value) in url::form_urlencoded::parse(encoded.as_bytes()) {
            let path = path_of(&name).ok_or_else(|| Fault::invalid(&name, "This name cannot be read."))?;
            put(&mut root, &path, Value::String(value.into_owned()));
        }
        arrays(&mut root);
        Ok(Self(root))
    }

    pub fn value(&self) -> &Value {
        &self.0
    }

    /// `items[0][price]`-style access by a path of keys; None when it is absent or empty.
    pub fn at(&self, path: &[&str]) -> Option<&Value> {
        let mut here = &self.0;
        for key in path {
            here = match here {
                Value::Array(items) => items.get(key.parse::<usize>().ok()?)?,
                other => other.get(key)?,
            };
        }
        Some(here)
    }

    pub fn sub(&self, path: &[&str]) -> Option<Self> {
        self.at(path).cloned().map(Self)
    }

    /// The things of an array, each as parameters of its own.
    pub fn each(&self, name: &str) -> Vec<Self> {
        match self.0.get(name) {
            Some(Value::Array(items)) => items.iter().cloned().map(Self).collect(),
            _ => Vec::new(),
        }
    }

    /// Refuses names that are not known, as Stripe does: a mistyped one is found where it is sent.
    pub fn only(&self, known: &[&str]) -> Result<(), Fault> {
        let Value::Object(map) = &self.0 else { return Ok(()) };
        match map.keys().find(|name| *name != "expand" && !known.contains(&name.as_str())) {
            Some(name) => Err(Fault::unknown_parameter(name)),
            None => Ok(()),
        }
    }

    /// Whether it was given at all, if only to be emptied.
    pub fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    /// Absent and empty are the same here; ask [`Self::has`] where emptying means something.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    pub fn required(&self, name: &str) -> Result<&str, Fault> {
        self.text(name).ok_or_else(|| Fault::missing(name))
    }

    pub fn int(&self, name: &str) -> Result<Option<i64>, Fault> {
        self.text(name)
            .map(|text| text.parse().map_err(|_| Fault::invalid(name, &format!("Invalid integer: {text}"))))
            .transpose()
    }

    pub fn bool(&self, name: &str) -> Result<Option<bool>, Fault> {
        self.text(name)
            .map(|text| text.parse().map_err(|_| Fault::invalid(name, &format!("Invalid boolean: {text}"))))
            .transpose()
    }

    /// A tree of texts such as `metadata`, as it stands.
    pub fn object(&self, name: &str) -> Map<String, Value> {
        self.0.get(name).and_then(Value::as_object).cloned().unwrap_or_default()
    }

    /// Each text of an array such as `expand`.
    pub fn texts(&self, name: &str) -> Vec<String> {
        match self.0.get(name) {
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(Value::String(one)) => vec![one.clone()],
            _ => Vec::new(),
        }
    }
}

fn path_of(name: &str) -> Option<Vec<String>> {
    let (first, mut rest) = match name.find('[') {
        Some(at) => name.split_at(at),
        None => (name, ""),
    };
    let mut path = vec![first.to_owned()];
    while !rest.is_empty() {
        let (key, after) = rest.strip_prefix('[')?.split_once(']')?;
        path.push(key.to_owned());
        rest = after;
    }
    (path.len() <= MAX_DEPTH && !first.is_empty()).then_some(path)
}

fn put(here: &mut Value, path: &[String], value: Value) {
    let Some((key, rest)) = path.split_first() else {
        *here = value;
        return;
    };
    if !here.is_object() {
        *here = Value::Object(Map::new());
    }
    let Some(map) = here.as_object_mut() else { return };
    // `expand[]=a&expand[]=b` counts up.
    let key = if key.is_empty() { map.len().to_string() } else { key.clone() };
    put(map.entry(key).or_insert(Value::Null), rest, value);
}

/// Objects whose keys are all numbers were arrays.
fn arrays(here: &mut Value) {
    let Value::Object(map) = here else { return };
    for value in map.values_mut() {
        arrays(value);
    }
    if !map.is_empty() && map.keys().all(|key| key.parse::<u32>().is_ok()) {
        let mut items: Vec<(u32, Value)> = std::mem::take(map)
            .into_iter()
            .filter_map(|(key, value)| Some((key.parse().ok()?, value)))
            .collect();
        items.sort_by_key(|(index, _)| *index);
        *here = Value::Array(items.into_iter().map(|(_, value)| value).collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_names_become_a_tree() {
        let params = Params::parse("items[0][price]=price_1&items[0][quantity]=2&items[1][price]=price_2&metadata[order]=ord_1&expand[]=a&expand[]=b&x=")
            .expect("reads");
        assert_eq!(params.each("items").len(), 2);
        assert_eq!(params.at(&["items", "0", "price"]).and_then(Value::as_str), Some("price_1"));
        assert_eq!(params.each("items")[0].int("quantity"), Ok(Some(2)));
        assert_eq!(params.texts("expand"), ["a", "b"]);
        assert!(params.has("x") && params.text("x").is_none());
        assert!(Params::parse("a[b=1").is_err());
    }
}
