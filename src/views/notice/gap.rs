//! One gap in words.

use serde::Serialize;

use crate::model::gap::Hides;
use crate::model::notice::NoticeGap;
use crate::model::time::Timestamp;
use crate::views::clock;
use crate::views::words;

use super::line::Line;

const MOST_PLACE: usize = 160;

/// A gap as it is told.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ToldGap {
    /// What cannot be read, or can be read again.
    pub(super) what: Line,
    /// Since when, what it hides, what to do.
    pub(super) more: Vec<Line>,
    pub(super) over: bool,
}

pub(super) fn told(told: &NoticeGap, now: Timestamp) -> ToldGap {
    let gap = &told.gap;
    let place = words::gap_place(gap);
    let lasted = clock::between(told.since, now);
    if told.over {
        let what = Line::default().code(place, MOST_PLACE).say(format!(" can be read again, after {lasted}."));
        return ToldGap { what, more: Vec::new(), over: true };
    }
    let what = Line::default().strong(gap.kind.as_str()).say(", ").code(place, MOST_PLACE).say(": ").say(&gap.message);
    let hides = words::hides(gap);
    let hidden = match &gap.hides {
        Hides::Evidence => Line::sentence(&format!("it hides {hides}")),
        _ => Line::of(format!("It hides {hides}: a drift there is not seen, and none is taken for resolved.")),
    };
    let mut more = vec![Line::of(format!("Since {} ({lasted}).", clock::at(told.since, now))), hidden];
    more.extend(gap.hint.as_ref().map(|hint| Line::default().strong("Next:").say(" ").then(Line::sentence(hint))));
    ToldGap { what, more, over: false }
}
