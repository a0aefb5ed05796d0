//! A number with − and + beside it, and what it comes to. Without script it is a number field in the form it stands in.

use leptos::prelude::*;

use crate::components::Icon;

#[island]
pub fn SeatStepper(
    /// The name the form sends, and the field's id.
    name: String,
    seats: u32,
    /// The fewest and the most seats that can be bought at once.
    least: u32,
    most: u32,
    /// The price of one seat in cents, and the sign of its currency.
    cents: u32,
    currency: String,
) -> impl IntoView {
    let seats = RwSignal::new(seats.clamp(least, most));
    let sum = move || total(seats.get(), cents, &currency);
    let at_least = move || seats.get() <= least;
    let at_most = move || seats.get() >= most;
    // What is typed counts once it is a number within the limits; until then the last one stands.
    let typed = move |event: leptos::ev::Event| {
        if let Ok(count) = event_target_value(&event).trim().parse::<u32>() {
            seats.set(count.clamp(least, most));
        }
    };

    view! {
        <div class="stepper">
            <label for=name.clone()>"Seats"</label>
            <div class="stepper-control">
                <button
                    class="button ghost icon-only"
                    type="button"
                    aria-label="One seat fewer"
                    disabled=at_least
                    on:click=move |_| seats.update(|count| *count = count.saturating_sub(1).max(least))
                >
                    <Icon name="minus" size=16/>
                </button>
                <input
                    class="input tabular"
                    id=name.clone()
                    name=name.clone()
                    type="number"
                    inputmode="numeric"
                    min=least
                    max=most
                    value=seats.get_untracked()
                    prop:value=move || seats.get().to_string()
                    on:change=typed
                />
                <button
                    class="button ghost icon-only"
                    type="button"
                    aria-label="One seat more"
                    disabled=at_most
                    on:click=move |_| seats.update(|count| *count = count.saturating_add(1).min(most))
                >
                    <Icon name="plus" size=16/>
                </button>
            </div>
            <output class="stepper-sum" for=name>{sum}</output>
        </div>
    }
}

/// "$57.00 a month".
fn total(seats: u32, cents: u32, currency: &str) -> String {
    let sum = u64::from(seats) * u64::from(cents);
    format!("{currency}{}.{:02} a month", sum / 100, sum % 100)
}

#[cfg(test)]
mod tests {
    use super::total;

    #[test]
    fn the_total_is_exact_to_the_cent_and_cannot_overflow() {
        assert_eq!(total(3, 1900, "$"), "$57.00 a month");
        assert_eq!(total(1, 5, "€"), "€0.05 a month");
        assert_eq!(total(u32::MAX, u32::MAX, "$"), "$184467440651196170.25 a month");
    }
}
