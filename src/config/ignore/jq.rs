//! jq expressions that name places: `.spec.containers[] | select(.name == "proxy").image`.
//!
//! The language is jq's, read and run by `jaq`, less what could keep a scan from ending: no definitions, no recursion but `..`, no
//! loops and no building of ever larger values. What is left ends always, but may take long where iterations multiply
//! (`.. | .. | ..`); so every output of an iteration is a step, and an expression that takes too many is given up.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use jaq_core::box_iter::box_once;
use jaq_core::data::HasLut;
use jaq_core::load::parse::{Def, Term};
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Bind, Compiler, Ctx, DataT, Error, Exn, Filter, Lut, Native, Vars, unwrap_valr};
use jaq_json::Val;
use serde::Deserialize as _;
use serde_json::Value;

use super::allowed::{Allowed, CALLS, MOST_DEPTH, call, pipe};

/// Longest expression. The reader of the language recurses: its length bounds the depth.
const MOST_CHARACTERS: usize = 600;
/// Stack for reading an expression of that length, in bytes.
const READING_STACK: usize = 32 << 20;
/// Outputs of iterations on one object.
const MOST_STEPS: u64 = 50_000;
/// Largest compiled regular expression, in bytes.
const MOST_REGEX_BYTES: usize = 256 << 10;

/// Definitions of the library that those in [`CALLS`] need.
const HELPERS: &[&str] =
    &["error", "isarray", "isboolean", "isnumber", "isobject", "isstring", "max_by", "min_by", "totype", "unique_by"];

/// Ours instead of the library's: `tostring` of scalars only, no regular expression in `split`, and one of bounded size in `test`.
const OURS: &[&str] = &["split", "test", "tostring"];
const PRELUDE: &str = r#"
def tostring: if . >= [] then error("tostring is for scalars") else "\(.)" end;
def split($by): if . >= "" and . < [] and $by >= "" and $by < [] then . / $by else error("split is for strings") end;
def test(re; flags): regex_test(re; flags);
def test(re): regex_test(re; "");
"#;

/// Why a text is no expression for places.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JqError {
    /// Not jq.
    #[error("is no jq expression{}", .0.as_ref().map(|at| format!(": stops making sense at `{at}`")).unwrap_or_default())]
    Syntax(Option<String>),
    /// jq, but not of the part that names places and always ends.
    #[error("{0} cannot be used here: only what names places and surely ends can")]
    Refused(String),
    /// Too long or too deep.
    #[error("is too large: {0}")]
    Limit(String),
}

/// What became of running an expression on an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JqOutcome {
    /// The places it names.
    Places(Vec<Vec<PlainStep>>),
    /// It stopped with this error, after naming these places.
    Failed(Vec<Vec<PlainStep>>, String),
    /// It took more than [`JqPath::MOST_STEPS`] steps: it names nothing.
    TooLong,
}

/// A step to a place in a tree of JSON.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlainStep {
    /// A field of an object.
    Field(String),
    /// An element of a list.
    Index(usize),
}

/// A compiled expression.
#[derive(Clone)]
pub struct JqPath {
    text: Arc<str>,
    filter: Arc<Filter<Counted>>,
}

impl fmt::Debug for JqPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JqPath").field(&self.text).finish()
    }
}

/// Values of jq with a budget of steps.
struct Counted;

#[derive(Clone)]
struct Budget<'a> {
    lut: &'a Lut<Counted>,
    left: &'a Cell<u64>,
}

impl DataT for Counted {
    type V<'a> = Val;
    type Data<'a> = Budget<'a>;
}

impl<'a> HasLut<'a, Counted> for Budget<'a> {
    fn lut(&self) -> &'a Lut<Counted> {
        self.lut
    }
}

/// Unwinds to [`JqPath::run`]: an error of jq could be caught by `?`.
struct OutOfSteps;

impl Budget<'_> {
    fn step(&self) {
        match self.left.get().checked_sub(1) {
            Some(left) => self.left.set(left),
            None => std::panic::resume_unwind(Box::new(OutOfSteps)),
        }
    }
}

impl JqPath {
    /// See [`JqOutcome::TooLong`].
    pub const MOST_STEPS: u64 = MOST_STEPS;

