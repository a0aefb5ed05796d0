//! Views shared by pages and islands. They are pure: no data access, nothing that only one of the two builds has.

#![allow(
    clippy::needless_pass_by_value,
    reason = "a component owns its props, whether or not its view keeps them"
)]

mod badge;
mod breadcrumb;
mod chart;
mod code_block;
mod dialog;
mod empty;
mod error_summary;
mod field;
pub mod grain;
mod grain_tile;
mod helpful;
mod icon;
mod notice;
mod pagination;
mod relative_time;
mod tabs;

pub use badge::Badge;
pub use breadcrumb::Breadcrumb;
pub use chart::LineChart;
pub use code_block::CodeBlock;
pub use dialog::{Dialog, DialogButton};
pub use empty::Empty;
pub use error_summary::{ErrorSummary, FormError};
pub use field::Field;
pub use grain_tile::GrainTile;
pub use helpful::Helpful;
pub use icon::{ICON_NAMES, Icon};
pub use notice::Notice;
pub use pagination::Pagination;
pub use relative_time::RelativeTime;
pub use tabs::{Tab, Tabs};
