//! Walks the schemas of an OpenAPI document: what a value is called, which fields it has, and an example of it.
//!
//! Every walk is bounded in depth and in length.

use serde_json::{Map, Value};

const REFERENCE_HOPS: usize = 8;
const FIELD_DEPTH: usize = 4;
const FIELDS_MAX: usize = 120;
const EXAMPLE_DEPTH: usize = 4;
const KIND_DEPTH: usize = 4;
const ENUM_SHOWN: usize = 10;

/// One line of a schema's table. Nested fields carry their whole path: `machines.used`, `items[].id`.
#[derive(Debug)]
pub struct Field {
    pub path: String,
    pub kind: String,
    pub required: bool,
    pub description: String,
}

/// Follows `$ref` within the document. What leads nowhere, or in circles, stays as it is.
pub fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let mut at = value;
    for _ in 0..REFERENCE_HOPS {
        let Some(pointer) = reference(at) else { return at };
        let Some(next) = document.pointer(pointer) else {
            return at;
        };
        at = next;
    }
    at
}

/// What a value of this schema is called in a table: `string`, `License`, `Machine[]`, `"free" | "pro"`.
pub fn kind(document: &Value, schema: &Value) -> String {
    kind_within(document, schema, KIND_DEPTH)
}

fn kind_within(document: &Value, schema: &Value, depth: usize) -> String {
    if depth == 0 {
        return "object".to_owned();
    }
    if let Some(pointer) = reference(schema) {
        let target = resolve(document, schema);
        return match properties(document, target).is_empty() {
            false => pointer.rsplit('/').next().unwrap_or("object").to_owned(),
            true if reference(target).is_some() => "object".to_owned(),
            true => kind_within(document, target, depth - 1),
        };
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return enumeration(values);
    }
    if let Some(value) = schema.get("const") {
        return value.to_string();
    }
    for key in ["oneOf", "anyOf"] {
        if let Some(choices) = schema.get(key).and_then(Value::as_array) {
            return alternatives(
                choices.iter().take(ENUM_SHOWN).map(|choice| kind_within(document, choice, depth - 1)),
            );
        }
    }
    if let Some([only]) = schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        return kind_within(document, only, depth - 1);
    }
    match schema.get("type") {
        Some(Value::String(name)) => kind_of_type(document, schema, name, depth),
        Some(Value::Array(names)) => alternatives(
            names.iter().filter_map(Value::as_str).map(|name| kind_of_type(document, schema, name, depth)),
        ),
        _ if schema.get("properties").is_some() || schema.get("allOf").is_some() => "object".to_owned(),
        _ => "any".to_owned(),
    }
}

fn kind_of_type(document: &Value, schema: &Value, name: &str, depth: usize) -> String {
    let format = schema.get("format").and_then(Value::as_str);
    match (name, format) {
        ("array", _) => {
            let item = schema
                .get("items")
                .map_or_else(|| "any".to_owned(), |item| kind_within(document, item, depth - 1));
            if item.contains('|') { format!("({item})[]") } else { format!("{item}[]") }
        }
        // The width of a number matters to compilers, not to readers.
        ("string", Some(format)) => format!("string ({format})"),
        _ => name.to_owned(),
    }
}

fn enumeration(values: &[Value]) -> String {
    let mut shown: Vec<String> = values.iter().take(ENUM_SHOWN).map(Value::to_string).collect();
    if values.len() > ENUM_SHOWN {
        shown.push("…".to_owned());
    }
    shown.join(" | ")
}

fn alternatives(kinds: impl Iterator<Item = String>) -> String {
    let mut distinct: Vec<String> = Vec::new();
    for kind in kinds {
        if !distinct.contains(&kind) {
            distinct.push(kind);
        }
    }
    distinct.join(" | ")
}

/// The fields of an object, of the items of a list, and of what they contain. Empty for anything else.
pub fn fields(document: &Value, schema: &Value) -> Vec<Field> {
    let mut out = Vec::new();
    let mut open = Vec::new();
    walk(document, schema, "", FIELD_DEPTH, &mut open, &mut out);
    out
}

