//! What is told, when, and where: to a bot of Slack, which has threads.

use serde_json::Value;

use super::world::{CHAT, World};
use crate::slack_fake::Stored;

const ROUTES: &str = "routes:\n  - {name: rest, receivers: [chat]}\n";
const GITOPS: &str = "argocd-controller";
const SOMEBODY: &str = "kubectl-edit";
const MINUTE: i64 = 60;

/// The new messages since the last time, each as its text, `in thread N` where it is a reply to the Nth message, and `shown` where a reply
/// stands in the channel as well.
struct Channel<'a> {
    world: &'a World,
    seen: usize,
}

impl Channel<'_> {
    fn news(&mut self) -> Vec<String> {
        let all = self.world.fake.messages();
        let place = |message: &Stored| match &message.thread_ts {
            None => String::new(),
            Some(ts) => {
                let parent = all.iter().position(|parent| parent.ts == *ts).expect("a parent");
                format!(" (in thread {parent}{})", if message.broadcast { ", shown" } else { "" })
            }
        };
        let news = all[self.seen..].iter().map(|message| format!("{}{}", message.text, place(message))).collect();
        self.seen = all.len();
        news
    }

    fn nothing(&mut self, why: &str) {
        assert_eq!(self.news(), [""; 0], "{why}");
    }
}

