//! The public pages that are programmed rather than written: what they are called, what they say, and by which other
//! words people look for them.
//!
//! What always holds: a public page is either in the catalogue or in this list, and its title here is one that the page
//! shows. The tests of the site hold this list against the sitemap and against the pages.

/// A page that has no file under `content/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Programmed {
    pub path: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    /// Words that need not stand on the page.
    pub keywords: &'static str,
}

const fn page(
    path: &'static str,
    title: &'static str,
    description: &'static str,
    keywords: &'static str,
) -> Programmed {
    Programmed { path, title, description, keywords }
}

pub const PROGRAMMED: &[Programmed] = &[
    page(
        "/",
        "Dev Forge: code with any model, or with none",
        "Dev Forge is a desktop code editor. Connect an AI provider, run a model on your own machine, or switch AI off.",
        "",
    ),
    page(
        "/pricing",
        "Pricing",
        "What the Free, Pro and Enterprise tiers of Dev Forge include, and what they cost.",
        "price cost",
    ),
    page(
        "/download",
        "Download",
        "Dev Forge for Linux, macOS and Windows: every build signed, with its checksum beside it.",
        "",
    ),
    page(
        "/features",
        "Features",
        "What Dev Forge does: AI models of your choice or none, extensions that say what they need, teams with one plan, and an editor that works without us.",
        "",
    ),
    page(
        "/features/ai-models",
        "AI models",
        "Connect a provider with your own key, run a model on your own machine, or switch AI off. What is sent, when, and to whom.",
        "",
    ),
    page(
        "/features/extensions",
        "Extensions",
        "Ordinary VSIX packages that declare what they reach, shown before you install, after a review that says why.",
        "plugins",
    ),
    page(
        "/features/teams",
        "Teams",
        "Fire teams and sprints: a few people, one plan, beside the branches the work happens on.",
        "",
    ),
    page(
        "/features/local-first",
        "Local-first and privacy",
        "The editor works without us: every call is optional, events wait for your yes, and a license can be checked with no connection.",
        "",
    ),
    page(
        "/enterprise",
        "Enterprise",
        "Dev Forge for companies: seats by quote, invoices, machines without a connection, and the facts a security review asks for.",
        "sso saml okta scim single sign-on quote invoice",
    ),
    page(
        "/compare",
        "Dev Forge beside other editors",
        "Dev Forge beside VS Code, Zed, the JetBrains IDEs and Cursor: what differs, and where each of them is the better choice.",
        "compare comparison alternatives",
    ),
    page(
        "/contact",
        "Contact",
        "Write to us about a license for your company, a problem, the press, or the security of Dev Forge.",
        "",
    ),
    page(
        "/press",
        "Press",
        "Dev Forge in one sentence, in one paragraph and on one page, with its name, its mark and its colours.",
        "press kit logo",
    ),
    page(
        "/status",
        "Status",
        "How the parts of the Dev Forge site are at this moment, and what each of them means for you.",
        "outage uptime down",
    ),
    page(
        "/changelog",
        "Changelog",
        "What changed on this platform, the newest first: the site, accounts, buying, licenses and the API.",
        "what's new release notes",
    ),
    page(
        "/blog",
        "Blog",
        "How Dev Forge is made: what we decided, why, and what it means for people who write code with it.",
        "",
    ),
    page(
        "/support",
        "Help",
        "Answers about licenses, billing, your account and the editor, and the ways to reach us.",
        "help support",
    ),
    page(
        "/activate",
        "Activate",
        "Hand your license to Dev Forge on this computer, with its key or from your account.",
        "",
    ),
    page(
        "/docs",
        "Docs",
        "How to use Dev Forge, buy and activate it, write extensions, call its API, and run this program yourself.",
        "documentation",
    ),
    page(
        "/docs/api",
        "API reference",
        "Every endpoint of the Dev Forge API: what it takes, what it answers, and how it says no.",
        "openapi",
    ),
];