/// `open` holds the references on the way down: a schema within itself is named but not opened again.
fn walk<'a>(
    document: &'a Value,
    schema: &'a Value,
    prefix: &str,
    depth: usize,
    open: &mut Vec<&'a str>,
    out: &mut Vec<Field>,
) {
    if depth == 0 || out.len() >= FIELDS_MAX {
        return;
    }
    let schema = without_null(schema);
    if let Some(pointer) = reference(schema) {
        if open.contains(&pointer) {
            return;
        }
        open.push(pointer);
        walk(document, resolve(document, schema), prefix, depth, open, out);
        open.pop();
        return;
    }
    if let Some(items) = schema.get("items") {
        walk(document, items, &format!("{prefix}[]"), depth, open, out);
        return;
    }
    let required = required(document, schema);
    for (name, property) in properties(document, schema) {
        if out.len() >= FIELDS_MAX {
            return;
        }
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        out.push(Field {
            kind: kind(document, property),
            required: required.contains(&name.as_str()),
            description: description(document, property),
            path: path.clone(),
        });
        walk(document, property, &path, depth - 1, open, out);
    }
}

/// A value that may be absent is written as "this or null"; its fields are those of "this".
fn without_null(schema: &Value) -> &Value {
    for key in ["oneOf", "anyOf"] {
        let Some(choices) = schema.get(key).and_then(Value::as_array) else {
            continue;
        };
        let mut real =
            choices.iter().filter(|choice| choice.get("type").and_then(Value::as_str) != Some("null"));
        if let (Some(only), None) = (real.next(), real.next()) {
            return only;
        }
    }
    schema
}

/// The properties of an object, those of its `allOf` parts included, in the document's order.
fn properties<'a>(document: &'a Value, schema: &'a Value) -> Vec<(&'a String, &'a Value)> {
    let mut all: Vec<(&String, &Value)> = Vec::new();
    for part in parts(document, schema) {
        for (name, property) in
            part.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::iter)
        {
            if !all.iter().any(|(known, _)| *known == name) {
                all.push((name, property));
            }
        }
    }
    all
}

fn required<'a>(document: &'a Value, schema: &'a Value) -> Vec<&'a str> {
    parts(document, schema)
        .into_iter()
        .filter_map(|part| part.get("required").and_then(Value::as_array))
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// The schema itself and what `allOf` adds to it, one level deep.
fn parts<'a>(document: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let added = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
    std::iter::once(schema).chain(added.map(|part| resolve(document, part))).collect()
}

/// A property's own words come before those of the schema it points to.
fn description(document: &Value, property: &Value) -> String {
    let own = property.get("description").and_then(Value::as_str);
    let target = || resolve(document, without_null(property)).get("description").and_then(Value::as_str);
    own.or_else(target).unwrap_or_default().trim().to_owned()
}

fn reference(value: &Value) -> Option<&str> {
    value.get("$ref").and_then(Value::as_str)?.strip_prefix('#')
}

/// An example value: the document's own where it gives one, else one made from the types. Optional fields are left
/// out unless they carry an example, so that what is shown is the least that has to be sent.
pub fn example(document: &Value, schema: &Value) -> Value {
    example_within(document, schema, EXAMPLE_DEPTH)
}

fn example_within(document: &Value, schema: &Value, depth: usize) -> Value {
    if let Some(given) = given_example(schema) {
        return given.clone();
    }
    let schema = resolve(document, without_null(schema));
    if let Some(given) = given_example(schema) {
        return given.clone();
    }
    if depth == 0 {
        return Value::Null;
    }
    if let Some(first) = ["oneOf", "anyOf"].into_iter().find_map(|key| schema.get(key)?.as_array()?.first()) {
        return example_within(document, first, depth - 1);
    }
    let properties = properties(document, schema);
    if !properties.is_empty() {
        let required = required(document, schema);
        let shown = properties
            .into_iter()
            .filter(|(name, property)| required.contains(&name.as_str()) || given_example(property).is_some())
            .map(|(name, property)| (name.clone(), example_within(document, property, depth - 1)));
        return Value::Object(shown.collect());
    }
    let name = match schema.get("type") {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        Some(Value::String(name)) => Some(name.as_str()),
        _ => None,
    };
    let format = schema.get("format").and_then(Value::as_str);
    match name {
        Some("string") => Value::from(string_example(format)),
        Some("integer") => Value::from(1),
        Some("number") => Value::from(1.5),
        Some("boolean") => Value::from(true),
        Some("array") => Value::Array(
            schema.get("items").map(|item| example_within(document, item, depth - 1)).into_iter().collect(),
        ),
        Some("object") => Value::Object(Map::new()),
        _ => Value::Null,
    }
}

