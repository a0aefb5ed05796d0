//! How Dev Forge runs: processes, ports, headers, files. No business rules.

pub mod doctor;
pub mod http;
pub mod payments;
pub mod postgres;
pub mod serve;
pub mod telemetry;
