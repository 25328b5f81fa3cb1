//! Anchors, and what their aliases cost.
//!
//! A few lines of aliases can stand for gigabytes, so each copy is charged before it is made.

use std::collections::HashMap;

use super::error::ErrorKind;
use super::node::{Entry, Node, Place, Value};
use super::scalar::Scalar;

/// What an anchor stands for.
#[derive(Clone, Debug)]
pub(super) enum Anchored {
    /// A list or mapping that is still being read: an alias to it is inside of it.
    Open,
    /// A scalar, kept as it was resolved because it may be aliased as a key.
    Scalar(Scalar, Place),
    /// A whole list or mapping.
    Tree(Tree),
}

/// A list or mapping with an anchor.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    pub(super) node: Node,
    /// Bytes of memory that a copy takes.
    bytes: usize,
    /// Levels of lists and mappings, this one included.
    pub(super) height: usize,
    /// Steps go-yaml takes to decode it.
    steps: u64,
}

/// The anchors of one document and the accounts of their aliases.
#[derive(Debug)]
pub(super) struct Aliases {
    anchors: HashMap<usize, Anchored>,
    bytes_left: usize,
    /// Steps go-yaml would have taken so far, and how many of them inside aliases.
    steps: u64,
    alias_steps: u64,
}

impl Aliases {
    pub(super) fn new(max_bytes_expanded: usize) -> Self {
        Self {
            anchors: HashMap::new(),
            bytes_left: max_bytes_expanded,
            // go-yaml counts the document itself.
            steps: 1,
            alias_steps: 0,
        }
    }

    /// The steps so far, to be handed back to [`Aliases::close`].
    pub(super) fn steps(&self) -> u64 {
        self.steps
    }

    /// Counts a node, as go-yaml does to refuse documents that are mostly aliases.
    pub(super) fn step(&mut self) -> Result<(), ErrorKind> {
        self.steps += 1;
        self.check_ratio()
    }

    /// Notes that the list or mapping with this anchor begins.
    pub(super) fn open(&mut self, anchor: usize) {
        self.anchors.insert(anchor, Anchored::Open);
    }

    /// Keeps the scalar with this anchor.
    pub(super) fn keep_scalar(&mut self, anchor: usize, scalar: &Scalar, place: Place) -> Result<(), ErrorKind> {
        if let Scalar::Text(text) = scalar {
            self.charge(text.len())?;
        }
        self.anchors.insert(anchor, Anchored::Scalar(scalar.clone(), place));
        Ok(())
    }

    /// Keeps the list or mapping with this anchor, begun when `steps` was the count of steps.
    pub(super) fn close(&mut self, anchor: usize, node: &Node, steps: u64) -> Result<(), ErrorKind> {
        let (bytes, height) = measure(node);
        self.charge(bytes)?;
        self.anchors
            .insert(anchor, Anchored::Tree(Tree { node: node.clone(), bytes, height, steps: self.steps - steps }));
        Ok(())
    }

    /// A copy of what the anchor stands for, charged to the budget.
    pub(super) fn expand(&mut self, anchor: usize) -> Result<Anchored, ErrorKind> {
        let (bytes, steps) = match self.anchors.get(&anchor) {
            None => return Err(ErrorKind::UnknownAlias),
            Some(Anchored::Open) => return Err(ErrorKind::SelfReference),
            Some(Anchored::Scalar(Scalar::Text(text), _)) => (text.len(), 1),
            Some(Anchored::Scalar(..)) => (0, 1),
            Some(Anchored::Tree(tree)) => (tree.bytes, tree.steps),
        };
        self.charge(bytes)?;
        self.steps += steps;
        self.alias_steps += steps;
        self.check_ratio()?;
        self.anchors.get(&anchor).cloned().ok_or(ErrorKind::UnknownAlias)
    }

    fn charge(&mut self, bytes: usize) -> Result<(), ErrorKind> {
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or(ErrorKind::TooLarge)?;
        Ok(())
    }

    /// go-yaml's own limit (`allowedAliasRatio` in its `decode.go`): 99 % of the steps may come
    /// from aliases up to 400,000 steps, 10 % from 4,000,000 on, and evenly fewer in between.
    fn check_ratio(&self) -> Result<(), ErrorKind> {
        const LOW: f64 = 400_000.0;
        const HIGH: f64 = 4_000_000.0;
        if self.alias_steps <= 100 || self.steps <= 1000 {
            return Ok(());
        }
        let steps = self.steps as f64;
        let allowed = 0.99 - 0.89 * ((steps.clamp(LOW, HIGH) - LOW) / (HIGH - LOW));
        if self.alias_steps as f64 / steps > allowed {
            return Err(ErrorKind::TooLarge);
        }
        Ok(())
    }
}

/// The bytes a node holds beside itself and its levels of lists and mappings.
fn measure(node: &Node) -> (usize, usize) {
    let under = |(bytes, height): (usize, usize), child: &Node, own: usize| {
        let (below, levels) = measure(child);
        (bytes + own + below, height.max(levels))
    };
    match &node.value {
        Value::String(text) => (text.len(), 0),
        Value::Seq(items) => {
            let (bytes, height) = items.iter().fold((0, 0), |sum, item| under(sum, item, size_of::<Node>()));
            (bytes, height + 1)
        }
        Value::Map(entries) => {
            let (bytes, height) = entries
                .iter()
                .fold((0, 0), |sum, entry| under(sum, &entry.value, size_of::<Entry>() + entry.key.len()));
            (bytes, height + 1)
        }
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => (0, 0),
    }
}
