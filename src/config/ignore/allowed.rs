//! Which expressions are allowed: those that surely end, in memory that their input and their length bound.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::ops;
use jaq_core::path::Part;

use super::jq::JqError;

/// Deepest nesting of brackets, and of terms: one at a time they are on the stack when the expression runs.
pub(super) const MOST_DEPTH: usize = 40;
/// Lists that one expression may build; each can hold the one before many times.
const MOST_LISTS: usize = 3;

/// What may be called: it takes time and memory in proportion to its input, or counts its outputs as steps.
pub(super) const CALLS: &[(&str, &[usize])] = &[
    ("all", &[0, 1, 2]),
    ("any", &[0, 1, 2]),
    ("arrays", &[0]),
    ("ascii_downcase", &[0]),
    ("ascii_upcase", &[0]),
    ("booleans", &[0]),
    ("contains", &[1]),
    ("empty", &[0]),
    ("endswith", &[1]),
    ("false", &[0]),
    ("first", &[0, 1]),
    ("getpath", &[1]),
    ("has", &[1]),
    ("in", &[1]),
    ("index", &[1]),
    ("inside", &[1]),
    ("isempty", &[1]),
    ("iterables", &[0]),
    ("keys", &[0]),
    ("keys_unsorted", &[0]),
    ("last", &[0, 1]),
    ("length", &[0]),
    ("limit", &[2]),
    ("ltrimstr", &[1]),
    ("map", &[1]),
    ("max", &[0]),
    ("max_by", &[1]),
    ("min", &[0]),
    ("min_by", &[1]),
    ("not", &[0]),
    ("nth", &[1]),
    ("null", &[0]),
    ("nulls", &[0]),
    ("numbers", &[0]),
    ("objects", &[0]),
    ("recurse", &[0]),
    ("reverse", &[0]),
    ("rtrimstr", &[1]),
    ("scalars", &[0]),
    ("select", &[1]),
    ("sort", &[0]),
    ("split", &[1]),
    ("startswith", &[1]),
    ("strings", &[0]),
    ("test", &[1, 2]),
    ("tonumber", &[0]),
    ("tostring", &[0]),
    ("trim", &[0]),
    ("true", &[0]),
    ("type", &[0]),
    ("unique", &[0]),
    ("values", &[0]),
];

/// Goes through an expression: refuses what could go on for ever, and puts a step behind each iteration.
#[derive(Default)]
pub(super) struct Allowed {
    lists: usize,
}

impl Allowed {
    pub(super) fn term<'s>(&mut self, term: Term<&'s str>, depth: usize) -> Result<Term<&'s str>, JqError> {
        if depth > MOST_DEPTH {
            return Err(JqError::Limit(format!("its terms are nested deeper than {MOST_DEPTH}")));
        }
        let refused = |what: &str| Err(JqError::Refused(what.to_owned()));
        let below = depth + 1;
        Ok(match term {
            Term::Id | Term::Num(_) | Term::Var(_) => term,
            Term::Recurse => pipe(Term::Recurse, call("step")),
            Term::Str(None, parts) if parts.iter().all(|part| !matches!(part, StrPart::Term(_))) => {
                Term::Str(None, parts)
            }
            Term::Str(..) => return refused("a string made of parts"),
            Term::Arr(None) => Term::Arr(None),
            Term::Arr(Some(inner)) => {
                self.list()?;
                Term::Arr(Some(Box::new(pipe(self.term(*inner, below)?, call("step")))))
            }
            Term::Neg(inner) => Term::Neg(Box::new(self.term(*inner, below)?)),
            Term::BinOp(left, op, right) => {
                let op = self.operator(op, &left, &right)?;
                Term::BinOp(Box::new(self.term(*left, below)?), op, Box::new(self.term(*right, below)?))
            }
            Term::TryCatch(inner, catch) => {
                let catch = catch.map(|catch| self.term(*catch, below)).transpose()?;
                Term::TryCatch(Box::new(self.term(*inner, below)?), catch.map(Box::new))
            }
            Term::IfThenElse(cases, otherwise) => {
                let mut checked = Vec::new();
                for (condition, then) in cases {
                    checked.push((self.term(condition, below)?, self.term(then, below)?));
                }
                let otherwise = otherwise.map(|term| self.term(*term, below)).transpose()?;
                Term::IfThenElse(checked, otherwise.map(Box::new))
            }
            Term::Call(name, args) => {
                match CALLS.iter().find(|(known, _)| *known == name) {
                    None => return refused(&format!("`{name}`")),
                    Some((_, arities)) if !arities.contains(&args.len()) => {
                        return refused(&format!("`{name}` with {} arguments", args.len()));
                    }
                    Some(_) => {}
                }
                if name == "map" {
                    self.list()?;
                }
                let arg = |arg| Ok(pipe(self.term(arg, below)?, call("step")));
                Term::Call(name, args.into_iter().map(arg).collect::<Result<_, _>>()?)
            }
            Term::Path(from, path) => {
                let mut iterates = false;
                let mut parts = Vec::new();
                for (part, optional) in path.0 {
                    let part = match part {
                        Part::Index(index) => Part::Index(self.term(index, below)?),
                        Part::Range(from, to) => {
                            iterates = true;
                            let mut bound = |bound: Option<_>| bound.map(|term| self.term(term, below)).transpose();
                            Part::Range(bound(from)?, bound(to)?)
                        }
                    };
                    parts.push((part, optional));
                }
                let path = Term::Path(Box::new(self.term(*from, below)?), jaq_core::path::Path(parts));
                if iterates { pipe(path, call("step")) } else { path }
            }
            Term::Def(..) => return refused("`def`"),
            Term::Fold(name, ..) => return refused(&format!("`{name}`")),
            Term::Label(..) | Term::Break(_) => return refused("`label`"),
            Term::Obj(_) => return refused("an object in braces"),
        })
    }

    fn list(&mut self) -> Result<(), JqError> {
        self.lists += 1;
        if self.lists > MOST_LISTS {
            return Err(JqError::Limit(format!("it builds more than {MOST_LISTS} lists")));
        }
        Ok(())
    }

    fn operator<'s>(
        &self,
        op: BinaryOp<&'s str>,
        left: &Term<&'s str>,
        right: &Term<&'s str>,
    ) -> Result<BinaryOp<&'s str>, JqError> {
        let is_literal = |term: &Term<&str>| matches!(term, Term::Num(_) | Term::Str(..));
        match op {
            // `. + .` twice is four times as much, and so on.
            BinaryOp::Math(ops::Math::Add) if !is_literal(left) && !is_literal(right) => {
                Err(JqError::Refused("`+` without a number or string beside it".to_owned()))
            }
            BinaryOp::Math(ops::Math::Mul) => Err(JqError::Refused("`*`".to_owned())),
            BinaryOp::Assign | BinaryOp::Update | BinaryOp::UpdateMath(_) | BinaryOp::UpdateAlt => {
                Err(JqError::Refused("an assignment".to_owned()))
            }
            BinaryOp::Pipe(Some(Pattern::Arr(_) | Pattern::Obj(_))) => {
                Err(JqError::Refused("a pattern behind `as`".to_owned()))
            }
            other => Ok(other),
        }
    }
}

pub(super) fn call(name: &str) -> Term<&str> {
    Term::Call(name, Vec::new())
}

pub(super) fn pipe<'s>(left: Term<&'s str>, right: Term<&'s str>) -> Term<&'s str> {
    Term::BinOp(Box::new(left), BinaryOp::Pipe(None), Box::new(right))
}
