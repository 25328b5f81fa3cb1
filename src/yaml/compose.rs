//! From the parser's events to one document's tree.

use std::borrow::Cow;

use granit_parser::{Event, Marker, Options, Parser, ScalarStyle, ScanError, Span, StrInput, StructureStyle};

use super::aliases::{Aliases, Anchored};
use super::chunks::Chunk;
use super::documents::{Limits, Note, NoteKind};
use super::error::{ErrorKind, YamlError};
use super::lexical;
use super::mapping::{Key, Mapping};
use super::node::{Node, Place, Value};
use super::scalar::{self, Scalar, Tag};
use super::suspects::Suspects;

/// A tree with what was noticed while reading it; `None` when there is no document at all.
pub(super) type Composed = Option<(Node, Vec<Note>)>;

/// Reads the first document of a chunk, which is all that `kubectl` reads of it.
pub(super) fn compose(chunk: &Chunk<'_>, limits: &Limits) -> Result<Composed, YamlError> {
    if let Some(at) = lexical::forbidden_character(&chunk.text) {
        let error = YamlError::new(chunk.place_of(at), ErrorKind::ControlCharacter);
        return Err(error);
    }
    if lexical::starts_with_end(&chunk.text) {
        let kind = lexical::syntax("a document ends before it begins");
        return Err(YamlError::new(chunk.place_of(0), kind));
    }
    Composer::new(chunk, limits).run()
}

struct Composer<'a> {
    chunk: &'a Chunk<'a>,
    parser: Parser<'a, StrInput<'a>>,
    max_depth: usize,
    frames: Vec<Frame>,
    aliases: Aliases,
    has_aliases: bool,
    /// Unicode line breaks, which some quoted scalars may hold.
    breaks: Suspects,
    /// Tabs at the start of a line, which scalars and flow collections may hold.
    tabs: Suspects,
    notes: Vec<Note>,
    root: Option<Node>,
}

/// A list or mapping that is being read.
struct Frame {
    place: Place,
    /// Zero when it has none.
    anchor: usize,
    /// go-yaml's steps when it began.
    steps: u64,
    /// The byte offset where it starts, if it is a flow collection.
    flow: Option<usize>,
    body: Body,
}

enum Body {
    Seq(Vec<Node>),
    Map(Mapping, Option<Key>),
}

impl<'a> Composer<'a> {
    fn new(chunk: &'a Chunk<'a>, limits: &Limits) -> Self {
        let text: &'a str = &chunk.text;
        Self {
            chunk,
            parser: Parser::new_from_str_with_options(text, options(text, limits)),
            max_depth: limits.max_depth,
            frames: Vec::new(),
            aliases: Aliases::new(limits.max_bytes_expanded),
            has_aliases: text.contains('*'),
            breaks: Suspects::new(lexical::unicode_breaks(text)),
            tabs: Suspects::new(lexical::indenting_tabs(text)),
            notes: Vec::new(),
            root: None,
        }
    }

