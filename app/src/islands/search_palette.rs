//! The search palette: what stands below the field of the dialog that the page's loader opens.
//!
//! The loader makes the dialog, and this fills it. What always holds: the keys stay in the field, which
//! names the chosen row; an answer to an earlier question is dropped when it comes, and never opened by Enter.
//!
//! Its parts are made as HTML and put in whole, and clicks are heard above them: as views they would be a quarter of all
//! that the browser loads.

mod markup;
mod rows;

use std::time::Duration;

use devforge::contract::search::SearchKind;
use leptos::{ev, prelude::*, task::spawn_local};

pub use self::rows::Question;
use self::rows::{Row, State};
use crate::browser;

/// The parts of the dialog, by the ids that the loader gave.
const FIELD: &str = "palette-query";
const KINDS: &str = "palette-kinds";
const SAID: &str = "palette-said";
const BESIDE: &str = "palette-beside";
const LIST: &str = "palette-list";
/// The searches before this one, a line each, in this browser and nowhere else.
const RECENT: &str = "recent-searches";
const PAUSE: Duration = Duration::from_millis(80);
const REST: Duration = Duration::from_secs(2);

#[derive(Clone, Copy)]
struct Palette {
    state: StoredValue<State, LocalStorage>,
    /// The chosen row, counted through all groups.
    chosen: StoredValue<usize, LocalStorage>,
}

/// Called once, when the dialog is there.
pub fn search_palette() {
    let recent = browser::remembered(RECENT).unwrap_or_default().lines().map(str::to_owned).collect();
    let state = State { recent, ..State::default() };
    let palette = Palette { state: StoredValue::new_local(state), chosen: StoredValue::new_local(0) };
    palette.begin();
}

impl Palette {
    fn begin(self) {
        browser::set_attribute(FIELD, "aria-expanded", "true");
        // Heard at the window, because all of it was there before us. They stay for as long as the page does.
        window_event_listener(ev::input, move |_| {
            if browser::has_focus(FIELD) {
                self.typed();
            }
        });
        window_event_listener(ev::keydown, move |event| {
            if browser::has_focus(FIELD) && !event.is_composing() {
                self.key(&event);
            }
        });
        window_event_listener(ev::click, move |event| self.press(&event));
        window_event_listener(ev::pointermove, move |event| self.point(&event));
        // What was typed while we were on the way counts.
        self.typed();
    }

    /// Shows the state as it is now; the first row is the chosen one.
    fn show(self) {
        let icons = crate::assets::url("icons.svg");
        self.state.with_value(|state| {
            let (said, is_seen) = state.said();
            browser::set_attribute(SAID, "class", if is_seen { "" } else { "visually-hidden" });
            // It stays, and only its words change: so they are read out.
            browser::set_text(SAID, &said);
            browser::set_html(KINDS, &markup::kinds(state.question.kind));
            browser::set_html(BESIDE, &markup::beside(state));
            browser::set_html(LIST, &markup::rows(&state.groups(), &icons));
        });
        self.choose(0);
    }

    fn typed(self) {
        let text = browser::typed_in(FIELD).trim().to_owned();
        self.asks(|question| question.text = text);
    }

    fn asks(self, change: impl FnOnce(&mut Question)) {
        self.state.update_value(|state| {
            change(&mut state.question);
            if state.question.text.is_empty() {
                state.answer = None;
            }
        });
        self.show();
        let asked = self.question();
        if !asked.text.is_empty() {
            let ask = move || {
                if self.question() == asked {
                    spawn_local(self.ask(asked));
                }
            };
            set_timeout(ask, PAUSE);
        }
    }

    async fn ask(self, asked: Question) {
        let address = format!("/api/search?{}&limit=20", asked.query());
        let results = browser::search(&format!("{address}&typing=true")).await;
        if self.question() != asked {
            return;
        }
        self.state.update_value(|state| state.answer = Some((asked.clone(), results)));
        self.show();
        // What rests is what somebody looks for. Asked once more as such, it counts among what people do not find.
        let rested = move || {
            if self.question() == asked {
                spawn_local(async move {
                    browser::search(&address).await;
                });
            }
        };
        set_timeout(rested, REST);
    }

    fn question(self) -> Question {
        self.state.with_value(|state| state.question.clone())
    }

    fn key(self, event: &ev::KeyboardEvent) {
        let rows: Vec<Row> =
            self.state.with_value(State::groups).into_iter().flat_map(|group| group.rows).collect();
        let at = self.chosen.get_value();
        match event.key().as_str() {
            "ArrowDown" => self.choose((at + 1) % rows.len()),
            "ArrowUp" => self.choose(at.checked_sub(1).unwrap_or(rows.len() - 1)),
            "Enter" => {
                // Rows of an earlier question are not opened: the form then leads to the search page, which asks anew.
                let Some(row) = rows.get(at).filter(|_| self.state.with_value(State::is_current)) else {
                    return self.keep();
                };
                if event.ctrl_key() || event.meta_key() {
                    self.keep();
                    browser::open_in_new_tab(&row.href);
                } else {
                    browser::press(&markup::row_id(at));
                }
            }
            _ => return,
        }
        event.prevent_default();
    }

    /// Does what the pressed thing says it does.
    fn press(self, event: &ev::MouseEvent) {
        let Some(act) = browser::marked(event, "data-act") else { return };
        let (act, what) = act.split_once(' ').unwrap_or((&act, ""));
        match act {
            markup::OPEN => return self.keep(),
            markup::AGAIN => {
                event.prevent_default();
                let number = what.parse().unwrap_or(0);
                let text = self.state.with_value(|state| state.recent.get(number).cloned());
                browser::type_in(FIELD, &text.unwrap_or_default());
                return self.typed();
            }
            markup::NARROW => self.asks(|question| question.kind = SearchKind::parse(what)),
            markup::FORGET => {
                self.state.update_value(|state| state.recent.clear());
                self.remember();
                self.show();
            }
            _ => self.asks(|_| ()),
        }
        // Buttons do their work and leave the keys to the field.
        browser::type_in(FIELD, &browser::typed_in(FIELD));
    }

    fn point(self, event: &ev::PointerEvent) {
        let row = browser::marked(event, "data-row").and_then(|row| row.parse().ok());
        if let Some(at) = row.filter(|at| *at != self.chosen.get_value()) {
            self.choose(at);
        }
    }

    /// Makes a row the one that Enter opens. New rows begin with the first one chosen.
    fn choose(self, at: usize) {
        let row = markup::row_id(at);
        browser::set_attribute(&markup::row_id(self.chosen.get_value()), "aria-selected", "false");
        browser::set_attribute(&row, "aria-selected", "true");
        browser::set_attribute(FIELD, "aria-activedescendant", &row);
        browser::show(&row);
        self.chosen.set_value(at);
    }

    fn keep(self) {
        // Shown when next there is nothing typed; till then nothing has to change.
        self.state.update_value(State::keep);
        self.remember();
    }

    fn remember(self) {
        browser::remember(RECENT, &self.state.with_value(|state| state.recent.join("\n")));
    }
}
