//! Reads an OpenAPI 3.1 document into what the reference page shows.
//!
//! The document is made from our own routes, yet nothing here trusts its shape: what is missing is left out, and
//! nesting, references and lists all have an end, so that a schema that contains itself cannot hang a page.

use serde_json::{Map, Value};

use super::schema::{self, Field};

/// The methods of OpenAPI in the order a reader looks for them.
const METHODS: [&str; 7] = ["get", "post", "put", "patch", "delete", "head", "options"];

#[derive(Debug, Default)]
pub struct Reference {
    pub version: String,
    /// Scheme and host, when the document names them.
    pub server: Option<String>,
    /// What every path begins with: `/api`.
    pub base: String,
    pub groups: Vec<Group>,
}

/// One tag and its operations.
#[derive(Debug)]
pub struct Group {
    pub id: String,
    pub name: String,
    pub description: String,
    pub operations: Vec<Operation>,
}

#[derive(Debug)]
pub struct Operation {
    pub id: String,
    pub method: &'static str,
    pub path: String,
    pub summary: String,
    pub description: String,
    pub deprecated: bool,
    pub access: Access,
    pub parameters: Vec<Parameter>,
    pub body: Option<Body>,
    pub answers: Vec<Answer>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Public,
    Optional,
    Required,
}

#[derive(Debug)]
pub struct Parameter {
    pub name: String,
    /// `path`, `query`, `header` or `cookie`.
    pub place: String,
    pub kind: String,
    pub required: bool,
    pub description: String,
    pub example: Option<String>,
}

#[derive(Debug)]
pub struct Body {
    pub content_type: String,
    pub required: bool,
    pub description: String,
    pub kind: String,
    pub fields: Vec<Field>,
    /// Only for JSON: an example as the schema or the document gives it.
    pub example: Option<Value>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: String,
    pub description: String,
    pub content_type: String,
    pub kind: String,
    pub fields: Vec<Field>,
}

pub fn read(document: &Value) -> Reference {
    let (server, base) = server(document);
    let groups = groups(document, &base);
    Reference { version: text(document.pointer("/info/version")), server, base, groups }
}

/// The first server's origin, when it names one, and the path that all paths of the document stand under.
fn server(document: &Value) -> (Option<String>, String) {
    let url = document.pointer("/servers/0/url").and_then(Value::as_str).unwrap_or_default();
    let url = url.trim_end_matches('/');
    match url.split_once("://") {
        Some((scheme @ ("http" | "https"), rest)) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let base = if path.is_empty() { String::new() } else { format!("/{path}") };
            (Some(format!("{scheme}://{host}")), base)
        }
        None if url.starts_with('/') => (None, url.to_owned()),
        _ => (None, String::new()),
    }
}

/// Groups in the order of the document's tags; tags that only operations name follow in the order they appear.
fn groups(document: &Value, base: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = array(document.get("tags"))
        .iter()
        .filter_map(|tag| Some(group(tag.get("name")?.as_str()?, text(tag.get("description")))))
        .collect();

    let no_paths = Map::new();
    let paths = document.get("paths").and_then(Value::as_object).unwrap_or(&no_paths);
    for (path, item) in paths {
        let item = schema::resolve(document, item);
        for method in METHODS {
            let Some(spec) = item.get(method).filter(|spec| spec.is_object()) else {
                continue;
            };
            let operation = operation(document, method, format!("{base}{path}"), item, spec);
            let tag = spec.pointer("/tags/0").and_then(Value::as_str).unwrap_or("Other");
            match groups.iter_mut().find(|group| group.name == tag) {
                Some(group) => group.operations.push(operation),
                None => {
                    let mut group = group(tag, String::new());
                    group.operations.push(operation);
                    groups.push(group);
                }
            }
        }
    }
    groups.retain(|group| !group.operations.is_empty());
    groups
}

fn group(name: &str, description: String) -> Group {
    Group { id: format!("tag-{}", slug(name)), name: name.to_owned(), description, operations: Vec::new() }
}