    fn run(mut self) -> Result<Composed, YamlError> {
        let mut end = self.chunk.text.len();
        while let Some(next) = self.parser.next_event() {
            let (event, span) = next.map_err(|error| self.scan_error(&error))?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentEnd => {
                    end = span.start.byte_offset().unwrap_or(end);
                    self.after_end(&span)?;
                    break;
                }
                event => {
                    let place = self.place(span.start);
                    self.event(event, &span, place).map_err(|kind| YamlError::new(place, kind))?;
                }
            }
        }
        let at = |at| self.chunk.place_of(at);
        if let Some(found) = self.breaks.remaining(end) {
            return Err(YamlError::new(at(found), ErrorKind::UnicodeLineBreak));
        }
        if let Some(found) = self.tabs.remaining(end) {
            let kind = lexical::syntax("a tab indents a line");
            return Err(YamlError::new(at(found), kind));
        }
        Ok(self.root.map(|root| (root, self.notes)))
    }

    fn event(&mut self, event: Event<'a>, span: &Span, place: Place) -> Result<(), ErrorKind> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.check_written(span, style)?;
                let tag = tag.map_or(Tag::None, |tag| {
                    let (prefix, suffix) = tag.parts();
                    Tag::of(prefix, suffix)
                });
                self.scalar(text, style == ScalarStyle::Plain, tag, anchor, place)
            }
            Event::SequenceStart(style, anchor, _) => {
                let place = match style {
                    StructureStyle::Block => self.list_place(span.start).unwrap_or(place),
                    StructureStyle::Flow => place,
                };
                let flow = flow_start(style, span);
                self.begin(Body::Seq(Vec::new()), anchor, place, flow)
            }
            Event::MappingStart(style, anchor, _) => {
                let body = Body::Map(Mapping::default(), None);
                self.begin(body, anchor, place, flow_start(style, span))
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Alias(anchor) => self.alias(anchor),
            Event::Anchor(_, name) => lexical::check_anchor(&name),
            _ => Ok(()),
        }
    }

    fn scalar(
        &mut self,
        text: Cow<'a, str>,
        plain: bool,
        tag: Tag,
        anchor: usize,
        place: Place,
    ) -> Result<(), ErrorKind> {
        let in_key_position = self.in_key_position();
        let merge = in_key_position && scalar::is_merge(&text, plain, tag);
        let scalar = if merge {
            Scalar::Text(text.into_owned())
        } else {
            self.aliases.step()?;
            scalar::resolve(text.into_owned(), plain, tag)?
        };
        if anchor != 0 && self.has_aliases {
            self.aliases.keep_scalar(anchor, &scalar, place)?;
        }
        if merge {
            self.set_key(Key::Merge);
        } else if in_key_position {
            self.set_key(Key::Plain(scalar.into_key()?, place));
        } else {
            let value = scalar.into_value()?;
            self.add(Node { value, place }, false)?;
        }
        Ok(())
    }

    fn begin(&mut self, body: Body, anchor: usize, place: Place, flow: Option<usize>) -> Result<(), ErrorKind> {
        if self.in_key_position() {
            return Err(ErrorKind::ComplexKey);
        }
        if self.frames.len() >= self.max_depth {
            return Err(ErrorKind::TooDeep);
        }
        let steps = self.aliases.steps();
        self.aliases.step()?;
        if anchor != 0 && self.has_aliases {
            self.aliases.open(anchor);
        }
        self.frames.push(Frame { place, anchor, steps, flow, body });
        Ok(())
    }

    fn end(&mut self, span: &Span) -> Result<(), ErrorKind> {
        let Some(frame) = self.frames.pop() else {
            return Ok(());
        };
        if let (Some(start), Some(end)) = (frame.flow, span.end.byte_offset())
            && !self.in_flow()
        {
            self.tabs.clear(start..end, |_| true);
        }
        let node = Node {
            value: match frame.body {
                Body::Seq(items) => Value::Seq(items),
                Body::Map(mapping, _) => Value::Map(mapping.into_entries()),
            },
            place: frame.place,
        };
        if frame.anchor != 0 && self.has_aliases {
            self.aliases.close(frame.anchor, &node, frame.steps)?;
        }
        self.add(node, false)
    }

    fn alias(&mut self, anchor: usize) -> Result<(), ErrorKind> {
        self.aliases.step()?;
        match self.aliases.expand(anchor)? {
            Anchored::Scalar(scalar, place) => {
                if self.in_key_position() {
                    self.set_key(Key::Plain(scalar.into_key()?, place));
                    return Ok(());
                }
                let value = scalar.into_value()?;
                self.add(Node { value, place }, true)
            }
            Anchored::Tree(_) if self.in_key_position() => Err(ErrorKind::ComplexKey),
            Anchored::Tree(tree) if self.frames.len() + tree.height > self.max_depth => Err(ErrorKind::TooDeep),
            Anchored::Tree(tree) => self.add(tree.node, true),
            Anchored::Open => Err(ErrorKind::SelfReference),
        }
    }

    /// Puts a finished node where it belongs: into the innermost list or mapping, or at the root.
    fn add(&mut self, node: Node, through_alias: bool) -> Result<(), ErrorKind> {
        match self.frames.last_mut().map(|frame| &mut frame.body) {
            None => self.root = Some(node),
            Some(Body::Seq(items)) => items.push(node),
            Some(Body::Map(mapping, key)) => match key.take() {
                // Keys come before values, so there always is one.
                None => {}
                Some(Key::Merge) => merge(mapping, node, through_alias)?,
                Some(Key::Plain(key, key_place)) => {
                    mapping.set(key, key_place, node, &mut self.notes);
                }
            },
        }
        Ok(())
    }

    fn in_key_position(&self) -> bool {
        matches!(self.frames.last(), Some(Frame { body: Body::Map(_, None), .. }))
    }

    fn set_key(&mut self, new: Key) {
        if let Some(Frame { body: Body::Map(_, key), .. }) = self.frames.last_mut() {
            *key = Some(new);
        }
    }

    /// Whether the innermost list or mapping is a flow collection.
    fn in_flow(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.flow.is_some())
    }

    /// Checks what only the text as written shows.
    fn check_written(&mut self, span: &Span, style: ScalarStyle) -> Result<(), ErrorKind> {
        let text: &'a str = &self.chunk.text;
        let Some(range) = span.byte_range() else {
            return Ok(());
        };
        let (Some(written), Some(before), Some(after)) =
            (text.get(range.clone()), text.get(..range.start), text.get(range.end..))
        else {
            return Ok(());
        };
        match style {
            ScalarStyle::DoubleQuoted => lexical::check_escapes(written)?,
            ScalarStyle::Literal | ScalarStyle::Folded => lexical::check_block(before, written)?,
            ScalarStyle::Plain if self.in_flow() => lexical::check_flow_plain(written, after)?,
            _ => {}
        }
        if span.start.line() != span.end.line() && self.in_flow() && self.in_key_position() {
            lexical::check_key_lines(before, after)?;
        }
        if !self.breaks.is_empty() {
            let kept = |at| lexical::break_is_kept(text, at, style);
            self.breaks.clear(range.clone(), kept);
        }
        if !self.tabs.is_empty() && !self.in_flow() {
            self.tabs.clear(range, |_| true);
        }
        Ok(())
    }

    /// `kubectl` reads nothing after the mark that ends a document, which is worth a note. With no
    /// mark, nothing may follow.
    fn after_end(&mut self, end: &Span) -> Result<(), YamlError> {
        let marked = end.slice(&self.chunk.text) == Some("...");
        let place = match self.parser.next_event() {
            None | Some(Ok((Event::StreamEnd, _))) => return Ok(()),
            Some(Ok((Event::DocumentStart(true, _), span))) => self.place(span.start),
            Some(Ok((_, span))) if marked => self.place(span.start),
            Some(Ok((_, span))) => {
                let kind = lexical::syntax("text after the end of the document");
                return Err(YamlError::new(self.place(span.start), kind));
            }
            Some(Err(error)) if marked => self.place(*error.marker()),
            Some(Err(error)) => return Err(self.scan_error(&error)),
        };
        self.notes.push(Note { place, kind: NoteKind::IgnoredText });
        Ok(())
    }

    fn place(&self, mark: Marker) -> Place {
        self.chunk.place(mark.line(), mark.col())
    }

    /// The place of a block list's first dash, where the parser's mark is not that already.
    fn list_place(&self, mark: Marker) -> Option<Place> {
        if !matches!(self.frames.last()?.body, Body::Map(..)) {
            return None;
        }
        let (up, indent) = lexical::first_dash(&self.chunk.text, mark.byte_offset()?)?;
        Some(self.chunk.place(mark.line().checked_sub(up)?, indent))
    }

    fn scan_error(&self, error: &ScanError) -> YamlError {
        use granit_parser::ErrorKind as Scan;
        let kind = match error.kind() {
            Scan::UnknownAnchor => ErrorKind::UnknownAlias,
            Scan::RecursionLimitExceeded => ErrorKind::TooDeep,
            // The two whose words repeat what the file holds.
            Scan::UnexpectedCharacter { .. } => ErrorKind::Syntax("a character that cannot start a value".to_owned()),
            Scan::Custom(_) => ErrorKind::Syntax("unexpected text".to_owned()),
            other => ErrorKind::Syntax(other.to_string()),
        };
        YamlError::new(self.place(*error.marker()), kind)
    }
}

/// Merges the value of `<<`. In a list, earlier mappings win over later ones.
fn merge(mapping: &mut Mapping, node: Node, through_alias: bool) -> Result<(), ErrorKind> {
    match node.value {
        Value::Map(entries) => mapping.merge(entries),
        Value::Seq(items) if !through_alias => {
            for item in items.into_iter().rev() {
                let Value::Map(entries) = item.value else {
                    return Err(ErrorKind::Merge);
                };
                mapping.merge(entries);
            }
        }
        _ => return Err(ErrorKind::Merge),
    }
    Ok(())
}

fn flow_start(style: StructureStyle, span: &Span) -> Option<usize> {
    match style {
        StructureStyle::Flow => span.start.byte_offset(),
        StructureStyle::Block => None,
    }
}

fn options(text: &str, limits: &Limits) -> Options {
    granit_parser::options! {
        emit_comments: false,
        emit_anchor_events: text.contains('&'),
        // One more than allowed, so that this room's own limit is the one that is met.
        flow_nesting_limit: limits.max_depth.saturating_add(1),
        block_nesting_limit: limits.max_depth.saturating_add(1),
    }
}
