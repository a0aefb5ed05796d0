//! Coupons: those there are, making one, and ending one.

use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use devforge::{
    api::{error::ApiError, extract::Path},
    billing::catalogue::{self, Coupon, CouponDuration, MAX_CODE_CHARS, NewCoupon, Off, parse_percent},
    context::Context,
    contract::{
        id::CouponId,
        money::{Currency, parse_amount},
        payment::Tier,
    },
};
use leptos::prelude::*;
use time::{Date, OffsetDateTime, macros::format_description};

use super::{
    PATH,
    prices::{head, select},
};
use crate::{
    components::{Badge, Empty, Field, Icon},
    pages::{
        admin::frame::{Here, Section, Viewer, choice, frame},
        forms::{Mistakes, billing_mistakes},
        moments::day,
        shell::{Page, Visit},
    },
};

/// A coupon as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Typed {
    code: String,
    /// A percentage with its sign, or an amount.
    off: String,
    /// A currency for an amount; empty for a percentage.
    currency: String,
    duration: String,
    months: String,
    tiers: Vec<Tier>,
    most: String,
    expires: String,
}

impl Typed {
    /// The same name comes once for each tier that is checked, which no struct can take.
    fn from_pairs(pairs: Vec<(String, String)>) -> Self {
        let mut typed = Self::default();
        for (field, value) in pairs {
            match field.as_str() {
                "code" => typed.code = value,
                "off" => typed.off = value,
                "currency" => typed.currency = value,
                "duration" => typed.duration = value,
                "months" => typed.months = value,
                "tiers" => typed.tiers.extend(Tier::parse(&value)),
                "maxRedemptions" => typed.most = value,
                "expires" => typed.expires = value,
                _ => {}
            }
        }
        typed
    }

    fn read(&self) -> Result<NewCoupon, Mistakes> {
        let mut wrong = Mistakes::default();
        let off = match Currency::parse(&self.currency) {
            Some(currency) => {
                parse_amount(&self.off, currency).map(|amount| Off::Amount(currency.of(amount)))
            }
            None => parse_percent(&self.off).map(Off::Share),
        };
        if off.is_none() {
            wrong.add("off", "Write a share like 20, or an amount like 19.50 and choose its currency.");
        }
        let duration = match self.duration.as_str() {
            "repeating" => self.months.trim().parse().ok().map(CouponDuration::Repeating),
            "forever" => Some(CouponDuration::Forever),
            _ => Some(CouponDuration::Once),
        };
        if duration.is_none() {
            wrong.add("months", "Write for how many months, 1 to 36.");
        }
        let most = optional(&self.most, |text| text.parse::<u32>().ok());
        if most.is_none() {
            wrong.add("maxRedemptions", "Write how often it can be used, or nothing.");
        }
        let expires = optional(&self.expires, end_of_day);
        if expires.is_none() {
            wrong.add("expires", "A day is written like 2026-11-20.");
        }
        match (off, duration, most, expires) {
            (Some(off), Some(duration), Some(max_redemptions), Some(expires_at)) => Ok(NewCoupon {
                code: self.code.clone(),
                off,
                duration,
                tiers: self.tiers.clone(),
                max_redemptions,
                expires_at,
            }),
            _ => Err(wrong),
        }
    }
}

/// Nothing typed is nothing asked for; what is typed has to be read. None for what cannot be.
fn optional<T>(typed: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    let typed = typed.trim();
    if typed.is_empty() { Some(None) } else { read(typed).map(Some) }
}

/// The first moment at which that day is over, so that the day itself still counts.
fn end_of_day(typed: &str) -> Option<OffsetDateTime> {
    let date = Date::parse(typed, format_description!("[year]-[month]-[day]")).ok()?;
    date.next_day().filter(|next| next.year() > 0).map(|next| next.midnight().assume_utc())
}

pub async fn coupons_page(State(ctx): State<Context>, visit: Visit) -> Result<Response, ApiError> {
    show(&ctx, &visit, Typed::default(), Mistakes::default(), StatusCode::OK).await
}