fn operation(document: &Value, method: &'static str, path: String, item: &Value, spec: &Value) -> Operation {
    let mut summary = text(spec.get("summary"));
    if summary.is_empty() {
        summary = format!("{} {path}", method.to_uppercase());
    }
    // By this name search leads here.
    let named = spec.get("operationId").and_then(Value::as_str);
    Operation {
        id: named.map_or_else(|| format!("{method}-{}", slug(&path)), str::to_owned),
        method,
        path,
        summary,
        description: text(spec.get("description")),
        deprecated: spec.get("deprecated").and_then(Value::as_bool).unwrap_or(false),
        access: access(document, spec),
        parameters: parameters(document, item, spec),
        body: body(document, spec),
        answers: answers(document, spec),
    }
}

/// An operation's own `security` replaces the document's. An empty entry in it means that signing in is optional.
fn access(document: &Value, spec: &Value) -> Access {
    let ways = array(spec.get("security").or_else(|| document.get("security")));
    if ways.iter().all(|way| way.as_object().is_none_or(Map::is_empty)) {
        Access::Public
    } else if ways.iter().any(|way| way.as_object().is_some_and(Map::is_empty)) {
        Access::Optional
    } else {
        Access::Required
    }
}

/// Those of the path come first; one of the operation with the same name and place replaces it.
fn parameters(document: &Value, item: &Value, spec: &Value) -> Vec<Parameter> {
    let mut all: Vec<Parameter> = Vec::new();
    for raw in array(item.get("parameters")).iter().chain(array(spec.get("parameters"))) {
        let Some(parameter) = parameter(document, schema::resolve(document, raw)) else {
            continue;
        };
        match all.iter_mut().find(|known| known.name == parameter.name && known.place == parameter.place) {
            Some(known) => *known = parameter,
            None => all.push(parameter),
        }
    }
    all
}

fn parameter(document: &Value, raw: &Value) -> Option<Parameter> {
    let name = raw.get("name")?.as_str()?.to_owned();
    let place = text(raw.get("in"));
    let kind = raw.get("schema").map(|schema| schema::kind(document, schema)).unwrap_or_default();
    let example = raw
        .get("example")
        .or_else(|| raw.pointer("/schema/example"))
        .or_else(|| raw.pointer("/schema/examples/0"))
        .and_then(scalar);
    let required = place == "path" || raw.get("required").and_then(Value::as_bool).unwrap_or(false);
    Some(Parameter { name, place, kind, required, description: text(raw.get("description")), example })
}

fn body(document: &Value, spec: &Value) -> Option<Body> {
    let raw = schema::resolve(document, spec.get("requestBody")?);
    let (content_type, media) = content(raw)?;
    let shape = media.get("schema");
    let json = content_type.ends_with("json");
    let example = json
        .then(|| {
            media
                .get("example")
                .or_else(|| media.get("examples")?.as_object()?.values().next()?.get("value"))
                .cloned()
                .or_else(|| shape.map(|shape| schema::example(document, shape)))
        })
        .flatten();

    Some(Body {
        content_type,
        required: raw.get("required").and_then(Value::as_bool).unwrap_or(false),
        description: text(raw.get("description")),
        kind: shape.map(|shape| schema::kind(document, shape)).unwrap_or_default(),
        fields: shape.map(|shape| schema::fields(document, shape)).unwrap_or_default(),
        example,
    })
}

fn answers(document: &Value, spec: &Value) -> Vec<Answer> {
    let Some(responses) = spec.get("responses").and_then(Value::as_object) else {
        return Vec::new();
    };
    let mut answers: Vec<Answer> = responses
        .iter()
        .map(|(status, raw)| {
            let raw = schema::resolve(document, raw);
            let (content_type, shape) = match content(raw) {
                Some((content_type, media)) => (content_type, media.get("schema")),
                None => (String::new(), None),
            };
            Answer {
                status: status.clone(),
                description: text(raw.get("description")),
                content_type,
                kind: shape.map(|shape| schema::kind(document, shape)).unwrap_or_default(),
                fields: shape.map(|shape| schema::fields(document, shape)).unwrap_or_default(),
            }
        })
        .collect();
    // "default" sorts after every number.
    answers.sort_by(|a, b| a.status.cmp(&b.status));
    answers
}

