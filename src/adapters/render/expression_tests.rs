use super::*;

struct Few;

impl Variables for Few {
    fn value(&self, name: &str) -> Option<&str> {
        match name {
            "v" => Some("abcdEFGH28ij"),
            "p" => Some("/home/bozo/ideas/thoughts.for.today"),
            "s" => Some("abcABC123ABCabc"),
            "f" => Some("bash.string.txt"),
            "d" => Some("foo/bar/baz"),
            "e" => Some("é1"),
            "SECRET" => None,
            _ => Some(""),
        }
    }

    fn placeholder(&mut self, _name: &str) -> &str {
        "???"
    }
}

/// With some variables, and `SECRET`, whose value is not known.
fn replaced(text: &str) -> Result<String, Failure> {
    replace(text, &mut Few)
}

#[test]
fn expressions_have_the_values_that_flux_gives_them() {
    for (text, expected) in [
        ("no variable: $v $ $", "no variable: $v $ $"),
        ("${v}-${none}-", "abcdEFGH28ij--"),
        // Escaped.
        ("$${v}", "${v}"),
        ("a ${v}$${v$${v}$v${v}", "a abcdEFGH28ij${v${v}$vabcdEFGH28ij"),
        ("$$$${v} $$$v", "$${v} $$v"),
        ("$${v=${s}}", "${v=abcABC123ABCabc}"),
        ("\\\\x ${none:=y}", "\\\\x y"),
        // Defaults, whatever the operator.
        ("${v=x}${none=x}", "abcdEFGH28ijx"),
        ("${none:=x}${none:-y}${none:+z}${none:?a b}", "xyza b"),
        ("${v:+x}", "abcdEFGH28ij"),
        ("${none:=}${none:-}", ""),
        ("${none:=a${v^^}-${none:-${e}}b}", "aABCDEFGH28IJ-é1b"),
        ("${none:=$$x}", "$$x"),
        ("${v:-${SECRET}}", "abcdEFGH28ij"),
        // Lengths, cases and parts.
        ("${#v} ${#none} ${#e}", "12 0 3"),
        ("${v^} ${v^^} ${v,} ${v,,} ${v,^}", "AbcdEFGH28ij ABCDEFGH28IJ abcdEFGH28ij abcdefgh28ij abcdEFGH28ij"),
        ("${p:11} ${p:11:5} ${v:2:-2} ${v:0:99}", "ideas/thoughts.for.today ideas cdEFGH28 abcdEFGH28ij"),
        ("${v: -2} ${v:x} ${v:1:y} ${v:99}|${v:9:-9}|", "abcdEFGH28ij abcdEFGH28ij abcdEFGH28ij ||"),
        // Patterns.
        ("${s/abc/xyz} ${s//abc/xyz}", "xyzABC123ABCabc xyzABC123ABCxyz"),
        (
            "${s/#abc/X} ${s/#ABC/X} ${s/%abc/X} ${s/%abc/}",
            "XABC123ABCabc abcABC123ABCabc abcABC123ABCX abcABC123ABCabc",
        ),
        ("${v/#/a-} ${v/%/-a} ${f/./}", "a-abcdEFGH28ij abcdEFGH28ij-a bashstring.txt"),
        ("${d/\\//-} ${d//\\//-}", "foo-bar/baz foo-bar-baz"),
        ("${f#*.} ${f##*.} ${f%.*} ${f%%.*}", "string.txt txt bash.string bash"),
        ("${d#*/} ${p##*/} ${f#x}", "bar/baz thoughts.for.today bash.string.txt"),
    ] {
        assert_eq!(replaced(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn an_expression_that_hangs_on_what_is_not_known_is_not_known_as_a_whole() {
    for (text, expected) in [
        ("a${SECRET}b", "a???b"),
        ("${#SECRET} ${SECRET:0:3} ${SECRET:=x} ${v/a/${SECRET}}", "??? ??? ??? ???"),
        ("${none:=${SECRET}}${v:=${SECRET}}", "???abcdEFGH28ij"),
    ] {
        assert_eq!(replaced(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn what_flux_fails_at_has_no_value() {
    for (text, expected) in [
        ("a: ${}", "`${}` cannot be read: it names no variable"),
        ("a: ${v.w} b", "`${v.w}` cannot be read: there is no `}` after it"),
        ("a: ${v-w}", "`${v-w}` cannot be read: there is no `}` after it"),
        ("a: ${v\nb", "`${v` cannot be read: there is no `}` after it"),
        ("${v:}", "`${v:}` cannot be read: something is missing in it"),
        ("${v::2}", "`${v::2}` cannot be read: something is missing in it"),
        ("${none:=", "`${none:=` cannot be read: something is missing in it"),
        ("${v/a}", "`${v/a}` cannot be read: there is no `/` after the pattern"),
    ] {
        assert_eq!(replaced(text).map_err(|failure| failure.to_string()), Err(expected.to_owned()), "{text}");
    }
    assert!(replaced(&"${a:=".repeat(100_000)).is_err());
    assert!(replaced("${e:0:1}").is_err());
}

#[test]
fn a_small_text_becomes_no_huge_one() {
    struct Large(String);
    impl Variables for Large {
        fn value(&self, _name: &str) -> Option<&str> {
            Some(&self.0)
        }

        fn placeholder(&mut self, _name: &str) -> &str {
            ""
        }
    }
    let mut large = Large("a".repeat(1 << 20));
    for text in ["${a//a/${a}}", &"${a}".repeat(100), "${a##*b}"] {
        assert_eq!(replace(text, &mut large), Err(Failure::TooLarge), "{}", &text[..4]);
    }
}
