//! The program is killed a hundred times while it sends, at moments that chance picks: nothing is lost, and what comes twice says so.

use std::time::Duration;

use driftledger::model::outbox::{DeliveryEvent, MessageStory};

use super::world::{CHAT, HOOK_SIGNED, World};
use crate::slack_fake::{HOOK, Trap, Victim, When};

/// Each with a world of its own, side by side.
const WORLDS: u64 = 4;
const KILLS: usize = 25;

/// What chance picks from; the same for the same seed (Knuth's MMIX generator).
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }

    /// Around a request, or at any time of a run.
    fn kill(&mut self, world: &World) -> bool {
        let victim = Victim::default();
        let when = match self.below(4) {
            0 => Some(When::Asked),
            1 => Some(When::Done),
            2 => Some(When::Answered(Duration::from_millis(self.below(40)))),
            _ => None,
        };
        match when {
            Some(when) => {
                let before = usize::try_from(self.below(3)).expect("small");
                world.fake.trap(Some(Trap { before, when, victim: victim.clone() }));
            }
            None => {
                let (after, victim) = (Duration::from_millis(self.below(600)), victim.clone());
                std::thread::spawn(move || {
                    std::thread::sleep(after);
                    victim.kill();
                });
            }
        }
        let said = world.run_and_kill(&["scan"], &victim);
        world.fake.trap(None);
        said.code == -1
    }
}

fn play(seed: u64) {
    let mut chance = Chance(seed);
    let routes = "routes:\n  - {name: rest, receivers: [chat, hook]}\n";
    let world = World::new(&[CHAT, HOOK_SIGNED], routes);
    world.scan();
    let mut kills = 0;
    for round in 0.. {
        assert!(round < KILLS * 4, "seed {seed}: {kills} kills in {round} rounds");
        // Critical each time, and another value: something is to be told by each scan.
        world.image(&format!("registry.test/api:debug-{round}"), "kubectl-edit");
        // All of it within a day: what waits for longer becomes one message.
        world.later(600);
        kills += usize::from(chance.kill(&world));
        if kills == KILLS {
            break;
        }
    }
    for _ in 0..4 {
        world.later(7_200);
        world.run(&["notify", "retry"]);
        world.scan();
    }
    assert!(world.outbox().is_empty(), "seed {seed}: {:?}", world.outbox());

    let posted = world.fake.messages();
    let hooked: Vec<(String, bool)> = (world.fake.received(HOOK).iter())
        .map(|request| {
            let says: serde_json::Value = serde_json::from_slice(&request.body).expect("JSON");
            (request.headers["x-driftledger-key"].clone(), says["repeat"] == true)
        })
        .collect();
    for (n, story) in world.stories().iter().enumerate() {
        let MessageStory { plan, steps, .. } = story;
        let context = || format!("seed {seed}, message {}: {steps:?}", n + 1);
        let sent = steps.iter().position(|step| matches!(step.event, DeliveryEvent::Sent(_)));
        assert_eq!(sent, steps.len().checked_sub(1), "{}: it is sent, and left alone from then on", context());
        let of_chat = posted.iter().filter(|message| message.key.as_deref() == Some(&plan.key)).count();
        let of_hook: Vec<bool> = hooked.iter().filter(|(key, _)| *key == plan.key).map(|(_, again)| *again).collect();
        if of_hook.is_empty() {
            assert_eq!(of_chat, 1, "{}: Slack can be asked", context());
        } else {
            assert_eq!(of_chat, 0, "{}", context());
            let attempts = steps.iter().filter(|step| step.event == DeliveryEvent::Begun).count();
            assert!(of_hook.len() <= attempts, "{}", context());
            assert!(of_hook[1..].iter().all(|again| *again), "{}: what may be a copy says so", context());
        }
    }
    world.assert_clean();
}

#[test]
fn a_hundred_kills_lose_nothing_and_double_nothing_without_a_word() {
    let seed = std::env::var("DRIFTLEDGER_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_125);
    std::thread::scope(|scope| {
        for n in 0..WORLDS {
            scope.spawn(move || play(seed + n));
        }
    });
}