pub async fn make_coupon(
    State(ctx): State<Context>,
    visit: Visit,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, ApiError> {
    let typed = Typed::from_pairs(pairs);
    let new = match typed.read() {
        Ok(new) => new,
        Err(wrong) => return show(&ctx, &visit, typed, wrong, StatusCode::UNPROCESSABLE_ENTITY).await,
    };
    match catalogue::make_coupon(&ctx, &visit.caller, &new).await {
        Ok(_) => Ok(Redirect::to("/admin/catalogue?done=coupon").into_response()),
        Err(error) => {
            let (status, mut wrong) = billing_mistakes(error)?;
            // One field of the form is two of a coupon.
            for (field, _) in &mut wrong.fields {
                if field == "share" || field == "amount" {
                    "off".clone_into(field);
                }
            }
            show(&ctx, &visit, typed, wrong, status).await
        }
    }
}

pub async fn withdraw_coupon(
    State(ctx): State<Context>,
    Path(id): Path<CouponId>,
    visit: Visit,
) -> Result<Response, ApiError> {
    catalogue::withdraw_coupon(&ctx, &visit.caller, id).await?;
    Ok(Redirect::to("/admin/catalogue?done=coupon-withdrawn").into_response())
}

async fn show(
    ctx: &Context,
    visit: &Visit,
    typed: Typed,
    wrong: Mistakes,
    status: StatusCode,
) -> Result<Response, ApiError> {
    let coupons = catalogue::overview(ctx, &visit.caller).await?.coupons;
    let viewer = Viewer::of(ctx, &visit.caller)?;
    let now = ctx.clock.now();
    let page = Page::new("Coupons", "What makes something cost less.", move || {
        frame(Here::Below(Section::Catalogue), viewer, view(&coupons, &typed, &wrong, now))
    });
    Ok(page.status(status).render(visit))
}

fn view(coupons: &[Coupon], typed: &Typed, wrong: &Mistakes, now: OffsetDateTime) -> AnyView {
    let listed = if coupons.is_empty() {
        view! { <Empty framed=true title="No coupons" text="Those you make are listed here, with how often each was used."/> }
            .into_any()
    } else {
        let rows = coupons.iter().map(|coupon| row(coupon, now)).collect_view();
        view! { <ul class="rows">{rows}</ul> }.into_any()
    };
    view! {
        {head("Coupons")}
        {wrong.summary()}
        {listed}
        <section class="admin-panel" aria-labelledby="new-coupon">
            <h2 class="panel-title" id="new-coupon">"New coupon"</h2>
            {form(typed, wrong)}
        </section>
    }
    .into_any()
}

fn row(coupon: &Coupon, now: OffsetDateTime) -> AnyView {
    let over = coupon.expires_at.is_some_and(|at| at <= now);
    let (tone, icon, label) = match coupon.withdrawn_at {
        Some(_) => ("plain", "x", "Withdrawn"),
        None if over => ("plain", "clock", "Ended"),
        None => ("ok", "ok", "Offered"),
    };
    let action = format!("{PATH}/coupons/{}/withdraw", coupon.id);
    let withdraw = coupon.withdrawn_at.is_none().then(|| {
        let about = format!(" {}", coupon.code);
        view! {
            <form method="post" action=action>
                <button class="button bad small" type="submit">
                    <span>"Withdraw"<span class="visually-hidden">{about}</span></span>
                </button>
            </form>
        }
    });
    view! {
        <li class="row">
            <div>
                <h2 class="row-title"><code>{coupon.code.clone()}</code>" "<Badge tone=tone icon=icon label=label/></h2>
                <p>{terms(coupon)}</p>
                <p class="meta">{uses(coupon)}</p>
            </div>
            {withdraw}
        </li>
    }
    .into_any()
}

/// `20 % off the first payment, for Pro`.
fn terms(coupon: &Coupon) -> String {
    let off = match coupon.off {
        Off::Share(rate) => rate.to_string(),
        Off::Amount(money) => money.to_string(),
    };
    let lasts = match coupon.duration {
        CouponDuration::Once => "the first payment".to_owned(),
        CouponDuration::Repeating(months) => format!("every payment for {months} months"),
        CouponDuration::Forever => "every payment".to_owned(),
    };
    let tiers: Vec<&str> = coupon.tiers.iter().map(|tier| tier.label()).collect();
    let tiers = if tiers.is_empty() { "every tier".to_owned() } else { tiers.join(" and ") };
    format!("{off} off {lasts}, for {tiers}")
}

fn uses(coupon: &Coupon) -> String {
    let most = coupon.max_redemptions.map(|most| format!(" of {most}")).unwrap_or_default();
    // It ends when a day begins, so the last day is the one before.
    let until = coupon.expires_at.map(|at| format!(", until {}", day(at - time::Duration::SECOND)));
    format!(
        "Used {}{most} times, made {}{}",
        coupon.redeemed,
        day(coupon.created_at),
        until.unwrap_or_default()
    )
}

fn form(typed: &Typed, wrong: &Mistakes) -> AnyView {
    let currencies = Currency::ALL
        .map(|currency| choice(currency.as_str(), currency.code(), &typed.currency))
        .into_iter()
        .collect_view();
    let kinds = view! { <option value="">"percent"</option>{currencies} }.into_any();
    let durations = [
        ("once", "The first payment"),
        ("repeating", "Every payment for some months"),
        ("forever", "Every payment"),
    ]
    .map(|(value, label)| choice(value, label, &typed.duration))
    .into_iter()
    .collect_view()
    .into_any();
    view! {
        <form class="measure" method="post" action="/admin/catalogue/coupons" novalidate=true>
            <Field name="code" label="Code" value=typed.code.clone() maxlength=MAX_CODE_CHARS as u32 autocomplete="off"
                error=wrong.of("code") hint="Letters, digits and hyphens. It is read in any case."/>
            <div class="field-row">
                <Field name="off" label="It takes off" value=typed.off.clone() inputmode="decimal" maxlength=20
                    autocomplete="off" error=wrong.of("off")/>
                {select("currency", "Of what", kinds, wrong)}
            </div>
            <div class="field-row">
                {select("duration", "From", durations, wrong)}
                <Field name="months" label="Months" value=typed.months.clone() inputmode="numeric" maxlength=2
                    autocomplete="off" optional=true error=wrong.of("months")/>
            </div>
            {tier_choices(typed)}
            <div class="field-row">
                <Field name="maxRedemptions" label="Times it can be used" value=typed.most.clone() inputmode="numeric"
                    maxlength=7 autocomplete="off" optional=true error=wrong.of("maxRedemptions")/>
                <Field name="expires" label="Last day" kind="date" value=typed.expires.clone() optional=true
                    error=wrong.of("expires") hint="To its end in UTC."/>
            </div>
            <div class="form-actions">
                <button class="button primary" type="submit">"Make coupon"</button>
                <a class="button ghost" href=PATH><Icon name="back" size=16/>"Catalogue"</a>
            </div>
        </form>
    }
    .into_any()
}

fn tier_choices(typed: &Typed) -> AnyView {
    let boxes = [Tier::Pro, Tier::Enterprise]
        .map(|tier| {
            let checked = typed.tiers.contains(&tier);
            view! {
                <label class="check">
                    <input type="checkbox" name="tiers" value=tier.as_str() checked=checked/>
                    <span>{tier.label()}</span>
                </label>
            }
        })
        .into_iter()
        .collect_view();
    view! {
        <fieldset class="field">
            <legend>"For"</legend>
            <div class="choices">{boxes}</div>
            <p class="hint">"None checked is every tier."</p>
        </fieldset>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use devforge::contract::money::Rate;
    use time::macros::datetime;

    use super::*;

    fn typed(pairs: &[(&str, &str)]) -> Typed {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Typed::from_pairs(pairs.iter().map(own).collect())
    }

    #[test]
    fn a_coupon_is_read_from_its_form() {
        let new = typed(&[
            ("code", "forge-20"),
            ("off", "20"),
            ("currency", ""),
            ("duration", "repeating"),
            ("months", "3"),
            ("tiers", "pro"),
            ("tiers", "nonsense"),
            ("maxRedemptions", "100"),
            ("expires", "2026-12-31"),
        ]);
        let new = new.read().expect("it fits");
        assert_eq!(new.off, Off::Share(Rate::percent(20)));
        assert_eq!(new.duration, CouponDuration::Repeating(3));
        assert_eq!((new.tiers, new.max_redemptions), (vec![Tier::Pro], Some(100)));
        assert_eq!(new.expires_at, Some(datetime!(2027-01-01 00:00 UTC)), "the last day counts");
    }

    #[test]
    fn what_is_left_out_is_not_asked_for() {
        let new = typed(&[("off", "5"), ("currency", "eur")]).read().expect("it fits");
        assert_eq!(new.off, Off::Amount(Currency::Eur.of(500)));
        assert_eq!((new.duration, new.max_redemptions, new.expires_at), (CouponDuration::Once, None, None));
        assert!(new.tiers.is_empty());
    }

    #[test]
    fn mistakes_stand_at_their_fields() {
        let wrong = typed(&[("duration", "repeating"), ("maxRedemptions", "-1"), ("expires", "soon")]);
        let wrong = wrong.read().expect_err("it has mistakes");
        let fields: Vec<&str> = wrong.fields.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, ["off", "months", "maxRedemptions", "expires"]);
    }
}
