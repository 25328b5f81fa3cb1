//! What stands apart from findings: tests of receivers, signs of life, and receivers that learn no value.

use super::world::{CHAT, HOOK_SIGNED, POST, ROOM, World};
use crate::slack_fake::{BEAT, HOOK};

#[test]
fn a_test_reaches_every_sort_of_receiver_and_is_recorded_nowhere() {
    let world = World::new(
        &[CHAT, ROOM, POST, HOOK_SIGNED],
        "routes:\n  - {name: rest, receivers: [chat, room, post, hook]}\n",
    );
    let said = world.run(&["notify", "test", "--route", "rest"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert_eq!((world.fake.messages().len(), world.mails().len(), world.fake.received(HOOK).len()), (2, 1, 1));
    assert!(world.mails().values().all(|mail| mail.contains("TEST")), "{:?}", world.mails());
    assert!(!world.work.borrow().path().join("ledger.sqlite").exists());
    let unknown = world.run(&["notify", "test", "--route", "nowhere"]);
    assert!(unknown.code == 2 && unknown.err.contains("rest"), "it names those there are: {}", unknown.err);
}

#[test]
fn a_sign_of_life_is_given_after_complete_scans_only() {
    let world =
        World::new(&[POST], "routes:\n  - {name: rest, receivers: [post]}\nheartbeat: {urlFile: secrets/beat}\n");
    assert_eq!(world.scan().code, 0);
    assert_eq!(world.fake.received(BEAT).len(), 1);
    world.image("registry.test/api:debug", "kubectl-edit");
    assert_eq!(world.scan().code, 1);
    assert_eq!(world.fake.received(BEAT).len(), 2, "drift is no lack of life");
    world.hide_live();
    world.scan();
    assert_eq!(world.fake.received(BEAT).len(), 2, "nothing was seen");
    world.assert_clean();
}

#[test]
fn who_is_to_learn_names_only_learns_no_value() {
    let names_only = |receiver: &str| receiver.replace("{name: ", "{fields: names-only, name: ");
    let (post, hook, chat) = (names_only(POST), names_only(HOOK_SIGNED), names_only(CHAT));
    let world = World::new(&[&post, &hook, &chat], "routes:\n  - {name: rest, receivers: [post, hook, chat]}\n");
    world.scan();
    world.later(300);
    world.image("registry.test/api:unseen-value", "kubectl-edit");
    assert_eq!(world.scan().code, 1);
    let (mails, hooks, messages) = (world.mails(), world.fake.received(HOOK), world.fake.messages());
    assert_eq!((mails.len(), hooks.len(), messages.len()), (2, 2, 2));
    let hooks = hooks.iter().map(|request| String::from_utf8_lossy(&request.body).into_owned());
    let all: Vec<String> =
        mails.into_values().chain(hooks).chain(messages.iter().map(|message| format!("{message:?}"))).collect();
    assert!(all.iter().filter(|text| text.contains("CRITICAL") || text.contains("critical")).count() >= 3);
    for text in &all {
        assert!(!text.contains("unseen-value") && !text.contains("api:1.8.2"), "{text}");
    }
    world.assert_clean();
}
