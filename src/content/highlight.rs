//! Code to HTML with a handful of classes, `tk-…`, whose colours stand in `style/components/code.css`.
//!
//! What always holds: the text that comes out is the text that went in, escaped. A language nobody knows, a block
//! that is very long and a grammar that fails come out as plain text.

use std::sync::LazyLock;

use syntect::{
    parsing::{ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet},
    util::LinesWithEndings,
};

use super::markdown::escape;

/// Longer blocks are logs and data: nobody reads their colours, and each byte takes time.
const LONGEST: usize = 20_000;

type Language = (&'static [&'static str], &'static str, &'static str);

/// What a block may be called, the grammar it has, and what stands in its bar when it has no caption.
static LANGUAGES: [Language; 21] = [
    (&["sh", "bash", "shell", "console", "zsh"], "bash", "Terminal"),
    (&["powershell", "ps1", "pwsh"], POWERSHELL, "PowerShell"),
    (&["json"], "json", "JSON"),
    (&["jsonc", "json5"], "ts", "JSON with comments"),
    (&["ts", "typescript", "mts"], "ts", "TypeScript"),
    (&["tsx", "jsx"], "tsx", "TSX"),
    (&["js", "javascript", "mjs", "cjs"], "ts", "JavaScript"),
    (&["rust", "rs"], "rs", "Rust"),
    (&["toml"], "toml", "TOML"),
    (&["yaml", "yml"], "yaml", "YAML"),
    (&["sql"], "sql", "SQL"),
    (&["html"], "html", "HTML"),
    (&["css"], "css", "CSS"),
    (&["python", "py"], "py", "Python"),
    (&["http"], "http", "HTTP"),
    (&["ini", "env", "conf", "properties"], "ini", "Settings"),
    (&["xml", "plist"], "xml", "XML"),
    (&["markdown", "md"], "md", "Markdown"),
    (&["go"], "go", "Go"),
    (&["dockerfile"], "dockerfile", "Dockerfile"),
    (&["diff", "patch"], "", "Changes"),
];

/// It has no grammar that the pure regex engine can run, so it is told apart here.
const POWERSHELL: &str = "powershell";

static SYNTAXES: LazyLock<SyntaxSet> = LazyLock::new(two_face::syntax::extra_newlines);

/// The first prefix that fits decides. `None`: from here inwards it is plain again.
static RULES: LazyLock<Vec<(Scope, Option<&'static str>)>> = LazyLock::new(|| {
    let rules: [(&[&str], Option<&str>); 15] = [
        (&["comment", "punctuation.definition.comment"], Some("comment")),
        (
            &[
                "support.type.property-name",
                "meta.object-literal.key",
                "entity.name.tag.yaml",
                "variable.other.property",
                "variable.other.object.property",
                "variable.other.member",
                "variable.parameter.option",
                "keyword.other.definition.ini",
                "entity.name.section",
            ],
            Some("property"),
        ),
        (&["string", "punctuation.definition.string", "meta.string"], Some("string")),
        (&["constant.character.escape", "constant", "variable.other.constant"], Some("number")),
        (&["keyword.operator.word", "keyword.operator.expression", "keyword.operator.new"], Some("keyword")),
        (&["keyword.operator", "storage.type.function.arrow", "keyword.other.unit"], Some("punctuation")),
        (
            &["entity.name.function.macro", "support.macro", "meta.annotation", "variable.annotation"],
            Some("attribute"),
        ),
        (&["entity.name.function", "variable.function", "support.function"], Some("function")),
        (
            &[
                "entity.name.type",
                "entity.name.class",
                "entity.name.struct",
                "entity.name.enum",
                "entity.name.trait",
                "entity.name.interface",
                "entity.other.inherited-class",
                "support.type",
                "support.class",
            ],
            Some("type"),
        ),
        (&["entity.other.attribute-name"], Some("attribute")),
        (&["entity.name.tag", "keyword", "storage", "variable.language"], Some("keyword")),
        (&["punctuation.definition.tag", "punctuation"], Some("punctuation")),
        (&["markup.heading"], Some("keyword")),
        (&["markup.raw"], Some("string")),
        (&["meta.interpolation", "meta.template.expression", "meta.embedded", "source"], None),
    ];
    rules
        .into_iter()
        .flat_map(|(prefixes, class)| prefixes.iter().map(move |prefix| (prefix, class)))
        .filter_map(|(prefix, class)| Some((Scope::new(prefix).ok()?, class)))
        .collect()
});

