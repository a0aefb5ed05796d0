//! How one finds one's way: breadcrumb, tree, tabs of an application, before and after, time, and running text.

use leptos::prelude::*;
use time::{Duration, OffsetDateTime};

use super::block;
use crate::components::{Breadcrumb, Icon, Notice, RelativeTime};

pub fn ways() -> AnyView {
    view! {
        {block("Breadcrumb", breadcrumb())}
        {block("Side nav", side_nav())}
        {block("Before, after", pager())}
        {block("Time", times())}
        {block("Prose", prose())}
    }
    .into_any()
}

fn breadcrumb() -> AnyView {
    let trail = ["Docs", "Licenses"].map(|label| (label.to_owned(), "#ways".to_owned())).to_vec();
    view! { <Breadcrumb trail=trail here="Verify a license offline"/> }.into_any()
}

fn side_nav() -> AnyView {
    view! {
        <div class="pair">
            <nav class="side-nav" aria-label="Sample of a tree">
                <details open=true>
                    <summary>"Licenses"<Icon name="right" size=16/></summary>
                    <ul>
                        <li><a href="#ways">"Buy and activate"</a></li>
                        <li><a href="#ways" aria-current="page">"Verify a license offline"</a></li>
                        <li><a href="#ways">"Rotate a leaked key"</a></li>
                    </ul>
                </details>
                <details>
                    <summary>"Teams"<Icon name="right" size=16/></summary>
                    <ul><li><a href="#ways">"Seats"</a></li></ul>
                </details>
            </nav>
            <nav class="side-nav app" aria-label="Sample of an application">
                <ul>
                    <li><a href="#ways"><Icon name="user"/>"Profile"</a></li>
                    <li><a href="#ways" aria-current="page"><Icon name="key"/>"Licenses"</a></li>
                    <li><a href="#ways"><Icon name="help"/>"Tickets"<span class="count tabular">"12"</span></a></li>
                </ul>
            </nav>
        </div>
    }
    .into_any()
}

fn pager() -> AnyView {
    view! {
        <nav class="pager" aria-label="Sample of before and after">
            <a rel="prev" href="#ways"><Icon name="back"/><small>"Previous"</small>"Machines and seats"</a>
            <a rel="next" href="#ways"><small>"Next"</small>"Rotate a leaked key"<Icon name="arrow"/></a>
        </nav>
    }
    .into_any()
}

/// Distances from one fixed moment, so that the gallery looks the same every day.
fn times() -> AnyView {
    let now = OffsetDateTime::UNIX_EPOCH + Duration::days(20_777) + Duration::hours(14);
    let samples =
        [Duration::ZERO, Duration::minutes(12), Duration::hours(2), Duration::days(9), Duration::days(64)]
            .map(|away| now - away)
            .map(|at| view! { <li><RelativeTime at=at now=now/></li> });
    view! { <ul class="choices small">{samples.into_iter().collect_view()}</ul> }.into_any()
}

fn prose() -> AnyView {
    view! {
        <div class="prose">
            <h3>"Get the public keys"</h3>
            <p>
                "The keys rarely change. " <a href="#ways">"Fetch them once"</a>
                ", ship them with your program, and refresh them when a token names a " <code>"kid"</code>
                " you do not know."
            </p>
            <Notice tone="info" title="A bad key is not an error">
                <p>
                    "Validation answers 200 with " <code>"valid: false"</code>
                    " and the free tier. Network failures are the only thing you retry."
                </p>
            </Notice>
            <ul>
                <li>"Pin the algorithm."</li>
                <li>"Allow for a slow clock."</li>
                <li>"Compare the fingerprint last."</li>
            </ul>
            <blockquote>"A clock can be turned back. Store the newest one you have seen and refuse anything older."</blockquote>
        </div>
    }
    .into_any()
}
