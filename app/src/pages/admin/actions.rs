//! What an administrator can do about a person. Each is a plain form in a fold, so that all of it works without
//! script, and its consequence is read before its button is reached.

use devforge::{
    account::{
        Permission,
        administration::{AccountState, MAX_REASON_CHARS, Person},
    },
    contract::account::Role,
};
use leptos::prelude::*;

use super::{
    frame::{Viewer, choice},
    person::Answer,
};
use crate::components::{Field, Icon, Notice};

/// What was tried and did not work: its form comes back open, with what was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    Role(String),
    Lock { reason: String },
    Unlock,
    SignOut,
    View,
}

pub fn actions(person: &Person, viewer: Viewer, answer: &Answer) -> Option<AnyView> {
    if !viewer.may(Permission::UsersManage) || person.state == AccountState::Deleted {
        return None;
    }
    let content = if viewer.id == person.user.id {
        view! {
            <p class="quiet small">
                "This is you. Your name, sign-in and sessions are under " <a href="/account">"your account"</a>
                "; another administrator can change your role."
            </p>
        }
        .into_any()
    } else {
        let proof = (!viewer.is_fresh).then(|| proof_first(person));
        let view = may_be_viewed(person.user.role).then(|| view_as(person, answer));
        let lock = if person.locked.is_some() { unlock(person) } else { lock(person, answer) };
        view! {
            {proof}
            <div class="admin-actions">{view}{role(person, answer)}{sign_out(person)}{lock}</div>
        }
        .into_any()
    };
    Some(
        view! {
            <section class="admin-panel" aria-labelledby="actions">
                <h2 class="panel-title" id="actions">"What you can do"</h2>
                {content}
            </section>
        }
        .into_any(),
    )
}

/// Nobody is looked through who can look at others.
fn may_be_viewed(role: Role) -> bool {
    matches!(role, Role::Customer | Role::Developer)
}

/// Before a reason is typed, so that it is not lost on the way to the proof.
fn proof_first(person: &Person) -> AnyView {
    let address = format!("/account/confirm?next=/admin/users/{}", person.user.id);
    let confirm = move || view! { <a class="button secondary small" href=address>"Confirm"</a> };
    view! {
        <Notice tone="info" icon="lock" title="Changes here ask who you are" actions=confirm>
            <p>"Your password or a passkey is enough for the next 15 minutes."</p>
        </Notice>
    }
    .into_any()
}

/// One form in its fold.
struct Fold {
    /// The last part of the address that the form goes to.
    word: &'static str,
    title: &'static str,
    open: bool,
    consequence: AnyView,
    button: AnyView,
}

impl Fold {
    fn view(self, person: &Person) -> AnyView {
        let address = format!("/admin/users/{}/{}", person.user.id, self.word);
        view! {
            <details open=self.open>
                <summary><Icon name="right" size=16/>{self.title}</summary>
                <form method="post" action=address novalidate=true>
                    {self.consequence}
                    <div class="button-row">{self.button}</div>
                </form>
            </details>
        }
        .into_any()
    }
}

fn view_as(person: &Person, answer: &Answer) -> AnyView {
    let consequence = view! {
        <p>
            "Every page looks as it does for them, for 30 minutes or until you stop. Nothing can be changed "
            "meanwhile. That you looked is in the audit log, which they can ask for."
        </p>
    };
    let button = view! {
        <button class="button secondary" type="submit"><Icon name="eye" size=16/>"Look for 30 minutes"</button>
    };
    let open = answer.tried == Some(Tried::View);
    Fold {
        word: "view",
        title: "Look at the site as this person",
        open,
        consequence: consequence.into_any(),
        button: button.into_any(),
    }
    .view(person)
}

fn role(person: &Person, answer: &Answer) -> AnyView {
    let typed = match &answer.tried {
        Some(Tried::Role(role)) => Some(role.as_str()),
        _ => None,
    };
    let chosen = typed.unwrap_or(person.user.role.as_str());
    let roles = Role::ALL.map(|role| choice(role.as_str(), role.label(), chosen)).collect_view();
    let error = answer.mistakes.of("role");
    let invalid = error.is_some().then_some("true");
    let described_by = error.is_some().then_some("role-error");
    let consequence = view! {
        <p>"What they may do changes with their next request. They stay signed in."</p>
        <div class="field">
            <label for="role">"Role"</label>
            <select class="select" id="role" name="role" aria-invalid=invalid aria-describedby=described_by>
                {roles}
            </select>
            {error.map(|error| view! {
                <p class="field-error" id="role-error"><Icon name="bad" size=16/><span>{error}</span></p>
            })}
        </div>
    };
    let button = view! { <button class="button secondary" type="submit">"Change role"</button> };
    Fold {
        word: "role",
        title: "Change the role",
        open: typed.is_some(),
        consequence: consequence.into_any(),
        button: button.into_any(),
    }
    .view(person)
}

fn sign_out(person: &Person) -> AnyView {
    let consequence = view! {
        <p>"Every browser and program has to sign in again. Personal tokens keep working."</p>
    };
    let button = view! { <button class="button bad-solid" type="submit">"Sign out everywhere"</button> };
    Fold {
        word: "sign-out",
        title: "Sign out everywhere",
        open: false,
        consequence: consequence.into_any(),
        button: button.into_any(),
    }
    .view(person)
}

fn lock(person: &Person, answer: &Answer) -> AnyView {
    let typed = match &answer.tried {
        Some(Tried::Lock { reason }) => Some(reason.clone()),
        _ => None,
    };
    let open = typed.is_some();
    let consequence = view! {
        <p>
            "They are signed out everywhere and cannot sign in. At sign-in they are told that the account is locked "
            "and to write to support, not why."
        </p>
        <Field
            name="reason"
            label="Reason"
            kind="textarea"
            value=typed.unwrap_or_default()
            hint="For staff. It stays in the audit log for good, so leave out what is private."
            error=answer.mistakes.of("reason")
            maxlength=MAX_REASON_CHARS as u32
        />
    };
    let button = view! { <button class="button bad-solid" type="submit">"Lock account"</button> };
    Fold {
        word: "lock",
        title: "Lock the account",
        open,
        consequence: consequence.into_any(),
        button: button.into_any(),
    }
    .view(person)
}

fn unlock(person: &Person) -> AnyView {
    let consequence = view! { <p>"They can sign in again, with the password and second step they had."</p> };
    let button = view! { <button class="button secondary" type="submit">"Unlock account"</button> };
    Fold {
        word: "unlock",
        title: "Unlock the account",
        open: false,
        consequence: consequence.into_any(),
        button: button.into_any(),
    }
    .view(person)
}
