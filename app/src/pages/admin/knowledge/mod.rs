//! The knowledge base for staff: the list of articles, writing and rewriting one, publishing and archiving it.
//!
//! What always holds: what somebody typed comes back with every answer that does not keep it; a form says which version
//! it was made from.

mod editor;
mod list;

use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    account::Permission,
    api::{
        error::ApiError,
        extract::{Path, Query},
    },
    context::Context,
    contract::id::ArticleId,
    support::{
        Error, feedback,
        knowledge::{self, ArticleStatus, Filter, NewArticle},
    },
};
use serde::Deserialize;

use self::{
    editor::{Answer, Readers},
    list::Asked,
};
use super::frame::{Here, Section, Viewer, frame};
use crate::pages::{
    forms::Mistakes,
    shell::{Page, Visit},
};

const PATH: &str = "/admin/knowledge";
/// What readers said in so many days stands with an article.
const DAYS: u16 = 90;

/// All as text: what is no state or number narrows nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ArticlesQuery {
    q: String,
    status: String,
    page: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ArticleQuery {
    done: String,
    /// An earlier version, to begin with its text.
    version: String,
}

/// An article as it was typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ArticleForm {
    /// The version that the form was made from.
    version: String,
    title: String,
    description: String,
    category: String,
    tags: String,
    markdown: String,
    /// `save` or `preview`: the button that was used.
    step: String,
}

impl ArticleForm {
    fn of(text: NewArticle, version: u32) -> Self {
        Self {
            version: version.to_string(),
            title: text.title,
            description: text.description,
            category: text.category,
            tags: text.tags.join(", "),
            markdown: text.markdown,
            step: String::new(),
        }
    }

    fn read(&self) -> NewArticle {
        NewArticle {
            title: self.title.clone(),
            description: self.description.clone(),
            category: self.category.clone(),
            tags: self.tags.split(',').map(str::to_owned).collect(),
            markdown: self.markdown.clone(),
        }
    }

    fn is_preview(&self) -> bool {
        self.step == "preview"
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct StatusForm {
    version: String,
    status: String,
}

pub async fn articles_page(
    State(ctx): State<Context>,
    Query(query): Query<ArticlesQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let filter = Filter {
        status: ArticleStatus::parse(&query.status),
        words: query.q.trim().to_owned(),
        page: query.page.parse().unwrap_or(1).clamp(1, 1_000),
    };
    let (articles, total) = knowledge::staff_list(&ctx, &visit.caller, &filter).await?;
    let viewer = Viewer::of(&ctx, &visit.caller)?;
    let now = ctx.clock.now();
    let asked = Asked { filter, total };
    let page = Page::new("Knowledge base", "The help articles, as staff write them.", move || {
        frame(Here::Page(Section::Knowledge), viewer, list::articles(&articles, &asked, now))
    });
    Ok(page.render(&visit))
}

pub async fn new_article_page(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    visit.caller.require(&ctx, Permission::KnowledgeWrite)?;
    show_new(&ctx, visit, StatusCode::OK, Answer::default())
}

pub async fn write_article(
    State(ctx): State<Context>,
    visit: Visit,
    Form(form): Form<ArticleForm>,
) -> Result<Response, ApiError> {
    if form.is_preview() {
        let preview = Some(knowledge::preview(&ctx, &visit.caller, &form.markdown)?);
        let answer = Answer { preview, typed: Some(form), ..Answer::default() };
        return show_new(&ctx, visit, StatusCode::OK, answer);
    }
    match knowledge::write(&ctx, &visit.caller, &form.read()).await {
        Ok(id) => Ok(Redirect::to(&format!("{PATH}/{id}?done=written")).into_response()),
        Err(error) => {
            let (status, wrong) = mistakes(error)?;
            show_new(&ctx, visit, status, Answer { wrong, typed: Some(form), ..Answer::default() })
        }
    }
}

pub async fn article_page(
    State(ctx): State<Context>,
    Path(id): Path<ArticleId>,
    Query(query): Query<ArticleQuery>,
    visit: Visit,
) -> Result<Response, ApiError> {
    let mut answer = Answer { done: done(&query.done), ..Answer::default() };
    if let Ok(version) = query.version.parse::<u32>() {
        let now = knowledge::staff_find(&ctx, &visit.caller, id).await?.version;
        let text = knowledge::staff_text(&ctx, &visit.caller, id, version).await?;
        answer.earlier = (version != now).then_some(version);
        answer.typed = Some(ArticleForm::of(text, now));
    }
    show_article(&ctx, visit, id, StatusCode::OK, answer).await
}

/// What a redirect says was done. The word itself is never shown.
fn done(word: &str) -> Option<(&'static str, &'static str)> {
    Some(match word {
        "written" => ("The draft is saved", "Nobody but staff sees it until it is published."),
        "saved" => ("The article is saved", "The text before it stays in the list of versions."),
        "published" => ("The article is published", "It is on the site now, and in the search in a moment."),
        "archived" => ("The article is archived", "It is off the site. Its text and its versions stay here."),
        _ => return None,
    })
}

pub async fn rewrite_article(
    State(ctx): State<Context>,
    Path(id): Path<ArticleId>,
    visit: Visit,
    Form(form): Form<ArticleForm>,
) -> Result<Response, ApiError> {
    if form.is_preview() {
        let preview = Some(knowledge::preview(&ctx, &visit.caller, &form.markdown)?);
        let answer = Answer { preview, typed: Some(form), ..Answer::default() };
        return show_article(&ctx, visit, id, StatusCode::OK, answer).await;
    }
    // What is no number is no version of anything.
    let version = form.version.parse().unwrap_or(0);
    match knowledge::rewrite(&ctx, &visit.caller, id, version, &form.read()).await {
        Ok(_) => Ok(Redirect::to(&format!("{PATH}/{id}?done=saved")).into_response()),
        Err(error) => {
            let (status, wrong) = mistakes(error)?;
            let answer = Answer { wrong, typed: Some(form), ..Answer::default() };
            show_article(&ctx, visit, id, status, answer).await
        }
    }
}

pub async fn set_article_status(
    State(ctx): State<Context>,
    Path(id): Path<ArticleId>,
    visit: Visit,
    Form(form): Form<StatusForm>,
) -> Result<Response, ApiError> {
    visit.caller.require(&ctx, Permission::KnowledgeWrite)?;
    let version = form.version.parse().unwrap_or(0);
    let outcome = match ArticleStatus::parse(&form.status) {
        Some(status) => knowledge::set_status(&ctx, &visit.caller, id, version, status).await,
        None => Err(Error::Conflict("Choose whether to publish or to archive it.")),
    };
    match outcome {
        Ok(()) => Ok(Redirect::to(&format!("{PATH}/{id}?done={}", form.status)).into_response()),
        Err(error) => {
            let (status, wrong) = mistakes(error)?;
            show_article(&ctx, visit, id, status, Answer { wrong, ..Answer::default() }).await
        }
    }
}

/// What of an error the form can show. Everything else passes on.
fn mistakes(error: Error) -> Result<(StatusCode, Mistakes), ApiError> {
    match error {
        Error::Invalid(problems) => {
            let fields = problems.into_iter().map(|problem| (problem.field, problem.message)).collect();
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Mistakes { general: None, fields }))
        }
        Error::Conflict(what) => Ok((StatusCode::CONFLICT, Mistakes::general(what))),
        other => Err(other.into()),
    }
}

