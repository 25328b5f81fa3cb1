//! Places, notes and how to look into a tree.

use crate::yaml::{Document, ErrorKind, Limits, NoteKind, Place, Value, read_documents};

fn only(text: &str) -> Document {
    let mut read = read_documents(text, &Limits::default());
    assert_eq!(read.len(), 1);
    read.remove(0).expect("the text is read")
}

fn place(line: u32, column: u32) -> Place {
    Place { line, column }
}

#[test]
fn every_node_knows_its_place() {
    let document = only("# c\nkind: X\nspec:\n  ports:\n  - name: é\n    ip: !!str &a \"1\"\n  é: [x, *a]\n");
    let root = &document.root;
    assert_eq!(document.place, place(2, 1));
    assert_eq!(root.at(&["kind"]).map(|node| node.place), Some(place(2, 7)));
    let ports = root.at(&["spec", "ports"]).expect("ports");
    assert_eq!(ports.place, place(5, 3));
    let port = &ports.as_seq().expect("a list")[0];
    assert_eq!(port.place, place(5, 5));
    assert_eq!(port.entry("ip").map(|entry| entry.key_place), Some(place(6, 5)));
    assert_eq!(port.get("ip").map(|node| node.place), Some(place(6, 18)));
    let list = root.at(&["spec", "é"]).expect("the list");
    assert_eq!(list.place, place(7, 6));
    let items = list.as_seq().expect("a list");
    assert_eq!(items[0].place, place(7, 7));
    assert_eq!(items[1].place, place(6, 18), "an alias keeps the place of the text");
}

#[test]
fn places_count_on_through_the_documents_of_a_file() {
    for text in
        ["\u{feff}a: 1\n---\n# c\nb: [\n---\r\nc:\r\n  d: 2", "\u{feff}{\"a\": 1}\n---\n# c\nb: [\n---\r\nc:\r\n  d: 2"]
    {
        let read = read_documents(text, &Limits::default());
        let error = read[1].as_ref().expect_err("the second is broken");
        assert!((4..=5).contains(&error.place.line), "{error}");
        let third = read[2].as_ref().expect("the third is read");
        assert_eq!(third.place, place(6, 1));
        let number = third.root.at(&["c", "d"]).expect("c.d");
        assert_eq!((number.place, number.as_i64()), (place(7, 6), Some(2)));
    }
}

#[test]
fn json_nodes_know_their_places() {
    let document = only("\n{ \"é\": [true,\n 1.5]}");
    assert_eq!(document.place, place(2, 1));
    let entry = document.root.entry("é").expect("the key");
    assert_eq!((entry.key_place, entry.value.place), (place(2, 3), place(2, 8)));
    let items = entry.value.as_seq().expect("a list");
    assert_eq!((items[0].place, items[1].place), (place(2, 9), place(3, 2)));
    assert_eq!((items[0].as_bool(), items[1].as_f64()), (Some(true), Some(1.5)));
}

#[test]
fn a_later_key_replaces_an_earlier_one_and_is_noted() {
    for text in ["a: 1\nb: {c: 2}\na: 3\n", "{\"a\": 1,\n\"b\": {\"c\": 2},\n\"a\": 3}"] {
        let document = only(text);
        assert_eq!(document.root.get("a").and_then(|node| node.as_i64()), Some(3));
        assert_eq!(document.root.as_map().map(<[_]>::len), Some(2));
        let [note] = document.notes.as_slice() else {
            panic!("one note, not {:?}", document.notes);
        };
        assert_eq!(note.place, place(3, 1));
        let NoteKind::DuplicateKey { key, first } = &note.kind else {
            panic!("not {:?}", note.kind);
        };
        assert_eq!((key.as_str(), first.line), ("a", 1));
    }
}

#[test]
fn many_keys_are_told_apart() {
    let text: String = (0..200).map(|at| format!("k{}: {at}\n", at % 100)).collect();
    let document = only(&text);
    assert_eq!(document.notes.len(), 100);
    assert_eq!(document.root.as_map().map(<[_]>::len), Some(100));
    assert_eq!(document.root.get("k7").and_then(|node| node.as_i64()), Some(107));
}

#[test]
fn merged_keys_are_not_duplicates() {
    let document = only("m: &m {a: 1}\nmore:\n  <<: *m\n  a: 2\n");
    assert!(document.notes.is_empty());
    let merged = document.root.at(&["more", "a"]).and_then(|node| node.as_i64());
    assert_eq!(merged, Some(2));
}

#[test]
fn text_after_the_end_mark_is_noted() {
    let document = only("a: 1\n...\nb: 2\n");
    assert_eq!(document.notes.len(), 1);
    assert_eq!(document.notes[0].kind, NoteKind::IgnoredText);
}

#[test]
fn whole_floats_are_whole_numbers_and_large_ones_are_not() {
    let document = only("a: 1.0\nb: 9223372036854775808\nc: 1e3\nd: 18446744073709551615\n");
    let value = |key| document.root.get(key).map(|node| node.value.clone());
    assert_eq!(value("a"), Some(Value::Int(1)));
    assert_eq!(value("b"), Some(Value::Float(9_223_372_036_854_775_808.0)));
    assert_eq!(value("c"), Some(Value::Int(1000)));
    assert_eq!(value("d"), Some(Value::Float(18_446_744_073_709_551_615.0)));
}

#[test]
fn errors_say_what_is_wrong_and_not_what_is_there() {
    for (text, kind) in [
        ("a: *secret\n", ErrorKind::UnknownAlias),
        ("a: .inf\n", ErrorKind::NotFinite),
        ("a: !!int secret\n", ErrorKind::Tag),
        ("a: !!binary secret!\n", ErrorKind::Base64),
        ("~: secret\n", ErrorKind::NullKey),
        ("[secret]: 1\n", ErrorKind::ComplexKey),
        ("18446744073709551615: secret\n", ErrorKind::LargeKey),
        ("<<: secret\n", ErrorKind::Merge),
        ("a: 1\n--- secret\n", ErrorKind::Separator),
        ("a: secret\u{7f}\n", ErrorKind::ControlCharacter),
        ("{\"secret\": 1e999}", ErrorKind::NumberRange),
    ] {
        let read = read_documents(text, &Limits::default());
        let error = read.iter().find_map(|read| read.as_ref().err());
        let error = error.expect("an error");
        assert_eq!(error.kind, kind, "{text:?}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    let read = read_documents("a: @secret\n", &Limits::default());
    let error = read[0].as_ref().expect_err("an error").to_string();
    assert!(!error.contains('@'), "{error}");
}
