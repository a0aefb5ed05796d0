//! Search without HTTP around it: `examples/search_speed.rs` of the root crate, which opens devforge's own index.

use std::{path::Path, process::Command};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process::output;

/// One time through all questions, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Inside {
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
    /// Of the questions that have no answer.
    pub nothing_percent: f64,
}

/// `example` is set up as the server is.
pub fn run(mut example: Command, questions: &Path) -> Result<Inside> {
    let printed = output(example.arg(questions))?;
    Inside::parse(&printed).with_context(|| format!("the example search_speed printed {printed}"))
}

impl Inside {
    fn parse(text: &str) -> Option<Self> {
        let report: Value = serde_json::from_str(text).ok()?;
        let figure = |name: &str| report[name].as_f64();
        let questions = figure("queries").filter(|count| *count > 0.0)?;
        Some(Self {
            p50: figure("p50")?,
            p99: figure("p99")?,
            max: figure("max")?,
            nothing_percent: figure("foundNothing")? * 100.0 / questions,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_of_the_example_is_read() {
        let text =
            r#"{"documents":100900,"foundNothing":40,"max":9000.5,"p50":300,"p99":2400.25,"queries":2000}"#;
        let expected = Inside { p50: 300.0, p99: 2_400.25, max: 9_000.5, nothing_percent: 2.0 };
        assert_eq!(Inside::parse(text), Some(expected));
        assert_eq!(Inside::parse(&text.replace("2000", "0")), None);
        assert_eq!(Inside::parse(&text.replace("p99", "p98")), None);
        assert_eq!(Inside::parse(""), None);
    }
}
