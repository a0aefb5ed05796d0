//! Buttons, fields, choices, states, menus, dialogs and what answers to them.

use leptos::prelude::*;

use super::{block, row};
use crate::{
    components::{Badge, Dialog, DialogButton, ErrorSummary, Field, FormError, Icon, Notice, Tab, Tabs},
    islands::{CopyButton, KeyPlate, SeatStepper},
};

pub fn controls(theme: &'static str) -> AnyView {
    view! {
        {buttons()}
        {fields(theme)}
        {failed_form(theme)}
        {choices(theme)}
        {states()}
        {tabs(theme)}
        {menu(theme)}
        {dialog(theme)}
        {notices()}
        {small_things()}
        {islands(theme)}
    }
    .into_any()
}

fn buttons() -> AnyView {
    view! {
        {row("Primary", view! {
            <button class="button primary" type="button">"Activate license"</button>
            <button class="button primary" type="button" aria-busy="true">"Activate license"</button>
            <button class="button primary" type="button" disabled=true>"Disabled"</button>
        }.into_any())}
        {row("Secondary", view! {
            <button class="button secondary" type="button">"Rotate key"</button>
            <button class="button secondary" type="button" aria-busy="true">"Rotate key"</button>
            <button class="button secondary" type="button" disabled=true>"Disabled"</button>
        }.into_any())}
        {row("Other", view! {
            <button class="button strong" type="button">"Download"</button>
            <button class="button ghost" type="button">"Cancel"</button>
            <button class="button bad" type="button">"Cancel renewal"</button>
            <button class="button bad-solid" type="button">"Delete"</button>
        }.into_any())}
        {row("Sizes", view! {
            <button class="button secondary large" type="button">"46 large"</button>
            <button class="button secondary" type="button">"36 base"</button>
            <button class="button secondary small" type="button">"30 small"</button>
            <button class="button secondary icon-only" type="button" aria-label="More">
                <Icon name="more" size=16/>
            </button>
            <a class="more-link" href="#controls">"Read on"<Icon name="arrow" size=16/></a>
        }.into_any())}
    }
    .into_any()
}

fn fields(theme: &'static str) -> AnyView {
    let id = |name: &str| format!("{theme}-{name}");
    let country = id("country");
    block(
        "Field",
        view! {
            <div class="field-row">
                <Field name="machine" id=id("machine") label="Machine name" value="Workbench" hint="Shown in your account."/>
                <Field name="note" id=id("note") label="Note" optional=true/>
                <Field name="seats" id=id("seats-wrong") label="Seats" value="0" inputmode="numeric"
                    error="At least one seat.".to_owned()/>
                <Field name="password" id=id("password") label="Password" kind="password" autocomplete="off"
                    value="correct horse"/>
                <div class="field">
                    <label for=country.clone()>"Country"</label>
                    <select class="select" id=country name="country">
                        <option>"Norway"</option>
                        <option selected=true>"Sweden"</option>
                    </select>
                </div>
                <Field name="tax" id=id("tax") label="Tax ID" value="SE556677889901" disabled=true/>
            </div>
            <Field name="message" id=id("message") label="Message" kind="textarea"
                value="Since this week two of our laptops open in the free tier after they wake up."/>
        }
        .into_any(),
    )
}

fn failed_form(theme: &'static str) -> AnyView {
    let id = |name: &str| format!("{theme}-failed-{name}");
    let errors = vec![
        FormError {
            field: id("mail"),
            message: "Enter the part after the dot in your mail address".to_owned(),
        },
        FormError { field: id("vat"), message: "Check the tax ID".to_owned() },
    ];
    block(
        "Errors",
        view! {
            <ErrorSummary errors=errors id=id("summary") still=true/>
            <div>
                <Field name="mail" id=id("mail") label="Mail address" kind="email" value="mara@lindqvist"
                    inputmode="email" autocomplete="off" hint="The key goes here."
                    error="Something is missing after “lindqvist”, for example “.com”.".to_owned()/>
                <Field name="vat" id=id("vat") label="Tax ID" value="SE556677889" optional=true
                    error="A Swedish VAT number has 12 digits after SE. This one has 9.".to_owned()/>
            </div>
            <div class="form-actions ruled">
                <button class="button primary large" type="button">"Pay $71.25"</button>
                <p class="meta">"Renews on 20 December 2026. Cancel any time in your account."</p>
            </div>
        }
        .into_any(),
    )
}

fn choices(theme: &'static str) -> AnyView {
    let billing = format!("{theme}-billing");
    let rhythm = format!("{theme}-rhythm");
    row(
        "Choice",
        view! {
            <div class="choices">
                <label class="check"><input type="checkbox" checked=true/>"Send usage events"</label>
                <label class="check"><input type="checkbox"/>"Beta channel"</label>
                <label class="radio"><input type="radio" name=billing.clone() checked=true/>"Monthly"</label>
                <label class="radio"><input type="radio" name=billing/>"Yearly"</label>
                <label class="check"><input type="checkbox" disabled=true/>"Set by your team"</label>
            </div>
            <fieldset class="segment">
                <legend class="visually-hidden">"Billing"</legend>
                <label><input type="radio" name=rhythm.clone() checked=true/>"Monthly"</label>
                <label><input type="radio" name=rhythm.clone()/>"Yearly"</label>
                <label><input type="radio" name=rhythm/>"Once"</label>
            </fieldset>
        }
        .into_any(),
    )
}

