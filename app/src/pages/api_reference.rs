//! The readable form of the OpenAPI document, at `/docs/api`.
//!
//! What holds for every call is written here in words; the calls come from the document itself, so that the page
//! cannot say anything else than the routes do.

use leptos::prelude::*;
use pulldown_cmark::{Event, Parser, Tag, TagEnd, html};
use serde_json::Value;

use crate::components::{Badge, Breadcrumb, CodeBlock, Icon};
use document::{Access, Answer, Body, Group, Operation, Parameter, Reference};
use schema::Field;

mod curl;
mod document;
mod rules;
mod schema;

pub fn api_reference(document: &Value) -> AnyView {
    let reference = document::read(document);
    let tree = tree(&reference);
    let version = (!reference.version.is_empty()).then(|| format!("Version {}", reference.version));
    let Reference { server, base, groups, .. } = reference;
    let sections = groups.into_iter().map(|group| group_section(group, server.as_deref())).collect_view();

    view! {
        <div class="api-reference page">
            <div class="api-tree">{tree}</div>
            <article class="api-main">
                <Breadcrumb trail=vec![("Home".to_owned(), "/".to_owned())] here="API reference"/>
                <h1 class="page-title">"API reference"</h1>
                <p class="lead">
                    "The calls that the editor and this site make are open to your programs as well. Answers are JSON, errors say what to do, and each call below comes with an example."
                </p>
                <p class="api-meta meta">
                    {version.map(|version| view! { <span>{version}</span> })}
                    <a href="/api/openapi.json">"OpenAPI document"</a>
                    <a href="/docs/api.md">"View as Markdown"</a>
                </p>
                {rules::rules(server.as_deref(), &base)}
                {sections}
            </article>
        </div>
    }
    .into_any()
}

/// The calls as a list, for programs that read rather than look.
pub fn markdown(document: &Value) -> String {
    let reference = document::read(document);
    let mut text = String::from(
        "# API reference\n\nEvery call, by what it is about. What each takes and answers is in the \
         [OpenAPI document](/api/openapi.json); what holds for all of them is in [the docs](/docs/api-basics.md).\n",
    );
    for group in reference.groups {
        text.push_str(&format!("\n## {}\n\n", group.name));
        if !group.description.is_empty() {
            text.push_str(&format!("{}\n\n", group.description));
        }
        for Operation { method, path, summary, .. } in group.operations {
            text.push_str(&format!("- `{} {path}`: {summary}\n", method.to_uppercase()));
        }
    }
    text
}

/// The groups on the left. They are folded at first: on a phone the tree stands above the text.
fn tree(reference: &Reference) -> AnyView {
    let groups = reference
        .groups
        .iter()
        .map(|group| {
            let links = group
                .operations
                .iter()
                .map(|operation| {
                    let target = format!("#{}", operation.id);
                    view! { <li><a href=target>{operation.summary.clone()}</a></li> }
                })
                .collect_view();
            view! {
                <details>
                    <summary>{group.name.clone()}<Icon name="right" size=14/></summary>
                    <ul>{links}</ul>
                </details>
            }
        })
        .collect_view();

    view! {
        <nav class="side-nav" aria-label="Calls">
            <details>
                <summary>"Rules"<Icon name="right" size=14/></summary>
                <ul>{rules::links()}</ul>
            </details>
            {groups}
        </nav>
    }
    .into_any()
}

fn group_section(group: Group, server: Option<&str>) -> AnyView {
    let operations =
        group.operations.into_iter().map(|operation| operation_section(operation, server)).collect_view();
    let description = prose(&group.description);

    view! {
        <section class="api-group hot-bar" aria-labelledby=group.id>
            <h2 class="section-title" id=group.id.clone()>{group.name}</h2>
            {description}
            {operations}
        </section>
    }
    .into_any()
}

fn operation_section(operation: Operation, server: Option<&str>) -> AnyView {
    let example = curl::curl(&operation, server);
    let Operation { id, method, path, summary, description, deprecated, access, parameters, body, answers } =
        operation;
    let access = match access {
        Access::Public => "Needs no sign-in",
        Access::Optional => "Signing in is optional",
        Access::Required => "Needs a token or a session",
    };
    let deprecated = deprecated.then(|| view! { <Badge tone="warn" label="On its way out"/> });
    let parameters = (!parameters.is_empty()).then(|| parameters_table(&summary, parameters));
    let body = body.map(|body| body_section(&summary, body));
    let answers = (!answers.is_empty()).then(|| answers_section(&summary, answers));
    let example_title = format!("Example: {summary}");
    let method_class = format!("method {method}");

    view! {
        <section class="operation" aria-labelledby=id>
            <h3 id=id.clone()>{summary}</h3>
            <p class="signature">
                <span class=method_class>{method.to_uppercase()}</span>
                <code>{breakable(&path)}</code>
            </p>
            <p class="operation-facts meta"><span>{access}</span>{deprecated}</p>
            {prose(&description)}
            {parameters}
            {body}
            {answers}
            <CodeBlock title=example_title code=example/>
        </section>
    }
    .into_any()
}

