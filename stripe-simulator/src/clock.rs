//! Time: test clocks, which customers can be put on, and what has become due.
//!
//! What always holds: a test clock only goes forward, and what becomes due on the way happens at its own time.

use serde_json::{Value, json};

use crate::{
    checkout, customers,
    fault::Fault,
    fields::int,
    http::Request,
    params::Params,
    subscriptions::renewal,
    world::{World, id_of},
};

const KIND: &str = "test_helpers.test_clock";
/// Stripe deletes them after 30 days. We only say so.
const KEPT_FOR: i64 = 30 * 86_400;

pub fn route(world: &mut World, request: &Request<'_>) -> Option<Result<Value, Fault>> {
    let params = &request.params;
    Some(match (request.method, request.path.as_slice()) {
        ("POST", ["test_helpers", "test_clocks"]) => create(world, params),
        ("GET", ["test_helpers", "test_clocks"]) => {
            world.list(KIND, "/v1/test_helpers/test_clocks", params, |clock| clock["deleted"] != true)
        }
        ("GET", ["test_helpers", "test_clocks", id]) => world.find(KIND, id),
        ("POST", ["test_helpers", "test_clocks", id, "advance"]) => advance(world, id, params),
        ("DELETE", ["test_helpers", "test_clocks", id]) => delete(world, id),
        _ => return None,
    })
}

/// Does all that the time of each customer has made due.
pub fn run_due(world: &mut World) {
    loop {
        let due = renewal::due(world, |customer| Some(world.now_for(customer)));
        if due.is_empty() {
            break;
        }
        for (at, due) in due {
            renewal::carry_out(world, at, &due);
        }
    }
    checkout::expire_due(world);
}

fn create(world: &mut World, params: &Params) -> Result<Value, Fault> {
    params.only(&["frozen_time", "name"])?;
    let frozen = params.int("frozen_time")?.ok_or_else(|| Fault::missing("frozen_time"))?;
    let id = world.new_id("clock");
    let now = world.now();
    let clock = world.put(json!({
        "id": id, "object": KIND, "created": now, "deletes_after": now + KEPT_FOR, "frozen_time": frozen,
        "livemode": false, "name": params.text("name"), "status": "ready", "status_details": {},
    }));
    world.emit("test_helpers.test_clock.created", &id);
    Ok(clock)
}

/// Unlike Stripe's, this one has arrived when the answer comes.
fn advance(world: &mut World, id: &str, params: &Params) -> Result<Value, Fault> {
    params.only(&["frozen_time"])?;
    let clock = world.find(KIND, id)?;
    let target = params.int("frozen_time")?.ok_or_else(|| Fault::missing("frozen_time"))?;
    let mut now = int(&clock, "frozen_time");
    if target <= now {
        return Err(Fault::invalid("frozen_time", "The new time must be after the clock's present time."));
    }
    world.emit("test_helpers.test_clock.advancing", id);
    loop {
        let until = |customer: &str| {
            world.get(customer).is_some_and(|customer| customer["test_clock"] == id).then_some(target)
        };
        let Some((at, due)) = renewal::due(world, until).into_iter().next() else { break };
        now = now.max(at);
        world.change(id, |clock| clock["frozen_time"] = json!(now));
        renewal::carry_out(world, at, &due);
    }
    let clock = world.change(id, |clock| clock["frozen_time"] = json!(target));
    world.emit("test_helpers.test_clock.ready", id);
    checkout::expire_due(world);
    Ok(clock)
}

/// Its customers go with it.
fn delete(world: &mut World, id: &str) -> Result<Value, Fault> {
    world.find(KIND, id)?;
    let on_it = |customer: &&Value| customer["test_clock"] == id && customer["deleted"] != true;
    let customers: Vec<String> = world.all("customer").filter(on_it).map(id_of).collect();
    for customer in customers {
        customers::delete(world, &customer)?;
    }
    world.change(id, |clock| clock["deleted"] = json!(true));
    world.emit("test_helpers.test_clock.deleted", id);
    Ok(json!({ "id": id, "object": KIND, "deleted": true }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_only_goes_forward() {
        let mut world = World::open(None, 1).expect("a world in memory");
        let params = |text: &str| Params::parse(text).expect("reads");
        let clock = create(&mut world, &params("frozen_time=1000&name=Test")).expect("made");
        let id = clock["id"].as_str().expect("an id");
        world.put(json!({ "id": "cus_1", "object": "customer", "test_clock": id }));
        assert_eq!(world.now_for("cus_1"), 1_000);
        assert!(advance(&mut world, id, &params("frozen_time=1000")).is_err());
        assert_eq!(
            advance(&mut world, id, &params("frozen_time=2000")).expect("moved")["frozen_time"],
            2_000
        );
        assert_eq!(world.now_for("cus_1"), 2_000);
        delete(&mut world, id).expect("deleted");
        assert_eq!(world.find("customer", "cus_1").expect_err("gone too").status, 404);
    }
}