fn states() -> AnyView {
    row(
        "State",
        view! {
            <Badge tone="ok" label="Active"/>
            <Badge tone="warn" label="Held"/>
            <Badge tone="warn" icon="clock" label="Ends in 5 days"/>
            <Badge tone="bad" icon="x" label="Revoked"/>
            <Badge tone="info" icon="offline" label="Offline token"/>
            <Badge tone="hot" label="Open"/>
            <Badge tone="plain" label="Idle"/>
        }
        .into_any(),
    )
}

fn tabs(theme: &'static str) -> AnyView {
    let tab = |label: &str, current: bool, count: Option<u64>| Tab {
        label: label.to_owned(),
        href: "#controls".to_owned(),
        current,
        count,
    };
    let tabs =
        vec![tab("Read me", true, None), tab("Changelog", false, None), tab("Reviews", false, Some(182))];
    row("Tabs", view! { <Tabs label=format!("Extension, {theme}") tabs=tabs/> }.into_any())
}

fn menu(theme: &'static str) -> AnyView {
    let id = format!("{theme}-menu");
    row(
        "Menu",
        view! {
            <button class="button secondary" type="button" popovertarget=id.clone()>
                "License"
                <Icon name="down" size=16/>
            </button>
            <div class="menu" id=id popover="auto">
                <button type="button"><Icon name="copy"/>"Copy key"<kbd class="kbd">"C"</kbd></button>
                <button type="button"><Icon name="refresh"/>"Rotate key"</button>
                <a href="#controls"><Icon name="out"/>"Open in editor"</a>
                <hr/>
                <button class="destructive" type="button"><Icon name="trash"/>"Remove machine"</button>
            </div>
            <div class="menu">
                <button type="button"><Icon name="copy"/>"Copy key"<kbd class="kbd">"C"</kbd></button>
                <button type="button"><Icon name="refresh"/>"Rotate key"</button>
                <hr/>
                <button class="destructive" type="button"><Icon name="trash"/>"Remove machine"</button>
            </div>
        }
        .into_any(),
    )
}

fn dialog(theme: &'static str) -> AnyView {
    let id = format!("{theme}-dialog");
    let close = id.clone();
    let confirm = move || {
        view! {
            <button class="button bad-solid" type="button" command="close" commandfor=close data-close="">
                "Remove machine"
            </button>
        }
    };
    row(
        "Dialog",
        view! {
            <DialogButton opens=id.clone() kind="bad">"Remove machine"</DialogButton>
            <Dialog id=id title="Remove “Old tower”?" keep="Keep it" confirm=confirm>
                <p>"Its place is free at once. The editor there goes to the free tier at its next check."</p>
            </Dialog>
        }
        .into_any(),
    )
}

fn notices() -> AnyView {
    let try_again = || {
        view! {
            <button class="button secondary small" type="button"><Icon name="refresh" size=16/>"Try again"</button>
            <a class="button ghost small" href="#controls">"Get help"</a>
        }
    };
    block(
        "Notice",
        view! {
            <Notice tone="ok" title="“Old tower” was removed">
                <p>"Its place is free now."</p>
            </Notice>
            <Notice tone="info" icon="offline" title="You are offline">
                <p>"This is how it looked at 14:02. Changes wait until the connection is back."</p>
            </Notice>
            <Notice tone="warn" title="Your card was declined on 19 November">
                <p>"Pro stays on until 25 November. We try again on the 22nd."</p>
            </Notice>
            <Notice tone="bad" title="Machines could not be loaded" actions=try_again>
                <p>"Your license is not affected. Try again, or send us this number: " <code>"req_01HF7Q4XTM9"</code></p>
            </Notice>
        }
        .into_any(),
    )
}

fn small_things() -> AnyView {
    row(
        "Small",
        view! {
            <div class="toast">
                <Icon name="ok"/>
                "Key copied"
                <button class="button ghost small" type="button">"Undo"</button>
            </div>
            <span class="has-tooltip">
                <button class="button ghost small" type="button">"2 hours ago"</button>
                <span class="tooltip" role="tooltip">"20 Nov 2026, 14:02 UTC"</span>
            </span>
            <span class="tooltip">"20 Nov 2026, 14:02 UTC"</span>
            <span class="avatar" role="img" aria-label="Mara Lindqvist">"ML"</span>
            <span class="avatar staff" role="img" aria-label="Ines Kaya, staff">"IK"</span>
            <kbd class="kbd">"Enter"</kbd>
        }
        .into_any(),
    )
}

fn islands(theme: &'static str) -> AnyView {
    view! {
        {block("Key", view! { <KeyPlate key="DF-7Q4XT-H2W0B-3MZ8C-9KM2P".to_owned()/> }.into_any())}
        {row("Seats", view! {
            <SeatStepper name=format!("{theme}-seats") seats=3 least=1 most=99 cents=1900 currency="$".to_owned()/>
        }.into_any())}
        {row("Copy", view! {
            <CopyButton text="DF-7Q4XT-H2W0B-3MZ8C-9KM2P".to_owned() label="Copy key".to_owned()/>
        }.into_any())}
    }
    .into_any()
}
