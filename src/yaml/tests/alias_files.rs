//! Files with keys that appear twice, merges, anchors and aliases, and what `kubectl` makes of each
//! document: JSON, or `error`. Where `kubectl` stops at an error, the documents after it are what it
//! would read of them alone.

pub(super) const CASES: &[(&str, &str, &[&str])] = &[
    ("dup", "a: 1\na: 2\n", &[r#"{"a":2}"#]),
    (
        "dup nested",
        "a: {b: 1}\na: {c: 2}\n",
        &[r#"{"a":{"c":2}}"#],
    ),
    ("dup flow", "{a: 1, a: 2}", &[r#"{"a":2}"#]),
    (
        "merge",
        "b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\nd: {<<: *b, x: 9}\n",
        &[r#"{"b":{"true":2,"x":1},"c":{"x":3,"z":4},"d":{"true":2,"x":9}}"#],
    ),
    (
        "merge after",
        "b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\nd: {x: 9, <<: *b}\n",
        &[r#"{"b":{"true":2,"x":1},"c":{"x":3,"z":4},"d":{"true":2,"x":1}}"#],
    ),
    (
        "merge list",
        "b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\nd: {<<: [*b, *c]}\n",
        &[r#"{"b":{"true":2,"x":1},"c":{"x":3,"z":4},"d":{"true":2,"x":1,"z":4}}"#],
    ),
    (
        "merge list rev",
        "b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\nd: {<<: [*c, *b], y: 0}\n",
        &[r#"{"b":{"true":2,"x":1},"c":{"x":3,"z":4},"d":{"true":0,"x":3,"z":4}}"#],
    ),
    (
        "merge twice",
        "b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\nd: {<<: *b, <<: *c}\n",
        &[r#"{"b":{"true":2,"x":1},"c":{"x":3,"z":4},"d":{"true":2,"x":3,"z":4}}"#],
    ),
    (
        "merge inline",
        "b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\nd: {<<: {q: 1}}\n",
        &[r#"{"b":{"true":2,"x":1},"c":{"x":3,"z":4},"d":{"q":1}}"#],
    ),
    (
        "merge inline list",
        "b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\nd: {<<: [{q: 1}, *b]}\n",
        &[r#"{"b":{"true":2,"x":1},"c":{"x":3,"z":4},"d":{"q":1,"true":2,"x":1}}"#],
    ),
    (
        "merge scalar",
        "b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\nd: {<<: 1}\n",
        &["error"],
    ),
    (
        "merge null",
        "b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\nd: {<<: }\n",
        &["error"],
    ),
    (
        "merge list scalar",
        "b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\nd: {<<: [1]}\n",
        &["error"],
    ),
    (
        "merge empty list",
        "b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\nd: {<<: []}\n",
        &[r#"{"b":{"true":2,"x":1},"c":{"x":3,"z":4},"d":{}}"#],
    ),
    (
        "merge quoted",
        "b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\nd: {\"<<\": *b}\n",
        &[r#"{"b":{"true":2,"x":1},"c":{"x":3,"z":4},"d":{"<<":{"true":2,"x":1}}}"#],
    ),
    (
        "merge str",
        "b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\nd: {!!str <<: *b}\n",
        &[r#"{"b":{"true":2,"x":1},"c":{"x":3,"z":4},"d":{"<<":{"true":2,"x":1}}}"#],
    ),
    (
        "merge tag",
        "b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\nd: {!!merge <<: *b}\n",
        &[r#"{"b":{"true":2,"x":1},"c":{"x":3,"z":4},"d":{"true":2,"x":1}}"#],
    ),
    (
        "merge tag quoted",
        "b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\nd: {!!merge \"<<\": *b}\n",
        &[r#"{"b":{"true":2,"x":1},"c":{"x":3,"z":4},"d":{"true":2,"x":1}}"#],
    ),
    (
        "merge bang",
        "b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\nd: {! \"<<\": *b}\n",
        &[r#"{"b":{"true":2,"x":1},"c":{"x":3,"z":4},"d":{"true":2,"x":1}}"#],
    ),
    (
        "merge foo",
        "b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\nd: {!foo <<: *b}\n",
        &[r#"{"b":{"true":2,"x":1},"c":{"x":3,"z":4},"d":{"<<":{"true":2,"x":1}}}"#],
    ),
    (
        "merge seq alias",
        "b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\nl: &l [*b]\nd: {<<: *l}\n",
        &["error"],
    ),
    (
        "merge scalar alias",
        "b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\nl: &l 1\nd: {<<: *l}\n",
        &["error"],
    ),
    (
        "merge nested",
        "b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\ne: &e {<<: *b, k: 1}\nd: {<<: *e}\n",
        &[
            r#"{"b":{"true":2,"x":1},"c":{"x":3,"z":4},"d":{"k":1,"true":2,"x":1},"e":{"k":1,"true":2,"x":1}}"#,
        ],
    ),
    (
        "merge block",
        "b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\nd:\n  <<: *b\n  <<:\n  - *c\n\n",
        &[r#"{"b":{"true":2,"x":1},"c":{"x":3,"z":4},"d":{"true":2,"x":3,"z":4}}"#],
    ),
    (
        "merge value",
        "b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\nd: <<\n",
        &[r#"{"b":{"true":2,"x":1},"c":{"x":3,"z":4},"d":"<<"}"#],
    ),
    (
        "merge list item",
        "b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\nd: [<<]\n",
        &[r#"{"b":{"true":2,"x":1},"c":{"x":3,"z":4},"d":["<<"]}"#],
    ),
    (
        "merge key alias",
        "b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\nl: &l <<\nd: {*l : *b}\n",
        &[r#"{"b":{"true":2,"x":1},"c":{"x":3,"z":4},"d":{"<<":{"true":2,"x":1}},"l":"<<"}"#],
    ),
    (
        "merge nested list",
        "b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\nd: {<<: [[*b]]}\n",
        &["error"],
    ),
    (
        "merge set",
        "b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\nd: {<<: &n {x: .5}}\n",
        &[r#"{"b":{"true":2,"x":1},"c":{"x":3,"z":4},"d":{"x":0.5}}"#],
    ),
    (
        "merge root",
        "b: &b {x: 1, y: 2}\nc: &c {x: 3, z: 4}\n<<: *b\nx: 0\n",
        &[r#"{"b":{"true":2,"x":1},"c":{"x":3,"z":4},"true":2,"x":0}"#],
    ),
    ("alias", "a: &x 1\nb: *x\n", &[r#"{"a":1,"b":1}"#]),
    ("alias undefined", "a: *x\n", &["error"]),
    ("alias later", "a: *x\nb: &x 1\n", &["error"]),
    ("alias self", "a: &x [*x]\n", &["error"]),
    ("alias self map", "&x a: *x\n", &[r#"{"a":"a"}"#]),
    ("alias self map2", "a: &x {b: *x}\n", &["error"]),
    (
        "alias redefine",
        "a: &x 1\nb: &x 2\nc: *x\n",
        &[r#"{"a":1,"b":2,"c":2}"#],
    ),
    ("alias redefine inner", "a: &x 1\nb: &x [*x]\n", &["error"]),
    ("alias key", "a: &x k\n*x : v\n", &[r#"{"a":"k","k":"v"}"#]),
    (
        "alias key num",
        "a: &x 1e6\n*x : v\n",
        &[r#"{"1e+06":"v","a":1000000}"#],
    ),
    ("alias key map", "a: &x {}\n? *x\n: v\n", &["error"]),
    ("alias key null", "a: &x\n? *x\n: v\n", &["error"]),
    ("anchor null", "a: &x\nb: *x\n", &[r#"{"a":null,"b":null}"#]),
    ("anchor only", "a: &x", &[r#"{"a":null}"#]),
    (
        "anchor tag",
        "a: &x !!str 1\nb: *x\n",
        &[r#"{"a":"1","b":"1"}"#],
    ),
    (
        "tag anchor",
        "a: !!str &x 1\nb: *x\n",
        &[r#"{"a":"1","b":"1"}"#],
    ),
    (
        "anchor dash",
        "a: &x-y_1 1\nb: *x-y_1\n",
        &[r#"{"a":1,"b":1}"#],
    ),
    ("anchor dot", "a: &x.y 1\nb: *x.y\n", &["error"]),
    ("anchor unicode", "a: &é 1\nb: *é\n", &["error"]),
    (
        "anchor block",
        "a: &x\n  b: 1\nc: *x\n",
        &[r#"{"a":{"b":1},"c":{"b":1}}"#],
    ),
    (
        "anchor seq",
        "a: &x\n- 1\nb: *x\n",
        &[r#"{"a":[1],"b":[1]}"#],
    ),
    (
        "anchor indented seq",
        "a:\n  - &x {b: 1}\n  - *x\n",
        &[r#"{"a":[{"b":1},{"b":1}]}"#],
    ),
    ("two anchors", "a: &x &y 1\n", &["error"]),
    ("anchor alias", "a: &x *y\n", &["error"]),
    (
        "alias in flow",
        "a: &x 1\nb: [*x, *x]\nc: {k: *x}\n",
        &[r#"{"a":1,"b":[1,1],"c":{"k":1}}"#],
    ),
    (
        "alias flow adj",
        "a: &x 1\nb: [*x,*x]\nc: {k: *x}\n",
        &[r#"{"a":1,"b":[1,1],"c":{"k":1}}"#],
    ),
    ("anchor key", "&k a: 1\nb: *k\n", &[r#"{"a":1,"b":"a"}"#]),
    ("root anchor", "&r\na: 1\n", &[r#"{"a":1}"#]),
    (
        "root anchor inline",
        "&r a: 1\nb: 2\n",
        &[r#"{"a":1,"b":2}"#],
    ),
    ("alias inf key", "? &x .inf\n: 1\nb: *x\n", &["error"]),
    ("anchor empty name", "a: & 1\n", &["error"]),
    (
        "alias nested copy",
        "a: &x {b: &y [1]}\nc: *x\nd: *y\n",
        &[r#"{"a":{"b":[1]},"c":{"b":[1]},"d":[1]}"#],
    ),
    ("two", "a: 1\n---\nb: 2\n", &[r#"{"a":1}"#, r#"{"b":2}"#]),
    (
        "two no nl",
        "a: 1\n---\nb: 2",
        &[r#"{"a":1}"#, r#"{"b":2}"#],
    ),
    ("two colons", "a: : b\n", &["error"]),
    ("root flow", "[a, b]\n", &[r#"["a","b"]"#]),
    ("root quoted", "\"a\"\n", &[r#""a""#]),
    ("root literal", "|\n a\n", &[r#""a\n""#]),
];
