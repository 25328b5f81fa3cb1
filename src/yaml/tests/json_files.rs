//! Files of JSON, or of JSON and YAML, and what `kubectl` makes of each
//! document: JSON, or `error`. Where `kubectl` stops at an error, the documents after it are what it
//! would read of them alone.

pub(super) const CASES: &[(&str, &str, &[&str])] = &[
    ("bom", "\u{feff}a: 1\n", &[r#"{"a":1}"#]),
    ("bom json", "\u{feff}{\"a\": 1}", &[r#"{"a":1}"#]),
    ("bom bom", "\u{feff}\u{feff}a: 1\n", &[r#"{"a":1}"#]),
    (
        "bom later",
        "a: 1\n---\n\u{feff}b: 1\n",
        &[r#"{"a":1}"#, r#"{"b":1}"#],
    ),
    (
        "bom in value",
        "a: x\u{feff}y\n",
        &["{\"a\":\"x\u{feff}y\"}"],
    ),
    ("json yaml", "{a: 1}", &[r#"{"a":1}"#]),
    (
        "json yaml2",
        "{a: 1}\n---\n{b: 2}\n",
        &[r#"{"a":1}"#, r#"{"b":2}"#],
    ),
    (
        "json yaml mixed",
        "{\"a\": 1}\n---\nb: 2\n",
        &[r#"{"a":1}"#, r#"{"b":2}"#],
    ),
    ("json", r#"{"a": 1}"#, &[r#"{"a":1}"#]),
    (
        "json two",
        r#"{"a": 1}{"b": 2}"#,
        &[r#"{"a":1}"#, r#"{"b":2}"#],
    ),
    (
        "json two nl",
        "{\"a\": 1}\n{\"b\": 2}\n",
        &[r#"{"a":1}"#, r#"{"b":2}"#],
    ),
    (
        "json three sep",
        "{\"a\": 1}\n---\n{\"b\": 2}\n---\n{\"c\": 3}\n",
        &[r#"{"a":1}"#, r#"{"b":2}"#, r#"{"c":3}"#],
    ),
    (
        "json two sep",
        "{\"a\": 1}{\"b\": 2}\n---\n{\"c\": 3}\n",
        &[r#"{"a":1}"#, r#"{"b":2}"#, "error"],
    ),
    (
        "json garbage",
        "{\"a\": 1}garbage\n",
        &[r#"{"a":1}"#, r#""garbage""#],
    ),
    (
        "json garbage2",
        "{\"a\": 1} x: y\n",
        &[r#"{"a":1}"#, r#"{"x":true}"#],
    ),
    (
        "json garbage3",
        "{\"a\": 1}{\"b\":2} x: y\n",
        &[r#"{"a":1}"#, r#"{"b":2}"#, "error"],
    ),
    (
        "json null",
        r#"{"a": 1}null{"b": 2}"#,
        &[r#"{"a":1}"#, r#"{"b":2}"#],
    ),
    ("json array", r#"{"a": 1}[1]"#, &[r#"{"a":1}"#, "[1]"]),
    (
        "json num",
        r#"{"a": [1, 1.0, -0, -0.0, 1e3, 1e20, 1e21, 9223372036854775807, 9223372036854775808, 0.1, 1E-7, 9223372036854775000.0]}"#,
        &[
            r#"{"a":[1,1,0,0,1000,100000000000000000000,1e+21,9223372036854775807,9223372036854776000,0.1,1e-07,9223372036854775000]}"#,
        ],
    ),
    ("json big", r#"{"a": 1e400}"#, &["error"]),
    (
        "json big two",
        r#"{"a": 1e400}{"b": 1}"#,
        &["error", r#"{"b":1}"#],
    ),
    ("json dup", r#"{"a": 1, "a": 2}"#, &[r#"{"a":2}"#]),
    (
        "json esc",
        r#"{"a": "\u00e9\ud83d\ude00\/\b\f\n\r\t\"\\"}"#,
        &[r#"{"a":"é😀/\b\f\n\r\t\"\\"}"#],
    ),
    (
        "json lone",
        r#"{"a": "\ud83dx\ude00\ud83d\u0041"}"#,
        &[r#"{"a":"�x��A"}"#],
    ),
    ("json ctl", "{\"a\": \"x\ty\"}", &[r#"{"a":"x\ty"}"#]),
    ("json trailing comma", r#"{"a": 1,}"#, &[r#"{"a":1}"#]),
    ("json lead zero", r#"{"a": 01}"#, &[r#"{"a":1}"#]),
    ("json plus", r#"{"a": +1}"#, &[r#"{"a":1}"#]),
    ("json dot", r#"{"a": .5}"#, &[r#"{"a":0.5}"#]),
    ("json dot2", r#"{"a": 1.}"#, &[r#"{"a":1}"#]),
    ("json yes", r#"{"a": yes}"#, &[r#"{"a":true}"#]),
    ("json comment", "# c\n{\"a\": 1}", &[r#"{"a":1}"#]),
    ("json seq", r#"[{"a": "\/"}]"#, &["error"]),
    ("json nbsp", "{\"a\":\u{a0}1}", &["{\"a\":\"\u{a0}1\"}"]),
    ("json del", "{\"a\": \"\u{7f}\"}", &["{\"a\":\"\u{7f}\"}"]),
    (
        "json ls",
        "{\"a\": \"x\u{2028}y\"}",
        &["{\"a\":\"x\u{2028}y\"}"],
    ),
    ("json literal nl", "{\"a\": \"x\ny\"}", &[r#"{"a":"x y"}"#]),
    (
        "json pretty",
        "\n\n  {\n  \"a\" : 1\n}\n\n",
        &[r#"{"a":1}"#],
    ),
    ("json vt", "\u{b}{\"a\": 1}", &[r#"{"a":1}"#]),
    (
        "json true",
        r#"{"a": true, "b": false, "c": null}"#,
        &[r#"{"a":true,"b":false,"c":null}"#],
    ),
    ("json unclosed", r#"{"a": 1"#, &["error"]),
    (
        "json unclosed2",
        "{\"a\": 1}\n{\"b\": ",
        &[r#"{"a":1}"#, "error"],
    ),
    ("json empty obj", "{}", &["{}"]),
    ("json empty key", r#"{"": 1}"#, &[r#"{"":1}"#]),
    ("json bad word", r#"{"a": nul}"#, &[r#"{"a":"nul"}"#]),
    ("json sep first", "---\n{\"a\": 1}\n", &[r#"{"a":1}"#]),
    (
        "json crlf",
        "{\"a\": 1}\r\n---\r\n{\"b\": 2}\r\n",
        &[r#"{"a":1}"#, r#"{"b":2}"#],
    ),
    ("json tab", "{\t\"a\":\t1}", &[r#"{"a":1}"#]),
    ("yaml json tab", "a:\n{\t\"a\":\t1}\n", &["error"]),
];
