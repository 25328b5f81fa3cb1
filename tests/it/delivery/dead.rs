//! Messages that a receiver refuses for good: who hears of it, and what can be done about it.

use super::world::{CHAT, HOOK_SIGNED, POST, World};
use crate::slack_fake::{HOOK, Next};

/// As cron runs it: no terminal, a table to stdout.
const CRON: &[&str] = &["scan", "-o", "table", "-o", "html=report.html"];

#[test]
fn a_dead_letter_goes_to_the_fallback_is_named_everywhere_and_is_put_back_or_given_up_by_a_person() {
    let routes = "routes:\n  - {name: rest, receivers: [chat, hook], fallback: post}\n";
    let world = World::new(&[CHAT, HOOK_SIGNED, POST], routes);
    // A private channel is not even known to who is not in it.
    world.fake.rules(|rules| (rules.channels[0].private, rules.channels[0].member) = (true, false));
    world.fake.next("hook", [Next::Status(410, "gone")]);
    let to_chat =
        "message 1 to chat: refused for good: chat.postMessage: Slack says channel_not_found; check `channel`: ";
    let to_hook = "message 2 to hook: refused for good: the webhook answers 410 Gone: gone; check the address";

    let said = world.run(CRON);
    assert_eq!(said.code, 4, "{}{}", said.out, said.err);
    let lines: Vec<&str> = said.err.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with(&format!("not delivered: {to_chat}")), "{}", said.err);
    assert_eq!(lines[1], format!("not delivered: {to_hook}"));
    assert!(!said.out.contains("Not delivered"), "it was not known yet: {}", said.out);
    let mails = world.mails();
    assert_eq!(mails.len(), 1, "two receivers refuse the same notice, one mail says it: {:?}", mails.keys());
    assert!(mails.values().all(|mail| mail.contains("FIRST SCAN") && mail.contains("all targets: nothing deviates")));

    for what in ["dead", "list"] {
        let listed = world.run(&["notify", what]);
        assert_eq!(listed.code, 4, "{}", listed.err);
        let numbers: Vec<&str> = listed.out.lines().filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(numbers, ["1", "", "2", ""], "each with its hint: {}", listed.out);
        assert!(listed.out.contains("to chat") && listed.out.contains("channel_not_found"), "{}", listed.out);
        assert!(listed.out.contains("to hook") && listed.out.contains("410 Gone"), "{}", listed.out);
    }
    let shown = world.run(&["notify", "show", "1"]);
    assert_eq!(shown.code, 0);
    let steps: Vec<&str> = shown.out.lines().skip(2).map(|line| line.split(" UTC ").nth(1).unwrap_or(line)).collect();
    assert!(shown.out.starts_with("Message 1: ") && steps.len() == 2, "{}", shown.out);
    assert!(steps[0] == "an attempt began" && steps[1].starts_with("refused for good: chat."), "{}", shown.out);

    // A dead message is not tried again by itself, however much time passes, and every run says that it is there.
    let asked = (world.fake.asked("chat.postMessage"), world.fake.asked("hook"));
    world.later(86_400);
    let said = world.run(CRON);
    assert_eq!((said.code, asked), (4, (world.fake.asked("chat.postMessage"), world.fake.asked("hook"))));
    assert_eq!(said.err.lines().count(), 2, "{}", said.err);
    let page = std::fs::read_to_string(world.work.borrow().path().join("report.html")).expect("a page");
    for text in [said.out.replace("\n", " "), page.replace("&#x27;", "'").replace("&#96;", "`")] {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("Not delivered"), "{text}");
        for one in ["UTC to chat: refused for good", "the webhook answers 410 Gone"] {
            assert!(words.contains(one), "{one}: {text}");
        }
    }
    for text in [&said.out, &said.err] {
        assert!(!text.contains('\u{1b}'), "no colour without a terminal: {text}");
    }
    let forgiving = world.run(&["scan", "--exit-zero"]);
    assert!(forgiving.code == 0 && forgiving.err.lines().count() == 2, "{}", forgiving.err);

    // Somebody lets the bot in, and gives the webhook up.
    world.fake.rules(|rules| rules.channels[0].member = true);
    let dropped = world.run(&["notify", "drop", "2", "--why", "the ticket system is no more"]);
    assert_eq!((dropped.code, dropped.out.as_str()), (0, "message 2 is given up\n"), "{}", dropped.err);
    assert!(world.run(&["notify", "show", "2"]).out.contains("given up: the ticket system is no more"));
    let retried = world.run(&["notify", "retry", "1"]);
    assert_eq!((retried.code, retried.out.as_str()), (0, "1 put back, 1 sent\n"), "{}", retried.err);
    assert_eq!((world.fake.messages().len(), world.fake.received(HOOK).len()), (1, 0));
    assert_eq!(world.run(&["notify", "list"]).out, "Every message was delivered or given up.\n");
    world.later(300);
    let said = world.run(CRON);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert!(!said.out.contains("Not delivered"), "{}", said.out);
    assert_eq!((world.fake.messages().len(), world.mails().len()), (1, 1));
    world.assert_clean();
}

#[test]
fn what_cannot_be_put_back_or_given_up_says_so() {
    let world = World::new(&[HOOK_SIGNED], "routes:\n  - {name: rest, receivers: [hook]}\n");
    world.fake.next("hook", [Next::Status(410, "")]);
    assert_eq!(world.scan().code, 4);
    for (args, part) in [
        (&["notify", "drop", "1"][..], "--why"),
        (&["notify", "drop", "1", "--why", " "], "given up for a reason"),
        (&["notify", "drop", "7", "--why", "x"], "7"),
        (&["notify", "retry", "7"], "7"),
        (&["notify", "show", "7"], "holds no message 7"),
    ] {
        let said = world.run(args);
        assert!(said.code == 2 && said.err.contains(part), "{args:?}: {} {}", said.code, said.err);
    }
    // Refused again, it is dead again.
    world.fake.next("hook", [Next::Status(410, "")]);
    let again = world.run(&["notify", "retry"]);
    assert!(
        again.code == 4 && again.out.starts_with("1 put back, 0 sent\nmessage 1 to hook: refused"),
        "{}",
        again.out
    );
    assert_eq!(world.run(&["notify", "retry"]).code, 0);
    let sent = world.run(&["notify", "retry", "1"]);
    assert!(sent.code == 2 && sent.err.contains("message 1"), "{}", sent.err);
    assert_eq!(world.run(&["notify", "drop", "1", "--why", "x"]).code, 2, "it was sent");
    world.assert_clean();
}

#[test]
fn a_secret_that_cannot_be_read_is_said_and_the_message_waits() {
    let world = World::new(&[CHAT, POST], "routes:\n  - {name: rest, receivers: [chat, post]}\n");
    let token = world.work.borrow().path().join("secrets/token");
    std::fs::remove_file(&token).expect("a file");
    let said = world.scan();
    assert_eq!(said.code, 4);
    assert!(
        said.err.starts_with("not delivered: message 1 to chat: not taken yet: the bot's token cannot be read from ")
    );
    assert_eq!(world.mails().len(), 1, "one receiver does not keep another from its message");
    world.file("secrets/token", "xoxb-another\n");
    world.later(300);
    let said = world.scan();
    assert!(said.code == 4 && said.err.contains("invalid_auth"), "{}", said.err);
    world.file("secrets/token", crate::slack_fake::BOT_TOKEN);
    assert_eq!(world.run(&["notify", "retry"]).code, 0);
    assert_eq!(world.fake.messages().len(), 1);
    world.assert_clean();
}
