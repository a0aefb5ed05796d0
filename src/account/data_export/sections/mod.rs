//! What goes into an archive. A feature that keeps something about people adds its section to the list.
//!
//! What always holds: a section holds what is about its owner, no secret, and no id of another person.

mod store;

use std::{fmt::Write as _, future::Future};

use futures::future::{BoxFuture, FutureExt};
use serde::Serialize;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    billing::{document, history},
    context::Context,
    contract::id::{ExportId, UserId},
};

/// No list in an archive is longer; the newest entries are in it.
const MOST_ROWS: i64 = 20_000;

/// One file of the archive.
pub struct Section {
    pub file: &'static str,
    /// What is in it, for the README.
    pub about: &'static str,
    pub collect: for<'a> fn(&'a Context, UserId) -> Collecting<'a>,
}

type Collecting<'a> = BoxFuture<'a, anyhow::Result<Value>>;

pub const SECTIONS: &[Section] = &[
    Section {
        file: "account.json",
        about: "Your account and your choices",
        collect: |ctx, owner| whole(store::account(&ctx.db, owner)),
    },
    Section {
        file: "sessions.json",
        about: "Where you are signed in",
        collect: |ctx, owner| listed(store::sessions(&ctx.db, owner, MOST_ROWS)),
    },
    Section {
        file: "devices.json",
        about: "Browsers and programs that you signed in from before",
        collect: |ctx, owner| listed(store::devices(&ctx.db, owner, MOST_ROWS)),
    },
    Section {
        file: "passkeys.json",
        about: "Your passkeys",
        collect: |ctx, owner| listed(store::passkeys(&ctx.db, owner, MOST_ROWS)),
    },
    Section {
        file: "tokens.json",
        about: "Tokens you made for your own programs, without the tokens themselves",
        collect: |ctx, owner| listed(store::tokens(&ctx.db, owner, MOST_ROWS)),
    },
    Section {
        file: "mail.json",
        about: "Which mails we sent to you, and when",
        collect: |ctx, owner| listed(store::mail(&ctx.db, owner, MOST_ROWS)),
    },
    Section {
        file: "orders.json",
        about: "What you bought",
        collect: |ctx, owner| listed(document::export_orders(&ctx.db, owner, MOST_ROWS)),
    },
    Section {
        file: "documents.json",
        about: "Your invoices and credit notes",
        collect: |ctx, owner| listed(document::export(&ctx.db, owner, MOST_ROWS)),
    },
    Section {
        file: "payments.json",
        about: "What you paid, and what went back",
        collect: |ctx, owner| listed(history::export(&ctx.db, owner, MOST_ROWS)),
    },
    Section {
        file: "subscriptions.json",
        about: "What you are subscribed to, or were",
        collect: |ctx, owner| listed(history::export_subscriptions(&ctx.db, owner, MOST_ROWS)),
    },
    Section {
        file: "licenses.json",
        about: "Your licenses, with the last letters of their keys",
        collect: |ctx, owner| listed(store::licenses(&ctx.db, owner, MOST_ROWS)),
    },
    Section {
        file: "machines.json",
        about: "The machines that your licenses are active on",
        collect: |ctx, owner| listed(store::machines(&ctx.db, owner, MOST_ROWS)),
    },
    Section { file: "audit.json", about: "What was done by you or to your account", collect: audit },
    Section {
        file: "exports.json",
        about: "Archives like this one that you asked for",
        collect: |ctx, owner| listed(store::exports(&ctx.db, owner, MOST_ROWS)),
    },
];

/// What the archive says about itself.
pub fn readme(id: ExportId, made_at: OffsetDateTime) -> Result<String, time::error::Format> {
    let mut text = format!(
        "What Dev Forge keeps about you\n\nArchive {id}, made at {}.\n\n\
         Every file is JSON in UTF-8; times are UTC. A list holds its newest {MOST_ROWS} entries, and\n\
         \"complete\" says whether those are all. Passwords, tokens and codes are not here: we keep only\n\
         what is needed to recognize them.\n\n",
        made_at.format(&Rfc3339)?
    );
    for section in SECTIONS {
        let _ = writeln!(text, "{:<20}{}", section.file, section.about);
    }
    Ok(text)
}

fn whole<'a, T: Serialize + 'a>(
    found: impl Future<Output = Result<T, sqlx::Error>> + Send + 'a,
) -> Collecting<'a> {
    async move { Ok(serde_json::to_value(found.await?)?) }.boxed()
}

fn listed<'a, T: Serialize + 'a>(
    found: impl Future<Output = Result<Vec<T>, sqlx::Error>> + Send + 'a,
) -> Collecting<'a> {
    async move { Ok(list(&found.await?)?) }.boxed()
}

