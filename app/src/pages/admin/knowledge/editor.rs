//! One article for staff: its form with the preview below, whether it is shown, its versions, and what readers say.

use devforge::support::{
    feedback::{Note, PageFigures},
    knowledge::{
        ArticleStatus, CATEGORIES, StaffArticle, path_of,
        rules::{MAX_DESCRIPTION, MAX_MARKDOWN, MAX_TITLE},
    },
};
use leptos::prelude::*;

use super::{ArticleForm, DAYS, PATH, list::status_badge};
use crate::{
    components::{Breadcrumb, Field, Icon, Notice},
    pages::{admin::frame::choice, forms::Mistakes, moments::moment},
};

/// The most notes that are shown with an article.
const NOTES: usize = 20;

/// What a request adds to the page.
#[derive(Default)]
pub struct Answer {
    pub done: Option<(&'static str, &'static str)>,
    pub wrong: Mistakes,
    /// What was typed; without it the form holds the article.
    pub typed: Option<ArticleForm>,
    pub preview: Option<String>,
    /// The form holds the text of this version, not the newest.
    pub earlier: Option<u32>,
}

/// What readers say of an article.
pub struct Readers {
    pub figures: PageFigures,
    pub notes: Vec<Note>,
}

pub fn new_article(answer: &Answer) -> AnyView {
    let typed = answer.typed.clone().unwrap_or_default();
    view! {
        {head("New article", None)}
        {answer.wrong.summary()}
        {form(&format!("{PATH}/new"), &typed, &answer.wrong, "Save draft")}
        {preview(answer)}
    }
    .into_any()
}

pub fn article(article: &StaffArticle, readers: &Readers, answer: &Answer) -> AnyView {
    let typed =
        answer.typed.clone().unwrap_or_else(|| ArticleForm::of(article.text.clone(), article.version));
    let done = answer
        .done
        .map(|(title, text)| view! { <Notice tone="ok" title=title live=true><p>{text}</p></Notice> });
    let earlier = answer.earlier.map(|version| {
        let title = format!("This is version {version}");
        view! {
            <Notice tone="info" title=title>
                <p>"Saving it makes it the newest. The category and the tags are those of now."</p>
            </Notice>
        }
    });
    let starting = article.is_starting.then(|| {
        view! {
            <p class="quiet small">
                "This article comes with the program, which keeps it up to date. Once you save, publish or archive it, it is yours and the program leaves it alone."
            </p>
        }
    });
    let action = format!("{PATH}/{}", article.id);
    view! {
        {head(&article.text.title, Some(article))}
        {answer.wrong.summary()}
        {done}
        {earlier}
        {starting}
        {form(&action, &typed, &answer.wrong, "Save")}
        {preview(answer)}
        {standing(article)}
        {said(readers)}
        {versions(article)}
    }
    .into_any()
}

fn head(title: &str, article: Option<&StaffArticle>) -> AnyView {
    let trail = vec![("Knowledge base".to_owned(), PATH.to_owned())];
    let badge = article.map(|article| status_badge(article.status));
    let shown = article.filter(|article| article.status == ArticleStatus::Published).map(|article| {
        let path = path_of(&article.slug);
        view! { <a class="button ghost small" href=path>"Open on the site"</a> }
    });
    view! {
        <header class="admin-head">
            <Breadcrumb trail=trail here=title.to_owned()/>
            <h1 class="app-title">{title.to_owned()}</h1>
            {badge}
            {shown}
        </header>
    }
    .into_any()
}

fn form(action: &str, typed: &ArticleForm, wrong: &Mistakes, save: &'static str) -> AnyView {
    view! {
        <form class="knowledge-form" method="post" action=action.to_owned() novalidate=true>
            <input type="hidden" name="version" value=typed.version.clone()/>
            <Field name="title" label="Title" value=typed.title.clone() maxlength=MAX_TITLE as u32 autocomplete="off"
                error=wrong.of("title") hint="What somebody looks for, in their words. The address is made from it until it is published."/>
            <Field name="description" label="Description" value=typed.description.clone()
                maxlength=MAX_DESCRIPTION as u32 autocomplete="off" error=wrong.of("description")
                hint="One sentence that says what the article tells."/>
            <div class="field-row">
                {category(typed, wrong)}
                <Field name="tags" label="Tags" value=typed.tags.clone() maxlength=500 autocomplete="off" optional=true
                    error=wrong.of("tags") hint="Other words for it, with commas between them."/>
            </div>
            <Field name="markdown" label="Article" kind="textarea" value=typed.markdown.clone()
                maxlength=MAX_MARKDOWN as u32 error=wrong.of("markdown")
                hint="In Markdown. Headings begin with ##. HTML is shown as text."/>
            <div class="form-actions">
                <button class="button primary" type="submit" name="step" value="save">{save}</button>
                <button class="button secondary" type="submit" name="step" value="preview">"Preview"</button>
            </div>
        </form>
    }
    .into_any()
}