fn parameters_table(summary: &str, parameters: Vec<Parameter>) -> AnyView {
    let rows = parameters
        .into_iter()
        .map(|parameter| {
            view! {
                <tr>
                    <th scope="row"><code>{parameter.name}</code>{needed(parameter.required)}</th>
                    <td>{parameter.place}</td>
                    <td class="kind">{parameter.kind}</td>
                    <td>{prose(&parameter.description)}</td>
                </tr>
            }
        })
        .collect_view();

    view! {
        <h4>"Parameters"</h4>
        <div class="table-wrap" role="region" tabindex="0" aria-label=format!("Parameters of {summary}")>
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col">"Name"</th>
                        <th scope="col">"In"</th>
                        <th scope="col">"Type"</th>
                        <th scope="col">"Meaning"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn body_section(summary: &str, body: Body) -> AnyView {
    let Body { content_type, required, description, kind, fields, .. } = body;
    let optional = if required { "" } else { ", optional" };
    let kind =
        (fields.is_empty() && !kind.is_empty()).then(|| view! { ": " <span class="kind">{kind}</span> });
    let fields = (!fields.is_empty()).then(|| fields_table(format!("Body of {summary}"), fields, true));

    view! {
        <h4>"Body"</h4>
        <p class="quiet"><code>{content_type}</code>{optional}{kind}</p>
        {prose(&description)}
        {fields}
    }
    .into_any()
}

fn answers_section(summary: &str, answers: Vec<Answer>) -> AnyView {
    let rows = answers.into_iter().map(|answer| answer_row(summary, answer)).collect_view();

    view! {
        <h4>"Answers"</h4>
        <ul class="answers">{rows}</ul>
    }
    .into_any()
}

/// An answer with fields unfolds into their table; the error shape is the same everywhere and is described once.
fn answer_row(summary: &str, answer: Answer) -> AnyView {
    let class = match answer.status.as_bytes().first() {
        Some(b'2') => "status ok",
        Some(b'4' | b'5') => "status bad",
        _ => "status",
    };
    let label = format!("Answer {} of {summary}", answer.status);
    let description =
        if answer.description.is_empty() { "No description".to_owned() } else { answer.description };
    let problem = answer.content_type == "application/problem+json";
    let kind = if problem { "Problem".to_owned() } else { answer.kind };
    let line = view! {
        <span class=class>{answer.status}</span>
        <span class="answer-text">{description}</span>
        <span class="kind">{kind}</span>
    };

    if answer.fields.is_empty() || problem {
        return view! { <li class="answer"><div class="answer-line">{line}</div></li> }.into_any();
    }
    view! {
        <li class="answer">
            <details>
                <summary class="answer-line">{line}<Icon name="right" size=14/></summary>
                {fields_table(label, answer.fields, false)}
            </details>
        </li>
    }
    .into_any()
}

/// In a body it matters which fields must be sent; in an answer, which are always there goes without saying.
fn fields_table(label: String, fields: Vec<Field>, marks_required: bool) -> AnyView {
    let rows = fields
        .into_iter()
        .map(|field| {
            view! {
                <tr>
                    <th scope="row"><code>{field.path}</code>{needed(marks_required && field.required)}</th>
                    <td class="kind">{field.kind}</td>
                    <td>{prose(&field.description)}</td>
                </tr>
            }
        })
        .collect_view();

    view! {
        <div class="table-wrap" role="region" tabindex="0" aria-label=label>
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col">"Field"</th>
                        <th scope="col">"Type"</th>
                        <th scope="col">"Meaning"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn needed(required: bool) -> Option<AnyView> {
    required.then(|| view! { " " <span class="needed">"required"</span> }.into_any())
}

/// A path that may break after each slash, so that it fits a phone.
fn breakable(path: &str) -> Vec<AnyView> {
    path.split_inclusive('/').map(|part| view! { {part.to_owned()}<wbr/> }.into_any()).collect()
}

/// Descriptions are Markdown. Their headings become paragraphs, so that the page's own stay in order, and tags are
/// shown rather than obeyed.
fn prose(markdown: &str) -> Option<AnyView> {
    if markdown.is_empty() {
        return None;
    }
    let events = Parser::new(markdown).map(|event| match event {
        Event::Start(Tag::Heading { .. }) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::Heading(_)) => Event::End(TagEnd::Paragraph),
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        other => other,
    });
    let mut rendered = String::with_capacity(markdown.len() + 16);
    html::push_html(&mut rendered, events);
    Some(view! { <div class="api-prose" inner_html=rendered></div> }.into_any())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn any_document_makes_a_page() {
        for document in [json!(null), json!({}), json!({ "paths": { "/a": { "get": {} } } })] {
            let html = api_reference(&document).to_html();
            assert!(html.contains("API reference"), "{html}");
        }
    }

    #[test]
    fn the_calls_are_a_list_in_markdown() {
        let document = json!({
            "servers": [{ "url": "/api" }],
            "tags": [{ "name": "Licenses", "description": "Keys and machines." }],
            "paths": {
                "/licenses": { "get": { "tags": ["Licenses"], "summary": "List licenses" } },
                "/me": { "get": {}, "delete": { "summary": "Close the account" } },
            },
        });
        let text = markdown(&document);
        let (_, list) = text.split_once("\n## ").expect("a group");
        assert_eq!(
            list,
            "Licenses\n\nKeys and machines.\n\n- `GET /api/licenses`: List licenses\n\n## Other\n\n\
             - `GET /api/me`: GET /api/me\n- `DELETE /api/me`: Close the account\n"
        );
        assert!(markdown(&json!(null)).starts_with("# API reference\n"));
    }

    #[test]
    fn tags_in_descriptions_are_shown() {
        let document =
            json!({ "paths": { "/a": { "get": { "description": "# Big\n\n<script>alert(1)</script>" } } } });
        let html = api_reference(&document).to_html();
        assert!(html.contains("&lt;script&gt;"));
        assert_eq!(html.matches("<h1").count(), 1);
    }
}