fn list<T: Serialize>(items: &[T]) -> serde_json::Result<Value> {
    let complete = items.len() < usize::try_from(MOST_ROWS).unwrap_or(usize::MAX);
    Ok(json!({ "complete": complete, "items": serde_json::to_value(items)? }))
}

fn audit(ctx: &Context, owner: UserId) -> Collecting<'_> {
    async move {
        let entries = store::audit(&ctx.db, owner, MOST_ROWS).await?;
        let told = entries.into_iter().map(|entry| told(entry, owner)).collect::<Result<Vec<_>, _>>()?;
        Ok(list(&told)?)
    }
    .boxed()
}

/// An entry of the audit log as the person it is about may have it: who else was there stays out, and so does what
/// somebody else noted down.
fn told(entry: store::AuditRow, owner: UserId) -> Result<Value, time::error::Format> {
    let own_id = owner.to_string();
    let by = match (entry.actor_kind.as_str(), entry.actor_id) {
        ("user", Some(actor)) if actor == owner.uuid() => "you",
        ("user", _) => "somebody else",
        ("system", _) => "Dev Forge",
        _ => "nobody signed in",
    };
    let about_owner = entry.subject_kind == "account" && entry.subject_id == own_id;
    let mut told = json!({
        "at": entry.recorded_at.format(&Rfc3339)?,
        "by": by,
        "action": entry.action,
        "subject": if about_owner { "your account" } else { entry.subject_kind.as_str() },
    });
    if about_owner && by != "somebody else" {
        told["detail"] = without_others(entry.detail, &own_id);
    }
    Ok(told)
}

fn without_others(detail: Value, own_id: &str) -> Value {
    let names_another =
        |text: &str| text.match_indices("usr_").any(|(at, _)| !text[at..].starts_with(own_id));
    match detail {
        Value::String(text) if names_another(&text) => json!("somebody else"),
        Value::Array(items) => items.into_iter().map(|item| without_others(item, own_id)).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(name, _)| !names_another(name))
            .map(|(name, value)| (name, without_others(value, own_id)))
            .collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-20 10:00 UTC);

    fn person(number: u128) -> UserId {
        UserId::from_uuid(Uuid::from_u128(number))
    }

    fn entry(actor: Option<UserId>, subject: UserId, detail: Value) -> store::AuditRow {
        store::AuditRow {
            recorded_at: NOW,
            actor_kind: if actor.is_some() { "user" } else { "system" }.to_owned(),
            actor_id: actor.map(UserId::uuid),
            action: "account.changed".to_owned(),
            subject_kind: "account".to_owned(),
            subject_id: subject.to_string(),
            detail,
        }
    }

    #[test]
    fn every_file_has_a_name_of_its_own() {
        let mut files: Vec<&str> = SECTIONS.iter().map(|section| section.file).collect();
        files.sort_unstable();
        files.dedup();
        assert_eq!(files.len(), SECTIONS.len());
        assert!(files.iter().all(|file| file.ends_with(".json") && file.len() < 20));
    }

    #[test]
    fn the_readme_names_every_file() {
        let text = readme(ExportId::from_uuid(Uuid::nil()), NOW).expect("written");
        for section in SECTIONS {
            assert!(text.contains(section.file), "{}", section.file);
        }
        assert!(text.contains("2026-11-20T10:00:00Z"));
    }

    #[test]
    fn an_entry_keeps_its_detail_and_loses_other_people() {
        let (ada, admin) = (person(1), person(2));
        let detail = json!({
            "role": "developer",
            "own": ada,
            "from": [format!("was {admin}")],
            admin.to_string(): true,
        });
        let told = told(entry(Some(ada), ada, detail), ada).expect("told");
        assert_eq!(told["by"], "you");
        assert_eq!(told["subject"], "your account");
        assert_eq!(told["detail"], json!({ "role": "developer", "own": ada, "from": ["somebody else"] }));
    }

    #[test]
    fn what_somebody_else_did_has_no_detail() {
        let (ada, admin) = (person(1), person(2));
        let told = told(entry(Some(admin), ada, json!({ "reason": "a suspicion" })), ada).expect("told");
        assert_eq!(told["by"], "somebody else");
        assert_eq!(told["detail"], Value::Null);
    }

    #[test]
    fn what_one_did_to_others_says_only_that() {
        let (admin, ada) = (person(2), person(1));
        let told = told(entry(Some(admin), ada, json!({ "name": "Ada" })), admin).expect("told");
        assert_eq!((&told["by"], &told["subject"]), (&json!("you"), &json!("account")));
        assert!(!told.to_string().contains(&ada.to_string()));
        assert_eq!(told["detail"], Value::Null);
    }
}
