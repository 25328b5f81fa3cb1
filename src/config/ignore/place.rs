//! Places in objects, as rules write them: JSON pointers and field paths.

use serde_json::Value;

use crate::model::field_path::{FieldPath, FieldPathError, Step};

/// A pattern of places; it covers what is below them, too.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacePattern(pub Vec<PatternStep>);

/// One step of a pattern.
#[derive(Clone, Debug, PartialEq)]
pub enum PatternStep {
    /// Any field or element.
    Any,
    /// A field; in a list, the element at that position.
    Token(String),
    /// A field.
    Field(String),
    /// The elements that have these values at these keys.
    Key(Vec<(String, Value)>),
    /// The elements that equal this.
    Item(Value),
    /// The element at this position.
    Index(usize),
}

/// A text that is no JSON pointer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no JSON pointer: {0}")]
pub struct PointerError(&'static str);

impl PlacePattern {
    /// Reads a JSON pointer as RFC 6901 writes it; the token `*` stands for any one key or position.
    ///
    /// # Errors
    /// It does not begin with `/`, or a `~` is neither `~0` nor `~1`.
    pub fn pointer(text: &str) -> Result<Self, PointerError> {
        let Some(rest) = text.strip_prefix('/') else {
            return Err(PointerError("it begins with `/`, as `/spec/replicas`"));
        };
        let token = |token: &str| {
            let strange = token.split('~').skip(1).any(|after| !after.starts_with(['0', '1']));
            match token {
                _ if strange => Err(PointerError("`~` is written `~0`, and `/` inside a key `~1`")),
                "*" => Ok(PatternStep::Any),
                _ => Ok(PatternStep::Token(token.replace("~1", "/").replace("~0", "~"))),
            }
        };
        rest.split('/').map(token).collect::<Result<_, _>>().map(Self)
    }

    /// Reads a field path; the step `["*"]` stands for any field or element.
    ///
    /// # Errors
    /// Says where the text stops being a path.
    pub fn field_path(text: &str) -> Result<Self, FieldPathError> {
        let path = FieldPath::parse(text)?;
        let steps = path.steps().iter().map(|step| match step {
            Step::Field(name) if name == "*" => PatternStep::Any,
            Step::Field(name) => PatternStep::Field(name.clone()),
            Step::Key(keys) => PatternStep::Key(keys.clone()),
            Step::Item(value) => PatternStep::Item(value.clone()),
            Step::Index(index) => PatternStep::Index(*index),
        });
        Ok(Self(steps.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<String> {
        let step = |step: PatternStep| match step {
            PatternStep::Any => "ANY".to_owned(),
            PatternStep::Token(token) => token,
            other => panic!("{other:?}"),
        };
        PlacePattern::pointer(text).unwrap().0.into_iter().map(step).collect()
    }

    #[test]
    fn pointers_are_read_with_their_escapes() {
        for (text, expected) in [
            ("/spec/replicas", vec!["spec", "replicas"]),
            ("/metadata/annotations/a.b~1c", vec!["metadata", "annotations", "a.b/c"]),
            ("/data/~0~1x", vec!["data", "~/x"]),
            ("/data/~01", vec!["data", "~1"]),
            ("/webhooks/*/clientConfig/caBundle", vec!["webhooks", "ANY", "clientConfig", "caBundle"]),
            ("/data/", vec!["data", ""]),
        ] {
            assert_eq!(tokens(text), expected, "{text}");
        }
        for bad in ["", "spec", ".spec.replicas", "/a/~", "/a/~2", "/a~b"] {
            assert!(PlacePattern::pointer(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_star_in_a_field_path_is_any_step() {
        let pattern = PlacePattern::field_path(r#".spec.containers["*"].env[name="A"]"#).unwrap();
        assert_eq!(pattern.0[2], PatternStep::Any);
        assert!(matches!(&pattern.0[4], PatternStep::Key(keys) if keys[0].0 == "name"));
        assert!(PlacePattern::field_path("spec").is_err());
    }
}
