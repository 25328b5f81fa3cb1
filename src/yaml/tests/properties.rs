//! Texts nobody wrote by hand.

use proptest::prelude::*;
use serde_json::Value as Json;

use crate::yaml::{Limits, Node, Place, Value, read_documents, to_json};

/// JSON as manifests hold it; whole floats are left out because they are read as whole numbers.
fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_filter("has a fraction", |number| number.fract() != 0.0).prop_map(Json::from),
        any::<String>().prop_map(Json::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from), object(inner),]
    })
}

fn object(inner: impl Strategy<Value = Json>) -> impl Strategy<Value = Json> {
    prop::collection::btree_map(any::<String>(), inner, 0..6).prop_map(|map| map.into_iter().collect::<Json>())
}

/// Pieces that mean something to one of the readers.
fn yaml_like() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "b: ",
        "- ",
        "? ",
        ": ",
        "\n",
        "\n  ",
        "[",
        "]",
        "{",
        "}",
        ",",
        "\"",
        "'",
        "|\n",
        ">-\n",
        "&x ",
        "*x",
        "<<: ",
        "!!int ",
        "!!binary ",
        "---\n",
        "...\n",
        "%YAML 1.1\n",
        "\t",
        "#",
        "é",
        "\u{2028}",
        "\u{feff}",
        "\r\n",
        "1_0",
        ".inf",
        "\\u",
        "\0",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn places(node: &Node, found: &mut Vec<Place>) {
    found.push(node.place);
    match &node.value {
        Value::Seq(items) => items.iter().for_each(|item| places(item, found)),
        Value::Map(entries) => {
            for entry in entries {
                found.push(entry.key_place);
                places(&entry.value, found);
            }
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = read_documents(&text, &Limits::default());
    }

    #[test]
    fn places_lie_in_the_file(text in yaml_like()) {
        // One more for the line break that is added at the end.
        let lines = text.split(['\n', '\r']).count() + 1;
        for read in read_documents(&text, &Limits::default()) {
            let mut found = Vec::new();
            match read {
                Ok(document) => places(&document.root, &mut found),
                Err(error) => found.push(error.place),
            }
            for place in found {
                prop_assert!(place.line >= 1 && place.column >= 1);
                prop_assert!(usize::try_from(place.line).is_ok_and(|line| line <= lines));
            }
        }
    }

    #[test]
    fn json_is_read_as_serde_json_reads_it(
        values in prop::collection::vec(object(json()), 1..4),
        pretty in any::<bool>(),
    ) {
        let text: Vec<_> = values
            .iter()
            .map(|value| if pretty { format!("{value:#}") } else { value.to_string() })
            .collect();
        let read: Vec<_> = read_documents(&text.join("\n"), &Limits::default())
            .into_iter()
            .map(|read| read.map(|document| to_json(&document.root)))
            .collect();
        let expected: Vec<_> = values.into_iter().map(Ok).collect();
        prop_assert_eq!(read, expected);
    }
}