    /// Reads an expression.
    ///
    /// # Errors
    /// It is no jq, or could keep a scan from ending.
    pub fn parse(text: &str) -> Result<Self, JqError> {
        within_limits(text)?;
        let no_thread = |_| JqError::Limit("no thread could be had to read it".to_owned());
        std::thread::scope(|scope| {
            let builder = std::thread::Builder::new().stack_size(READING_STACK);
            let reading = builder.spawn_scoped(scope, || Self::read(text)).map_err(no_thread)?;
            reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    fn read(text: &str) -> Result<Self, JqError> {
        let body = read(text)?;
        let body = Allowed::default().term(body, 0)?;
        let stepped = |def: Def<&'static str>| Def { body: pipe(call("step"), def.body), ..def };
        let own = jaq_core::load::parse(PRELUDE, |p| p.defs()).unwrap_or_default();
        let places: Def<&str> = Def { name: "places", args: Vec::new(), body };
        let library = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let used = library.filter(|def| HELPERS.contains(&def.name) || CALLS.iter().any(|(name, _)| *name == def.name));
        let used = used.filter(|def| !OURS.contains(&def.name));
        let defs = used.chain(own).map(stepped);
        let arena = Arena::default();
        let file = File { code: "path(places)", path: () };
        let modules = Loader::new(defs.chain([places])).load(&arena, file).map_err(|_| JqError::Syntax(None))?;
        let funs = jaq_core::funs().chain(jaq_std::base_funs()).chain(jaq_json::funs()).chain(natives());
        let filter = Compiler::default().with_funs(funs).compile(modules).map_err(|errors| {
            let unknown = errors.into_iter().flat_map(|(_, errors)| errors).map(|(name, _)| format!("`{name}`")).next();
            JqError::Refused(unknown.unwrap_or_else(|| "this".to_owned()))
        })?;
        Ok(Self { text: text.into(), filter: Arc::new(filter) })
    }

    /// As written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The places that the expression names in an object. The same object gives the same outcome, however fast the machine is.
    pub fn run(&self, object: &Value) -> JqOutcome {
        let Ok(input) = Val::deserialize(object) else {
            return JqOutcome::Failed(Vec::new(), "the object cannot be read as JSON".to_owned());
        };
        let left = Cell::new(MOST_STEPS);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let ctx = Ctx::<Counted>::new(Budget { lut: &self.filter.lut, left: &left }, Vars::new([]));
            let mut places = Vec::new();
            for output in self.filter.id.run((ctx, input)).map(unwrap_valr) {
                match output {
                    Ok(path) => match plain(&path, object) {
                        Ok(place) => places.extend(place),
                        Err(error) => return JqOutcome::Failed(places, error.to_owned()),
                    },
                    Err(error) => return JqOutcome::Failed(places, error.to_string()),
                }
            }
            JqOutcome::Places(places)
        }));
        outcome.unwrap_or_else(|payload| {
            if payload.is::<OutOfSteps>() { JqOutcome::TooLong } else { std::panic::resume_unwind(payload) }
        })
    }
}

fn natives() -> [jaq_core::native::Fun<Counted>; 2] {
    let step = Native::<Counted>::new(|cv| {
        cv.0.data().step();
        box_once(Ok(cv.1))
    })
    .with_paths(|cv| {
        cv.0.data().step();
        box_once(Ok(cv.1))
    });
    let test = Native::<Counted>::new(|mut cv| {
        let flags = cv.0.pop_var();
        let re = cv.0.pop_var();
        box_once(regex_test(&cv.1, &re, &flags).map(Val::from).map_err(Exn::from))
    });
    let two = [Bind::Var(()), Bind::Var(())];
    [("step", Box::new([]), step), ("regex_test", Box::new(two), test)]
}

fn regex_test(input: &Val, re: &Val, flags: &Val) -> Result<bool, Error<Val>> {
    let text = |value: &Val| match value {
        Val::TStr(bytes) | Val::BStr(bytes) => std::str::from_utf8(bytes).ok().map(str::to_owned),
        _ => None,
    };
    let (Some(input), Some(re), Some(flags)) = (text(input), text(re), text(flags)) else {
        return Err(Error::str("test is for strings"));
    };
    let mut builder = regex::RegexBuilder::new(&re);
    builder.size_limit(MOST_REGEX_BYTES).case_insensitive(flags.contains('i')).ignore_whitespace(flags.contains('x'));
    let regex = builder.dot_matches_new_line(flags.contains('s')).build();
    regex.map(|regex| regex.is_match(&input)).map_err(|error| Error::str(format_args!("invalid regex: {error}")))
}

/// A path as jq gives it, in the object that it is for; `None` where it counts from the end of a list that is not there.
fn plain(path: &Val, object: &Value) -> Result<Option<Vec<PlainStep>>, &'static str> {
    let Val::Arr(steps) = path else { return Err("what it gives is no path") };
    let (mut place, mut at) = (Vec::with_capacity(steps.len()), Some(object));
    for step in steps.iter() {
        match step {
            Val::TStr(bytes) | Val::BStr(bytes) => {
                let Ok(name) = std::str::from_utf8(bytes) else { return Err("a key is no text") };
                at = at.and_then(|value| value.get(name));
                place.push(PlainStep::Field(name.to_owned()));
            }
            Val::Num(_) => {
                let Ok(number) = step.to_string().parse::<i64>() else { return Err("a position is no whole number") };
                let length = at.and_then(Value::as_array).map_or(0, Vec::len);
                let index = usize::try_from(number).ok();
                let from_end = || usize::try_from(number.unsigned_abs()).ok().and_then(|n| length.checked_sub(n));
                let Some(index) = index.or_else(from_end) else { return Ok(None) };
                at = at.and_then(|value| value.get(index));
                place.push(PlainStep::Index(index));
            }
            _ => return Err("a slice of a list is no place: use `.[]` and `select`"),
        }
    }
    Ok(Some(place))
}

fn within_limits(text: &str) -> Result<(), JqError> {
    if text.len() > MOST_CHARACTERS {
        return Err(JqError::Limit(format!("{} characters, and {MOST_CHARACTERS} are allowed", text.len())));
    }
    let mut depth = 0usize;
    for c in text.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MOST_DEPTH {
            return Err(JqError::Limit(format!("its brackets are nested deeper than {MOST_DEPTH}")));
        }
    }
    Ok(())
}

fn read(text: &str) -> Result<Term<&str>, JqError> {
    let at =
        |rest: &str| JqError::Syntax(Some(rest.chars().take(20).collect()).filter(|rest: &String| !rest.is_empty()));
    let tokens = jaq_core::load::Lexer::new(text)
        .lex()
        .map_err(|errors| at(errors.first().map(|(_, rest)| *rest).unwrap_or_default()))?;
    let read = jaq_core::load::Parser::new(&tokens).parse(|p| p.term());
    read.map_err(|errors| at(errors.first().and_then(|(_, found)| *found).map(|token| token.0).unwrap_or_default()))
}

#[cfg(test)]
#[path = "jq_tests.rs"]
mod tests;
