//! The style sheet: one file out of `style/main.css` and everything it imports.

use std::path::Path;

use anyhow::{Result, anyhow};
use lightningcss::{
    bundler::{Bundler, FileProvider},
    printer::PrinterOptions,
    stylesheet::{MinifyOptions, ParserOptions},
    targets::{Browsers, Targets},
};

/// The oldest browsers that have nesting and `light-dark()`, so that both stay as they are written.
fn targets() -> Targets {
    let version = |major: u32, minor: u32| Some((major << 16) | (minor << 8));
    Targets::from(Browsers {
        chrome: version(123, 0),
        edge: version(123, 0),
        firefox: version(120, 0),
        safari: version(17, 5),
        ios_saf: version(17, 5),
        ..Browsers::default()
    })
}

/// Bundled and minified. A mistake is an error with file, line and column.
pub fn bundle(entry: &Path) -> Result<String> {
    let files = FileProvider::new();
    let mut bundler = Bundler::new(&files, None, ParserOptions::default());
    let mut sheet =
        bundler.bundle(entry).map_err(|error| anyhow!("the style sheet has a mistake: {error}"))?;
    let minify = MinifyOptions { targets: targets(), ..MinifyOptions::default() };
    sheet.minify(minify).map_err(|error| anyhow!("the style sheet cannot be minified: {error}"))?;
    let print = PrinterOptions { minify: true, targets: targets(), ..PrinterOptions::default() };
    let printed =
        sheet.to_css(print).map_err(|error| anyhow!("the style sheet cannot be written: {error}"))?;
    Ok(printed.code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::target;

    #[test]
    fn imports_come_in_order_and_modern_css_stays() {
        let directory = target().join(format!("css-test-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("target is ours");
        let main = "@layer a, b;\n@import \"b.css\" layer(b);\n";
        std::fs::write(directory.join("main.css"), main).expect("target is ours");
        let part =
            ".b { color: light-dark(#111, #eee); & p { margin: 0px } background: url(\"/assets/x.svg\") }";
        std::fs::write(directory.join("b.css"), part).expect("target is ours");
        let css = bundle(&directory.join("main.css"));
        std::fs::remove_dir_all(&directory).expect("target is ours");
        let css = css.expect("it is correct");
        let place = |part: &str| css.find(part).expect("the layer is named");
        assert!(place("@layer a") < place("@layer b"), "{css}");
        assert!(css.contains("light-dark(") && css.contains("& p{margin:0}"), "{css}");
        assert!(css.contains("/assets/x.svg"), "{css}");
    }

    #[test]
    fn a_mistake_names_its_place() {
        let error =
            bundle(Path::new("/nonexistent/main.css")).expect_err("there is no such file").to_string();
        assert!(error.contains("the style sheet has a mistake"), "{error}");
    }
}
