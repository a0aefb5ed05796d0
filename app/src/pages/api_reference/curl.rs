//! The example beside each call: a `curl` line that can be pasted into a shell.

use serde_json::Value;

use super::document::{Access, Operation, Parameter};

/// Without a server in the document the examples read its address from this variable.
pub const SERVER_VARIABLE: &str = "$DEVFORGE_URL";

pub fn curl(operation: &Operation, server: Option<&str>) -> String {
    let url = format!("{}{}{}", server.unwrap_or(SERVER_VARIABLE), path(operation), query(operation));
    let mut parts = vec![match operation.method {
        "get" => format!("curl {}", quoted(&url)),
        "head" => format!("curl --head {}", quoted(&url)),
        method => format!("curl -X {} {}", method.to_uppercase(), quoted(&url)),
    }];
    if operation.access == Access::Required {
        parts.push(r#"-H "Authorization: Bearer $TOKEN""#.to_owned());
    }
    for header in
        operation.parameters.iter().filter(|parameter| parameter.place == "header" && parameter.required)
    {
        parts.push(format!("-H {}", single_quoted(&format!("{}: {}", header.name, value(header)))));
    }
    if let Some(body) = &operation.body {
        parts.push(format!("-H {}", single_quoted(&format!("Content-Type: {}", body.content_type))));
        parts.push(match &body.example {
            Some(example) => format!("-d {}", single_quoted(&pretty(example))),
            None => "--data-binary @FILE".to_owned(),
        });
    }
    parts.join(" \\\n  ")
}

/// The path with its parameters filled in. Braces would mean something to `curl`.
fn path(operation: &Operation) -> String {
    let mut path = operation.path.clone();
    for parameter in operation.parameters.iter().filter(|parameter| parameter.place == "path") {
        path = path.replace(&format!("{{{}}}", parameter.name), &encoded(&value(parameter)));
    }
    path.replace(['{', '}'], "")
}

fn query(operation: &Operation) -> String {
    let pairs: Vec<String> = operation
        .parameters
        .iter()
        .filter(|parameter| parameter.place == "query" && (parameter.required || parameter.example.is_some()))
        .map(|parameter| format!("{}={}", encoded(&parameter.name), encoded(&value(parameter))))
        .collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

/// The example of the document, else the name in capitals: `licenseKey` becomes `LICENSE_KEY`.
fn value(parameter: &Parameter) -> String {
    if let Some(example) = &parameter.example {
        return example.clone();
    }
    let mut name = String::new();
    for c in parameter.name.chars() {
        if c.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(if c == '-' { '_' } else { c }.to_uppercase());
    }
    name
}

fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn pretty(example: &Value) -> String {
    serde_json::to_string_pretty(example).unwrap_or_default()
}

/// Double quotes where a variable is read, single ones everywhere else.
fn quoted(text: &str) -> String {
    if text.starts_with('$') { format!("\"{text}\"") } else { single_quoted(text) }
}

fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::pages::api_reference::document;

    fn only_operation(item: &Value) -> Operation {
        let document = json!({ "paths": { "/api/licenses/{licenseKey}": item } });
        document::read(&document).groups.remove(0).operations.remove(0)
    }

    #[test]
    fn a_read_is_one_line() {
        let operation = only_operation(&json!({ "get": { "parameters": [
            { "name": "licenseKey", "in": "path" },
            { "name": "limit", "in": "query" },
            { "name": "q", "in": "query", "example": "a b" }
        ] } }));
        assert_eq!(
            curl(&operation, Some("https://devforge.example")),
            "curl 'https://devforge.example/api/licenses/LICENSE_KEY?q=a%20b'"
        );
        assert!(curl(&operation, None).starts_with("curl \"$DEVFORGE_URL/api/"));
    }

    #[test]
    fn a_write_carries_its_token_and_body() {
        let operation = only_operation(&json!({ "put": {
            "security": [{ "bearer": [] }],
            "requestBody": { "content": { "application/json": { "example": { "note": "it's late" } } } }
        } }));
        assert_eq!(
            curl(&operation, None),
            "curl -X PUT \"$DEVFORGE_URL/api/licenses/licenseKey\" \\\n  -H \"Authorization: Bearer $TOKEN\" \\\n  \
             -H 'Content-Type: application/json' \\\n  -d '{\n  \"note\": \"it'\\''s late\"\n}'"
        );
    }

    #[test]
    fn a_file_is_sent_as_a_file() {
        let operation = only_operation(
            &json!({ "post": { "requestBody": { "content": { "application/octet-stream": {} } } } }),
        );
        assert!(curl(&operation, None).ends_with("--data-binary @FILE"));
    }
}