fn show_new(
    ctx: &Context,
    mut visit: Visit,
    status: StatusCode,
    answer: Answer,
) -> Result<Response, ApiError> {
    let viewer = Viewer::of(ctx, &visit.caller)?;
    visit.path = format!("{PATH}/new");
    let page = Page::new("New article", "A help article that is not there yet.", move || {
        frame(Here::Below(Section::Knowledge), viewer, editor::new_article(&answer))
    });
    Ok(page.status(status).render(&visit))
}

async fn show_article(
    ctx: &Context,
    mut visit: Visit,
    id: ArticleId,
    status: StatusCode,
    answer: Answer,
) -> Result<Response, ApiError> {
    let article = knowledge::staff_find(ctx, &visit.caller, id).await?;
    let path = knowledge::path_of(&article.slug);
    let readers = Readers {
        figures: feedback::figures_of(ctx, &visit.caller, &path, DAYS).await?,
        notes: feedback::notes(ctx, &visit.caller, Some(&path), DAYS).await?,
    };
    let viewer = Viewer::of(ctx, &visit.caller)?;
    visit.path = format!("{PATH}/{id}");
    let page = Page::new(article.text.title.clone(), "A help article, as staff write it.", move || {
        frame(Here::Below(Section::Knowledge), viewer, editor::article(&article, &readers, &answer))
    });
    Ok(page.status(status).render(&visit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_reads_as_the_article_it_was_made_from() {
        let text = NewArticle {
            title: "Find an invoice".to_owned(),
            description: "Where they are.".to_owned(),
            category: "Billing".to_owned(),
            tags: vec!["invoice".to_owned(), " pdf".to_owned()],
            markdown: "Open Billing.".to_owned(),
        };
        let form = ArticleForm::of(text.clone(), 7);
        assert_eq!((form.version.as_str(), form.tags.as_str()), ("7", "invoice,  pdf"));
        assert_eq!(form.read().markdown, text.markdown);
    }

    #[test]
    fn only_words_of_our_own_are_answered() {
        assert!(done("published").is_some());
        assert_eq!(done("<b>"), None);
    }
}