fn category(typed: &ArticleForm, wrong: &Mistakes) -> AnyView {
    let error = wrong.of("category");
    let invalid = error.is_some().then_some("true");
    let described_by = error.is_some().then_some("category-error");
    let options =
        CATEGORIES.map(|category| choice(category, category, &typed.category)).into_iter().collect_view();
    view! {
        <div class="field">
            <label for="category">"Category"</label>
            <select class="select" id="category" name="category" aria-invalid=invalid aria-describedby=described_by>
                <option value="">"Choose one"</option>
                {options}
            </select>
            {error.map(|error| view! {
                <p class="field-error" id="category-error"><Icon name="bad" size=16/><span>{error}</span></p>
            })}
        </div>
    }
    .into_any()
}

fn preview(answer: &Answer) -> Option<AnyView> {
    let html = answer.preview.clone()?;
    let content = view! {
        <p class="quiet small">"This is not saved."</p>
        <div class="prose" inner_html=html></div>
    };
    Some(panel("preview", "Preview", content.into_any()))
}

fn panel(id: &'static str, title: &'static str, content: AnyView) -> AnyView {
    view! {
        <section class="admin-panel" aria-labelledby=id>
            <h2 class="panel-title" id=id>{title}</h2>
            {content}
        </section>
    }
    .into_any()
}

/// The one way on from how it stands.
fn standing(article: &StaffArticle) -> AnyView {
    let text = match article.status {
        ArticleStatus::Draft => "Nobody but staff sees this article.",
        ArticleStatus::Published => "Everybody can read this article.",
        ArticleStatus::Archived => "This article is off the site.",
    };
    let step = |status: ArticleStatus, label: &'static str, class: &'static str| {
        view! { <button class=class type="submit" name="status" value=status.as_str()>{label}</button> }
            .into_any()
    };
    let publish = (article.status != ArticleStatus::Published)
        .then(|| step(ArticleStatus::Published, "Publish", "button primary"));
    let archive = (article.status != ArticleStatus::Archived)
        .then(|| step(ArticleStatus::Archived, "Archive", "button secondary"));
    let action = format!("{PATH}/{}/status", article.id);
    let content = view! {
        <form method="post" action=action>
            <input type="hidden" name="version" value=article.version.to_string()/>
            <p>{text}" This is about the saved article, not about what stands unsaved in the form."</p>
            <div class="form-actions">{publish}{archive}</div>
        </form>
    };
    panel("standing", "On the site", content.into_any())
}

fn said(readers: &Readers) -> Option<AnyView> {
    let PageFigures { yes, no, .. } = readers.figures;
    if yes + no == 0 && readers.notes.is_empty() {
        return None;
    }
    let notes = readers
        .notes
        .iter()
        .take(NOTES)
        .map(|note| {
            let answer = if note.helpful { "It helped" } else { "It did not help" };
            view! {
                <li class="row">
                    <div>
                        <p class="admin-reason">{note.text.clone()}</p>
                        <p class="meta">{format!("{answer}, {}", note.day)}</p>
                    </div>
                </li>
            }
        })
        .collect_view();
    let content = view! {
        <p>{format!("In the last {DAYS} days, {yes} answered yes and {no} answered no.")}</p>
        <ul class="rows">{notes}</ul>
    };
    Some(panel("readers", "What readers say", content.into_any()))
}

fn versions(article: &StaffArticle) -> AnyView {
    let rows = article
        .versions
        .iter()
        .map(|version| {
            let number = version.version;
            let author = version.author.clone().unwrap_or_else(|| "The program".to_owned());
            let address = format!("{PATH}/{}?version={number}", article.id);
            view! {
                <li class="row">
                    <div>
                        <p class="row-title"><a href=address>{format!("Version {number}")}</a></p>
                        <p>{version.title.clone()}</p>
                    </div>
                    <p class="meta">{format!("{author}, {}", moment(version.created_at))}</p>
                </li>
            }
        })
        .collect_view();
    panel("versions", "Versions", view! { <ul class="rows">{rows}</ul> }.into_any())
}