/// All that a message shows.
fn shown(message: &Stored) -> String {
    fn texts(value: &Value, all: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                all.extend(fields.get("text").and_then(Value::as_str).map(str::to_owned));
                fields.values().for_each(|value| texts(value, all));
            }
            Value::Array(items) => items.iter().for_each(|value| texts(value, all)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    texts(&message.blocks, &mut all);
    all.join("\n")
}

#[test]
fn what_is_there_already_is_one_message_and_its_end_is_told_in_that_thread() {
    let world = World::new(&[CHAT], ROUTES);
    let mut channel = Channel { world: &world, seen: 0 };
    world.image("registry.test/api:debug", SOMEBODY);
    (0..25).for_each(|n| world.setting(n, "w", SOMEBODY));
    assert_eq!(world.scan().code, 1);
    let first = "FIRST SCAN · shop: 26 deviations exist already";
    assert_eq!(channel.news(), [first]);
    world.later(5 * MINUTE);
    world.scan();
    channel.nothing("it was told");
    world.later(5 * MINUTE);
    world.setting(7, "v", GITOPS);
    world.scan();
    let [news] = channel.news().try_into().expect("one message");
    assert!(news.starts_with("RESOLVED · ") && news.ends_with("(in thread 0)"), "{news}");
    assert_eq!((world.fake.messages()[0].text.as_str(), world.fake.messages()[0].edits), (first, 0), "others are open");
    world.assert_clean();
}

#[test]
fn each_severity_has_its_time_and_all_of_it_one_thread() {
    let world = World::new(&[CHAT], ROUTES);
    let mut channel = Channel { world: &world, seen: 0 };
    assert_eq!(world.scan().code, 0);
    assert_eq!(channel.news(), ["FIRST SCAN · all targets: nothing deviates from Git"]);

    world.later(5 * MINUTE);
    world.image("registry.test/api:debug", SOMEBODY);
    world.setting(1, "w", SOMEBODY);
    assert_eq!(world.scan().code, 1);
    let image =
        "CRITICAL · prod · shop/api: image not from Git · Git registry.test/api:1.8.2, live registry.test/api:debug";
    assert_eq!(channel.news(), [image]);
    world.later(5 * MINUTE);
    world.scan();
    let high = "HIGH · prod · shop/settings-01: k not from Git · Git v, live w (in thread 1, shown)";
    assert_eq!(channel.news(), [high], "two scans saw it");
    world.later(5 * MINUTE);
    world.scan();
    channel.nothing("all is told");

    world.later(5 * MINUTE);
    world.hide_live();
    world.scan();
    channel.nothing("nothing is known: nothing is over");
    world.later(5 * MINUTE);
    world.image("registry.test/api:1.8.2", GITOPS);
    world.scan();
    let over =
        "RESOLVED · after 20 min · prod · shop/api: image; others are still open · live equals Git again (in thread 1)";
    assert_eq!(channel.news(), [over]);
    assert_eq!((world.fake.messages()[1].text.as_str(), world.fake.messages()[1].edits), (image, 0));
    world.later(5 * MINUTE);
    world.setting(1, "v", GITOPS);
    assert_eq!(world.scan().code, 0);
    let over = "RESOLVED · after 25 min · prod · shop · live equals Git again";
    assert_eq!(channel.news(), [format!("{over} (in thread 1)")]);
    let parent = world.fake.messages()[1].clone();
    assert_eq!((parent.text.as_str(), parent.edits), (over, 1), "the parent says that it is over");
    assert!(shown(&parent).contains("`.data.k` resolved after 25 min: live equals Git again"), "{}", shown(&parent));

    world.later(5 * MINUTE);
    world.setting(1, "x", SOMEBODY);
    world.scan();
    channel.nothing("one scan saw it");
    world.later(5 * MINUTE);
    world.setting(1, "v", GITOPS);
    world.scan();
    channel.nothing("it was never told");
    world.assert_clean();
}

#[test]
fn what_is_behind_git_waits_and_says_then_what_git_has() {
    let world = World::new(&[CHAT], ROUTES);
    let mut channel = Channel { world: &world, seen: 0 };
    world.scan();
    channel.news();
    world.later(5 * MINUTE);
    world.declare("registry.test/api:1.9.0");
    let said = world.scan().json();
    assert_eq!((&said["findings"][0]["cause"], &said["findings"][0]["severity"]), (&"pending".into(), &"info".into()));
    for _ in 0..5 {
        world.later(10 * MINUTE);
        world.scan();
        channel.nothing("the hour is not over");
    }
    let said = world.scan().json();
    assert_eq!((&said["findings"][0]["cause"], &said["findings"][0]["severity"]), (&"behind".into(), &"medium".into()));
    world.later(10 * MINUTE);
    world.scan();
    let [news] = channel.news().try_into().expect("one message");
    assert!(news.starts_with("MEDIUM · prod · shop: 1 commit behind Git for 1 h"), "{news}");
    world.later(10 * MINUTE);
    world.image("registry.test/api:1.9.0", GITOPS);
    world.scan();
    let [news] = channel.news().try_into().expect("one message");
    assert!(news.starts_with("RESOLVED · ") && news.contains("live equals Git"), "{news}");
    // After the fact: it is Git that gives in.
    world.later(10 * MINUTE);
    world.image("registry.test/api:hotfix", SOMEBODY);
    world.scan();
    world.later(10 * MINUTE);
    world.declare("registry.test/api:hotfix");
    world.scan();
    let over = "RESOLVED · after 10 min · prod · shop · Git was changed to match live, after the fact";
    assert_eq!(channel.news()[1], format!("{over} (in thread 3)"));
    world.assert_clean();
}

#[test]
fn many_at_once_are_one_incident() {
    let world = World::new(&[CHAT], ROUTES);
    let mut channel = Channel { world: &world, seen: 0 };
    world.scan();
    channel.news();
    (0..24).for_each(|n| world.setting(n, "w", SOMEBODY));
    world.later(5 * MINUTE);
    world.scan();
    channel.nothing("one scan saw them");
    world.later(5 * MINUTE);
    world.scan();
    let [news] = channel.news().try_into().expect("one message");
    assert!(news.starts_with("HIGH · ") && news.contains("24 new"), "{news}");
    let all = shown(&world.fake.messages()[1]);
    assert_eq!(all.matches("ConfigMap shop/settings-").count(), 10, "the ten worst: {all}");
    assert!(all.contains("and 14 more"), "{all}");
    world.later(5 * MINUTE);
    world.scan();
    channel.nothing("it was told");
    world.assert_clean();
}

#[test]
fn a_gap_is_told_when_it_stands_and_when_it_is_over() {
    let world = World::new(&[CHAT], ROUTES);
    let mut channel = Channel { world: &world, seen: 0 };
    world.image("registry.test/api:debug", SOMEBODY);
    world.scan();
    channel.news();
    world.hide_live();
    for _ in 0..6 {
        world.later(5 * MINUTE);
        assert_eq!(world.scan().code, 1, "what was there may be there");
        channel.nothing("it may pass");
    }
    world.later(5 * MINUTE);
    world.scan();
    let [news] = channel.news().try_into().expect("one message");
    assert_eq!(news, "GAP · prod: everything in the cluster not seen for 30 min");
    world.later(5 * MINUTE);
    world.write_live();
    world.scan();
    let over = "GAPS OVER · after 35 min · prod";
    assert_eq!(channel.news(), [format!("{over} (in thread 1)")], "and the finding is still open");
    assert_eq!(world.fake.messages()[1].text, over);
    world.assert_clean();
}

#[test]
fn a_vanished_parent_is_posted_afresh() {
    let world = World::new(&[CHAT], ROUTES);
    let mut channel = Channel { world: &world, seen: 0 };
    world.scan();
    world.later(5 * MINUTE);
    world.image("registry.test/api:debug", SOMEBODY);
    world.scan();
    channel.news();
    let mut parent = 1;
    for refuse in [true, false] {
        world.fake.rules(|rules| rules.refuse_vanished = refuse);
        world.fake.delete(&world.fake.messages()[parent].ts);
        channel.seen = world.fake.messages().len();
        let mut change = |tag: &str| {
            world.later(5 * MINUTE);
            world.image(&format!("registry.test/api:{tag}-{refuse}"), SOMEBODY);
            world.scan();
            let [news] = channel.news().try_into().expect("one message");
            news
        };
        let news = change("one");
        assert!(news.contains("CRITICAL") && !news.contains("thread"), "{news}");
        parent = world.fake.messages().len() - 1;
        let news = change("two");
        assert!(news.contains("CRITICAL") && news.contains(&format!("(in thread {parent}")), "{news}");
    }
    world.assert_clean();
}
