use super::*;

fn thing(id: &str, word: &str) -> Value {
    json!({ "id": id, "object": "thing", "word": word })
}

#[test]
fn a_fault_takes_everything_back() {
    let mut world = World::open(None, 1).expect("opens");
    world.put(thing("th_1", "old"));
    let result: Result<(), Fault> = world.whole(|world| {
        world.change("th_1", |thing| thing["word"] = json!("new"));
        world.put(thing("th_2", "new"));
        world.emit("thing.created", "th_2");
        Err(Fault::missing("word"))
    });
    assert!(result.is_err());
    assert_eq!(world.get("th_1"), Some(&thing("th_1", "old")));
    assert_eq!(world.all("thing").count(), 1);
    assert_eq!(world.all("event").count(), 0);
    assert!(world.undelivered.is_empty());
}

#[test]
fn a_declined_card_leaves_what_happened() {
    let mut world = World::open(None, 1).expect("opens");
    let result: Result<(), Fault> = world.whole(|world| {
        world.put(thing("th_1", "declined"));
        Err(Fault::declined("card_declined", "generic_decline", "Declined."))
    });
    assert!(result.is_err());
    assert!(world.get("th_1").is_some());
}

#[test]
fn a_journal_survives_a_line_cut_off() {
    let path = std::env::temp_dir().join(format!("stripe-simulator-{}.journal", std::process::id()));
    std::fs::write(&path, "{\"id\":\"th_1\",\"object\":\"thing\"}\n{\"id\":\"th_2\",\"obj").expect("writes");
    let mut world = World::open(Some(&path), 1).expect("opens");
    world.put(thing("th_3", "after"));
    world.emit("thing.created", "th_3");
    world.write_down().expect("writes");
    let again = World::open(Some(&path), 1).expect("opens");
    std::fs::remove_file(&path).expect("is there");
    assert!(again.get("th_1").is_some() && again.get("th_2").is_none() && again.get("th_3").is_some());
    assert_eq!(again.undelivered.len(), 1);
}
