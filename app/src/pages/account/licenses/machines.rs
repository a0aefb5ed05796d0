//! The machines of a license: where it is active, since when, and making room.

use devforge::{
    contract::license::License as Wire,
    license::{License, machine::Machine},
};
use leptos::prelude::*;
use time::OffsetDateTime;

use super::{
    detail::{Answer, Tried},
    path,
};
use crate::{
    components::{Badge, Empty, Field, Icon, RelativeTime},
    pages::{account::layout::Confirm, license_parts::meter, moments::day},
};

/// The systems whose names in programs are not their names.
const SYSTEMS: [(&str, &str); 6] = [
    ("linux", "Linux"),
    ("darwin", "macOS"),
    ("macos", "macOS"),
    ("mac", "macOS"),
    ("win32", "Windows"),
    ("windows", "Windows"),
];

pub fn machines_part(
    license: &License,
    wire: &Wire,
    machines: &[Machine],
    answer: &Answer,
    now: OffsetDateTime,
) -> AnyView {
    if machines.is_empty() {
        let ways = || {
            view! {
                <a class="button primary" href="/activate">"Activate"</a>
                <a class="button secondary" href="/download">"Download Dev Forge"</a>
            }
        };
        return view! {
            <div class="account-part" id="machines">
                <Empty framed=true title="No machine yet" actions=ways
                    text="Open Dev Forge on a machine and choose Activate. Then load this page again to see it here."/>
            </div>
        }
        .into_any();
    }
    let about = about(license, machines, now);
    let rows = machines.iter().map(|machine| row(machine, answer, now)).collect_view();
    view! {
        <section class="account-part" aria-labelledby="machines">
            <div class="machines-head">
                <div><h2 class="panel-title" id="machines">"Machines"</h2><p class="quiet small">{about}</p></div>
                {meter(wire.machines)}
            </div>
            <ul class="rows">{rows}</ul>
        </section>
    }
    .into_any()
}

fn about(license: &License, machines: &[Machine], now: OffsetDateTime) -> String {
    let each = license.machines_per_seat;
    let covers = if license.seats == 1 {
        format!("It may be on {each} machines.")
    } else {
        format!("Each seat covers {each} machines.")
    };
    if machines.iter().any(|machine| file_until(machine, now).is_some()) {
        format!("{covers} Removing one frees its place at once; one with a file keeps it while that is good.")
    } else {
        format!("{covers} Removing one frees its place at once.")
    }
}

/// Until when a machine needs no connection.
pub fn file_until(machine: &Machine, now: OffsetDateTime) -> Option<OffsetDateTime> {
    machine.file_until.filter(|until| *until > now)
}

fn row(machine: &Machine, answer: &Answer, now: OffsetDateTime) -> AnyView {
    let name = called(machine);
    let file = file_until(machine, now);
    let badge = file.map(|_| view! { <Badge tone="info" icon="offline" label="Without connection"/> });
    let about = match (in_words(&machine.platform), machine.email.as_str()) {
        (platform, "") => platform,
        (platform, email) if platform.is_empty() => email.to_owned(),
        (platform, email) => format!("{platform} · {email}"),
    };
    let since = format!("Active since {}, last seen ", day(machine.activated_at));
    let until = file.map(|until| format!(". Its file is good until {}", day(until)));
    // A file cannot be called back, so while it is good its machine keeps its place.
    let remove = file.is_none().then(|| {
        Confirm {
            open: "Remove",
            about: name.clone(),
            consequence: "Its place is free at once. The editor there goes on with the free tier.",
            action: format!("{}/machines/{}/remove", path(machine.license), machine.id),
            verb: "Remove machine",
            one_of_several: true,
        }
        .view()
    });
    view! {
        <li class="row machine">
            <div>
                <h3 class="with-badge"><Icon name="laptop"/>{name.clone()}{badge}</h3>
                <p>{about}</p>
                <p class="meta">{since}<RelativeTime at=machine.last_seen_at now=now/>{until}</p>
            </div>
            {rename(machine, &name, answer)}
            {remove}
        </li>
    }
    .into_any()
}

fn rename(machine: &Machine, name: &str, answer: &Answer) -> AnyView {
    let tried = answer.tried == Some(Tried::Rename(machine.id));
    // The list of mistakes leads to the field by its name, and only one field of the page can have that.
    let id = if tried { "name".to_owned() } else { format!("name-{}", machine.id) };
    let value = if tried { answer.typed.clone() } else { machine.name.clone() };
    let error = answer.wrong.of("name").filter(|_| tried);
    let heard = format!(" {name}");
    let action = format!("{}/machines/{}/rename", path(machine.license), machine.id);
    view! {
        <details class="confirm calm" open=tried>
            <summary class="button ghost small">
                <span>"Rename"<span class="visually-hidden">{heard}</span></span>
            </summary>
            <form method="post" action=action novalidate=true>
                <Field name="name" id=id label="Name of this machine" value=value maxlength=100 autocomplete="off" error=error/>
                <button class="button secondary small" type="submit">"Save name"</button>
            </form>
        </details>
    }
    .into_any()
}

/// What its editor or its owner calls it.
fn called(machine: &Machine) -> String {
    if machine.name.is_empty() { "A machine without a name".to_owned() } else { machine.name.clone() }
}

/// "linux-x64" as people write it. What is not known stands as it came.
fn in_words(platform: &str) -> String {
    let (system, processor) = platform.split_once('-').unwrap_or((platform, ""));
    match SYSTEMS.iter().find(|(known, _)| system.eq_ignore_ascii_case(known)) {
        Some((_, name)) if processor.is_empty() => (*name).to_owned(),
        Some((_, name)) => format!("{name}, {processor}"),
        None => platform.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn platforms_are_written_as_people_write_them() {
        for (platform, words) in [
            ("linux-x64", "Linux, x64"),
            ("darwin-arm64", "macOS, arm64"),
            ("win32", "Windows"),
            ("templeos-x64", "templeos-x64"),
            ("", ""),
        ] {
            assert_eq!(in_words(platform), words, "{platform}");
        }
    }
}