static KEYS: LazyLock<Vec<Scope>> = LazyLock::new(|| {
    ["meta.mapping.key", "meta.structure.dictionary.key", "meta.object-literal.key"]
        .into_iter()
        .filter_map(|key| Scope::new(key).ok())
        .collect()
});

fn find(name: &str) -> Option<&'static Language> {
    LANGUAGES.iter().find(|(names, _, _)| names.iter().any(|known| known.eq_ignore_ascii_case(name)))
}

/// What stands above a block in this language.
pub(super) fn label(language: &str) -> &'static str {
    find(language).map_or("Text", |language| language.2)
}

/// The lines of `code` as HTML, each without its end.
pub(super) fn lines(code: &str, language: &str) -> Vec<String> {
    let grammar = find(language).map_or("", |language| language.1);
    if code.len() <= LONGEST {
        if grammar == POWERSHELL {
            return code.lines().map(powershell).collect();
        }
        let syntax = (!grammar.is_empty()).then(|| SYNTAXES.find_syntax_by_token(grammar)).flatten();
        if let Some(lines) = syntax.and_then(|syntax| by_grammar(code, syntax)) {
            return lines;
        }
    }
    code.lines().map(escape).collect()
}

/// None when the grammar fails.
fn by_grammar(code: &str, syntax: &SyntaxReference) -> Option<Vec<String>> {
    let mut state = ParseState::new(syntax);
    let mut stack = ScopeStack::new();
    let mut lines = Vec::new();
    for line in LinesWithEndings::from(code) {
        let changes = state.parse_line(line, &SYNTAXES).ok()?;
        let mut spans = Spans::default();
        let mut from = 0;
        for (at, change) in &changes {
            spans.add(class(&stack), line.get(from..*at)?);
            from = *at;
            stack.apply(change).ok()?;
        }
        spans.add(class(&stack), line.get(from..)?);
        lines.push(spans.finish());
    }
    Some(lines)
}

fn class(stack: &ScopeStack) -> Option<&'static str> {
    let scopes = stack.as_slice();
    let rule = scopes.iter().rev().find_map(|scope| {
        RULES.iter().find(|(prefix, _)| prefix.is_prefix_of(*scope)).map(|(_, class)| *class)
    });
    match rule.flatten() {
        // A key in quotes is a key.
        Some("string") if scopes.iter().any(|scope| KEYS.iter().any(|key| key.is_prefix_of(*scope))) => {
            Some("property")
        }
        class => class,
    }
}

/// One line as it grows: neighbours of one class share a span, and plain text has none.
#[derive(Default)]
struct Spans {
    html: String,
    class: Option<&'static str>,
    text: String,
}

impl Spans {
    fn add(&mut self, class: Option<&'static str>, text: &str) {
        // Space has no colour, so it goes with what is before it.
        if class != self.class && !text.trim().is_empty() {
            self.flush();
            self.class = class;
        }
        self.text.push_str(text);
    }

    fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        let words = text.trim_end();
        match self.class {
            Some(class) if !words.is_empty() => {
                self.html.push_str(&format!("<span class=\"tk-{class}\">{}</span>", escape(words)));
                self.html.push_str(&text[words.len()..]);
            }
            _ => self.html.push_str(&escape(&text)),
        }
    }

    fn finish(mut self) -> String {
        while self.text.ends_with(['\n', '\r']) {
            self.text.pop();
        }
        self.flush();
        self.html
    }
}