/// The media type to show: JSON when there is one, else the first.
fn content(raw: &Value) -> Option<(String, &Value)> {
    let types = raw.get("content")?.as_object()?;
    let (name, media) =
        types.iter().find(|(name, _)| name.ends_with("json")).or_else(|| types.iter().next())?;
    Some((name.clone(), media))
}

fn array(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().trim().to_owned()
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

fn slug(name: &str) -> String {
    let parts: Vec<String> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn licenses() -> Value {
        json!({
            "openapi": "3.1.0",
            "info": { "title": "Dev Forge", "version": "1" },
            "servers": [{ "url": "https://devforge.example/" }],
            "security": [{ "bearer": [] }],
            "tags": [{ "name": "Licenses", "description": "Keys." }, { "name": "Unused" }],
            "paths": {
                "/api/licenses/{licenseKey}": {
                    "parameters": [{ "name": "licenseKey", "in": "path", "schema": { "type": "string" } }],
                    "get": {
                        "tags": ["Licenses"], "summary": "Look at a license", "security": [], "operationId": "lookAtLicense",
                        "responses": { "default": { "description": "Else" }, "200": { "description": "The license" } }
                    },
                    "delete": { "tags": ["Licenses"], "security": [{}, { "bearer": [] }] }
                },
                "/healthz": { "get": { "responses": {} } },
                "/broken": { "get": "nothing", "post": {} }
            }
        })
    }

    #[test]
    fn operations_stand_under_their_tags_in_the_documents_order() {
        let reference = read(&licenses());
        let names: Vec<&str> = reference.groups.iter().map(|group| group.name.as_str()).collect();
        assert_eq!(names, ["Licenses", "Other"]);
        assert_eq!(reference.server.as_deref(), Some("https://devforge.example"));

        let look = &reference.groups[0].operations[0];
        assert_eq!((look.id.as_str(), look.method), ("lookAtLicense", "get"));
        assert_eq!(look.parameters[0].name, "licenseKey");
        assert!(look.parameters[0].required, "a path parameter is always required");
        let statuses: Vec<&str> = look.answers.iter().map(|answer| answer.status.as_str()).collect();
        assert_eq!(statuses, ["200", "default"]);
    }

    #[test]
    fn paths_stand_under_the_servers_path() {
        for (url, server, path) in [
            ("/api", None, "/api/me"),
            ("/", None, "/me"),
            ("https://devforge.example/api/", Some("https://devforge.example"), "/api/me"),
            ("ftp://devforge.example", None, "/me"),
        ] {
            let reference = read(&json!({ "servers": [{ "url": url }], "paths": { "/me": { "get": {} } } }));
            assert_eq!(reference.server.as_deref(), server);
            assert_eq!(reference.groups[0].operations[0].path, path);
        }
    }

    #[test]
    fn an_operation_without_a_summary_is_called_by_its_path() {
        let reference = read(&licenses());
        assert_eq!(reference.groups[0].operations[1].summary, "DELETE /api/licenses/{licenseKey}");
    }

    #[test]
    fn access_follows_the_operation_before_the_document() {
        let reference = read(&licenses());
        let [licenses, other] = &reference.groups[..] else { panic!("two groups") };
        assert_eq!(licenses.operations[0].access, Access::Public);
        assert_eq!(licenses.operations[1].access, Access::Optional);
        assert_eq!(other.operations[0].access, Access::Required);
    }

    #[test]
    fn a_document_of_the_wrong_shape_is_an_empty_reference() {
        for document in [json!(null), json!([]), json!({ "paths": 7, "tags": {}, "servers": "x" })] {
            assert!(read(&document).groups.is_empty());
        }
    }
}