fn given_example(schema: &Value) -> Option<&Value> {
    schema
        .get("example")
        .or_else(|| schema.pointer("/examples/0"))
        .or_else(|| schema.get("const"))
        .or_else(|| schema.get("default").filter(|value| !value.is_null()))
        .or_else(|| schema.pointer("/enum/0"))
}

fn string_example(format: Option<&str>) -> &'static str {
    match format {
        Some("date-time") => "2026-11-20T10:00:00Z",
        Some("date") => "2026-11-20",
        Some("email") => "you@example.com",
        Some("uri" | "url") => "https://example.com",
        Some("uuid") => "0190f5a2-7c4e-7000-8000-000000000000",
        Some("password") => "a long sentence only you know",
        _ => "text",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Value {
        json!({ "components": { "schemas": {
            "License": { "type": "object", "required": ["id", "tier"], "properties": {
                "id": { "type": "string", "example": "lic_01h" },
                "tier": { "$ref": "#/components/schemas/Tier" },
                "expiresAt": { "type": ["string", "null"], "format": "date-time" },
                "machines": { "type": "array", "items": { "$ref": "#/components/schemas/Machine" } },
                "owner": { "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/Owner" }] }
            } },
            "Tier": { "type": "string", "enum": ["free", "pro"], "description": "What it unlocks." },
            "Machine": { "type": "object", "properties": { "name": { "type": "string" } } },
            "Owner": { "type": "object", "properties": { "licenses": { "type": "array", "items": { "$ref": "#/components/schemas/License" } } } },
            "Loop": { "$ref": "#/components/schemas/Loop" }
        } } })
    }

    fn at(name: &str) -> Value {
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    #[test]
    fn kinds_are_named_for_people() {
        let document = document();
        let kind_of = |schema: Value| kind(&document, &schema);
        assert_eq!(kind_of(at("License")), "License");
        assert_eq!(kind_of(at("Tier")), r#""free" | "pro""#);
        assert_eq!(kind_of(json!({ "type": "array", "items": at("Machine") })), "Machine[]");
        assert_eq!(kind_of(json!({ "type": ["string", "null"] })), "string | null");
        assert_eq!(kind_of(json!({ "type": "integer", "format": "int32" })), "integer");
        assert_eq!(kind_of(json!({ "type": "array", "items": { "enum": ["a", "b"] } })), r#"("a" | "b")[]"#);
        assert_eq!(kind_of(json!({})), "any");
    }

    #[test]
    fn fields_are_flattened_and_a_schema_in_itself_is_opened_once() {
        let document = document();
        let schema = at("License");
        let fields = fields(&document, &schema);
        let paths: Vec<&str> = fields.iter().map(|field| field.path.as_str()).collect();
        for path in ["id", "tier", "machines[].name", "owner.licenses"] {
            assert!(paths.contains(&path), "{path} in {paths:?}");
        }
        assert!(!paths.iter().any(|path| path.starts_with("owner.licenses[]")));
        let tier = fields.iter().find(|field| field.path == "tier").expect("the tier");
        assert!(tier.required);
        assert_eq!(tier.description, "What it unlocks.");
    }

    #[test]
    fn a_reference_to_itself_ends() {
        let document = document();
        let schema = at("Loop");
        assert_eq!(kind(&document, &schema), "object");
        assert!(fields(&document, &schema).is_empty());
        assert_eq!(example(&document, &schema), Value::Null);
    }

    #[test]
    fn the_number_of_fields_is_bounded() {
        let properties: Map<String, Value> =
            (0..1000).map(|n| (format!("f{n}"), json!({ "type": "string" }))).collect();
        let schema = json!({ "properties": properties });
        assert_eq!(fields(&Value::Null, &schema).len(), FIELDS_MAX);
    }

    #[test]
    fn an_example_holds_what_must_be_sent() {
        let document = document();
        assert_eq!(example(&document, &at("License")), json!({ "id": "lic_01h", "tier": "free" }));
    }

    #[test]
    fn parts_of_all_of_are_one_object() {
        let document = document();
        let schema = json!({ "allOf": [at("Machine"), { "required": ["x"], "properties": { "x": { "type": "boolean" } } }] });
        let names: Vec<String> = fields(&document, &schema).into_iter().map(|field| field.path).collect();
        assert_eq!(names, ["name", "x"]);
        assert_eq!(example(&document, &schema), json!({ "x": true }));
    }
}
