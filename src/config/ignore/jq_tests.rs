//! What expressions name, and what is refused or given up.

use serde_json::json;

use super::*;

fn names(text: &str, object: &Value) -> Vec<String> {
    match JqPath::parse(text).unwrap_or_else(|e| panic!("{text}: {e}")).run(object) {
        JqOutcome::Places(places) | JqOutcome::Failed(places, _) => places.iter().map(|p| written(p)).collect(),
        JqOutcome::TooLong => vec!["too long".to_owned()],
    }
}

fn written(place: &[PlainStep]) -> String {
    let step = |step: &PlainStep| match step {
        PlainStep::Field(name) => format!("/{name}"),
        PlainStep::Index(index) => format!("/{index}"),
    };
    place.iter().map(step).collect()
}

#[test]
fn names_places_as_jq_does() {
    let object = json!({
        "metadata": {"annotations": {"a.b/c": "1", "other": "2"}},
        "spec": {"replicas": 3, "containers": [
            {"name": "api", "image": "a:1", "env": [{"name": "A", "value": "x"}]},
            {"name": "istio-proxy", "image": "b:1"},
        ]},
        "webhooks": [{"clientConfig": {"caBundle": "QQ=="}}, {"clientConfig": {}}],
    });
    for (text, places) in [
        (".spec.replicas", vec!["/spec/replicas"]),
        (".metadata.annotations[\"a.b/c\"]", vec!["/metadata/annotations/a.b/c"]),
        (".spec.containers[] | select(.name == \"istio-proxy\")", vec!["/spec/containers/1"]),
        (".spec.containers[] | select(.name | startswith(\"istio\")).image", vec!["/spec/containers/1/image"]),
        (".spec.containers[] | select(.name | test(\"^is.*y$\")) | .image", vec!["/spec/containers/1/image"]),
        (".spec.containers[].env[]? | select(.name == \"A\").value", vec!["/spec/containers/0/env/0/value"]),
        (".spec.containers[] | select([.env[]?.name] | index(\"A\") | not) | .name", vec!["/spec/containers/1/name"]),
        (
            ".webhooks[]?.clientConfig.caBundle",
            vec!["/webhooks/0/clientConfig/caBundle", "/webhooks/1/clientConfig/caBundle"],
        ),
        (".. | .caBundle? | strings", vec!["/webhooks/0/clientConfig/caBundle"]),
        (".spec.containers[(.spec.containers|length)-1]", vec!["/spec/containers/1"]),
        (".spec | if .replicas > 2 then .replicas else empty end", vec!["/spec/replicas"]),
        (".spec.containers as $c | .spec.replicas | select($c | length == 2)", vec!["/spec/replicas"]),
        ("getpath([\"spec\", \"replicas\"])", vec!["/spec/replicas"]),
        (".spec.containers[-1].image", vec!["/spec/containers/1/image"]),
        (".spec.containers[-9].image", vec![]),
        (".spec.containers[0:1]", vec![]),
        (".nothing.here", vec!["/nothing/here"]),
        (".spec.replicas[]", vec![]),
    ] {
        assert_eq!(names(text, &object), places, "{text}");
    }
}

#[test]
fn what_may_never_end_is_refused() {
    for text in [
        "def f: f; f",
        "repeat(.)",
        "until(false; .)",
        "recurse(.)",
        "while(true; .)",
        "range(1e18)",
        "reduce .[] as $x (0; .)",
        "foreach .[] as $x (0; .)",
        ".a = 1",
        ".a |= empty",
        "input",
        "env",
        "$ENV",
        "halt",
        ". * 1000000000",
        ". + .",
        "{a: .}",
        "\"\\(.)\"",
        "[.,.]|[.,.]|[.,.]|[.,.]",
        "label $x | break $x",
        "walk(.)",
        "del(.a)",
        "debug",
        ".spec.",
        ".a |",
        "",
        "select(",
    ] {
        assert!(JqPath::parse(text).is_err(), "{text}");
    }
    assert!(matches!(JqPath::parse(&format!("{}.a", ".a|".repeat(200))), Err(JqError::Limit(_))));
    assert!(JqPath::parse(&format!("{}.a", "-".repeat(500))).is_err());
    assert!(JqPath::parse(&"(".repeat(500)).is_err());
    assert_eq!(
        JqPath::parse("until(false; .)").unwrap_err().to_string(),
        "`until` cannot be used here: only what names places and surely ends can"
    );
}

#[test]
fn what_takes_too_many_steps_is_given_up() {
    let wide = json!({"a": vec![json!([1, 2, 3]); 1_000]});
    for text in [
        "..|..|..|..",
        "(..|..|..|..)?",
        "first(..|..|..|select(. == 7))",
        "select([..|..|..|..?] | length > 0)",
        "select([.a[],.a[]] | map(.[],.[]) | map(.,.,.,.) | length > 0)",
    ] {
        assert_eq!(names(text, &wide), ["too long"], "{text}");
    }
}

#[test]
fn the_deepest_expressions_run_on_a_small_stack() {
    let object = json!({"a": {"a": 1}});
    let deep = [
        format!("{}.", ".|".repeat(38)),
        format!("{}.a{}", "first(".repeat(18), ")".repeat(18)),
        format!("{}.a", "if . then . else . end | ".repeat(19)),
        format!("{}.a{}", "try (".repeat(18), ")".repeat(18)),
    ];
    let run = move || {
        for text in &deep {
            assert_eq!(names(text, &object).len(), 1, "{text}");
        }
    };
    std::thread::Builder::new().stack_size(1 << 20).spawn(run).unwrap().join().unwrap();
}

#[test]
fn large_regular_expressions_are_an_error_and_not_a_burden() {
    let outcome = JqPath::parse(".a | select(test(\"(((a{100}){100}){100}){100}\"))").unwrap().run(&json!({"a": "x"}));
    assert!(
        matches!(outcome, JqOutcome::Failed(places, error) if places.is_empty() && error.contains("invalid regex"))
    );
}
