//! The headers that tell browsers what this site will never do.

use app::pages::shell::ScriptPolicy;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use devforge::config::Config;

/// Headers that never change, and the parts of the content policy that do.
pub struct Policy {
    fixed: Vec<(HeaderName, HeaderValue)>,
    site_script: HeaderValue,
    paying: HeaderValue,
    without_script: HeaderValue,
    before_scripts: String,
    after_scripts: String,
}

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const MAIL_PREVIEW: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'; sandbox allow-popups";

impl Policy {
    pub fn new(config: &Config) -> Self {
        let (config, payments) = (&config.http, &config.payments);
        let mut fixed = vec![
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (header::REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin")),
            (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
            (
                HeaderName::from_static("permissions-policy"),
                HeaderValue::from_static(
                    "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
                     magnetometer=(), microphone=(), midi=(), usb=(), browsing-topics=()",
                ),
            ),
        ];
        if config.is_https() {
            fixed.push((
                header::STRICT_TRANSPORT_SECURITY,
                HeaderValue::from_static("max-age=63072000; includeSubDomains"),
            ));
        }
        let before_scripts = "default-src 'none'; script-src ".to_owned();
        let upgrade = if config.is_https() { "; upgrade-insecure-requests" } else { "" };
        let after_scripts = format!(
            "; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; \
             frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
             report-uri /csp-report{upgrade}"
        );
        // The hash names the one script; browsers that match hashes only for inline scripts go by its place,
        // where nothing but this build's own files is served. That place also lets it fetch the search palette's
        // program, which is WebAssembly, on every page: whoever is let in by this can only run what this build made.
        let hash =
            app::assets::find("site.js").map(|asset| format!("'{}' ", asset.integrity)).unwrap_or_default();
        let place = format!("{}/assets/", config.public_url);
        let value = |scripts: &str, after: &str| {
            HeaderValue::from_str(&format!("{before_scripts}{scripts}{after}"))
                .expect("hashes and parsed addresses are plain ASCII")
        };
        // Browsers ask of a form's answer, too, whether it may lead there.
        let provider = if payments.simulated {
            payments.stripe_url.as_str()
        } else {
            "https://checkout.stripe.com https://billing.stripe.com"
        };
        let paying = after_scripts.replace("form-action 'self'", &format!("form-action 'self' {provider}"));
        let site_script = format!("{hash}{place} 'wasm-unsafe-eval'");
        Self {
            fixed,
            site_script: value(&site_script, &after_scripts),
            paying: value(&site_script, &paying),
            without_script: value("'none'", &after_scripts),
            before_scripts,
            after_scripts,
        }
    }

    pub fn apply(&self, headers: &mut HeaderMap, scripts: Option<&ScriptPolicy>) {
        for (name, value) in &self.fixed {
            // Pages whose address opens something are stricter about telling it.
            headers.entry(name).or_insert_with(|| value.clone());
        }
        // What may be embedded elsewhere (pictures for link previews) says so itself.
        headers.entry(RESOURCE_POLICY).or_insert(HeaderValue::from_static("same-origin"));
        let policy = match scripts {
            Some(ScriptPolicy::SiteScript) => self.site_script.clone(),
            Some(ScriptPolicy::Paying) => self.paying.clone(),
            Some(ScriptPolicy::Islands { nonce }) => {
                let scripts = format!("'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'");
                HeaderValue::from_str(&format!("{}{scripts}{}", self.before_scripts, self.after_scripts))
                    .unwrap_or_else(|_| self.without_script.clone())
            }
            Some(ScriptPolicy::MailPreview) => HeaderValue::from_static(MAIL_PREVIEW),
            None => self.without_script.clone(),
        };
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}
