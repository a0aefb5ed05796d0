//! Third parties: the only rooms beside `mail` and `storage` that talk to the outside.

mod http;
pub mod stripe;
pub mod tax;