/// One line of PowerShell: comments, strings, variables, flags and commands.
fn powershell(line: &str) -> String {
    let mut spans = Spans::default();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let word = |from: usize| {
            let end = rest[from..].find(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_' | ':'));
            end.map_or(rest.len(), |end| from + end)
        };
        let (class, length) = match first {
            '#' => (Some("comment"), rest.len()),
            '"' | '\'' => (Some("string"), rest[1..].find(first).map_or(rest.len(), |end| end + 2)),
            '$' => (Some("property"), word(1)),
            '-' if spans.html.is_empty() && spans.text.is_empty() => (Some("punctuation"), 1),
            '-' if rest[1..].starts_with(char::is_alphabetic) => (Some("property"), word(1)),
            c if c.is_alphabetic() => {
                let length = word(0);
                let known =
                    ["if", "else", "foreach", "for", "while", "function", "return", "param", "try", "catch"];
                let found = &rest[..length];
                let class = if known.contains(&found) {
                    Some("keyword")
                } else {
                    found.contains('-').then_some("function")
                };
                (class, length)
            }
            c if c.is_ascii_digit() => (Some("number"), word(0)),
            c if c.is_ascii_punctuation() => (Some("punctuation"), 1),
            c => (None, c.len_utf8()),
        };
        spans.add(class, &rest[..length]);
        rest = &rest[length..];
    }
    spans.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text_of(html: &str) -> String {
        let mut text = String::new();
        let mut inside = false;
        for c in html.chars() {
            match c {
                '<' => inside = true,
                '>' if inside => inside = false,
                c if !inside => text.push(c),
                _ => {}
            }
        }
        text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
    }

    #[test]
    fn every_language_has_its_grammar() {
        for &(names, grammar, _) in &LANGUAGES {
            if !grammar.is_empty() && grammar != POWERSHELL {
                assert!(SYNTAXES.find_syntax_by_token(grammar).is_some(), "{}", names[0]);
            }
        }
    }

    #[test]
    fn words_are_told_apart() {
        for (language, code, expected) in [
            ("ts", "const x = 1; // one", "<span class=\"tk-keyword\">const</span>"),
            ("ts", "const x = 1; // one", "<span class=\"tk-comment\">// one</span>"),
            ("rust", "let s = \"a\";", "<span class=\"tk-string\">&quot;a&quot;</span>"),
            ("python", "def f():", "<span class=\"tk-function\">f</span>"),
            ("toml", "port = 8080", "<span class=\"tk-number\">8080</span>"),
            ("sql", "SELECT 1", "<span class=\"tk-keyword\">SELECT</span>"),
            ("powershell", "Get-Item -Path 'a b' # c", "<span class=\"tk-function\">Get-Item</span>"),
            ("powershell", "Get-Item -Path 'a b' # c", "<span class=\"tk-string\">'a b'</span>"),
        ] {
            let html = lines(code, language).join("\n");
            assert!(html.contains(expected), "{language}: {html}");
        }
    }

    #[test]
    fn what_nobody_knows_is_plain() {
        assert_eq!(lines("a < b\n\nc", "klingon"), ["a &lt; b", "", "c"]);
        let long = "let x = 1;\n".repeat(2_000);
        assert!(lines(&long, "rust").iter().all(|line| !line.contains("<span")));
        assert_eq!(label("klingon"), "Text");
        assert_eq!(label("BASH"), "Terminal");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_word_is_lost(code in "[a-z<>&\"'#$/*{}();=\\-\n éü]{0,120}", at in 0..LANGUAGES.len()) {
            let html = lines(&code, LANGUAGES[at].0[0]);
            let expected: Vec<&str> = code.lines().collect();
            let shown: Vec<String> = html.iter().map(|line| text_of(line)).collect();
            prop_assert_eq!(shown, expected);
        }
    }
}
