//! Licenses: how they come to be, what becomes of them, and what the editor is told.

mod api;
mod check;
mod concurrency;
mod follow;
mod issue;
mod life;
mod limits;
mod machines;
mod model;
mod staff;
