//! The parts of pages that live in the browser. Each reads as plain HTML before it wakes up, and takes small props.

#![allow(clippy::needless_pass_by_value, reason = "an island owns its props, which come from its HTML")]

mod copy_button;
mod key_plate;
mod search_palette;
mod seat_stepper;

pub use copy_button::CopyButton;
pub use key_plate::KeyPlate;
pub use search_palette::{Question, search_palette};
pub use seat_stepper::SeatStepper;
