//! An object's story, a line or two for each thing that happened.

use crate::model::object_story::{Did, Entry, Happened, ObjectStory};
use crate::views::escape::terminal;
use crate::views::words;

use super::lines::{Ink, Style, hang};

/// Fields of one commit that are named.
const MOST_PATHS: usize = 8;

/// Each object's story, oldest first.
pub fn history(stories: &[ObjectStory], style: Style) -> String {
    let mut out = String::new();
    for (n, story) in stories.iter().enumerate() {
        if n > 0 {
            out.push('\n');
        }
        let title = format!("{} in {}", story.object, story.cluster);
        out.push_str(&style.paint(Ink::Bold, &terminal(&title)));
        out.push('\n');
        if !story.whole_history {
            hang(&mut out, "  ", "The history at hand is not whole: there may be more before.", style);
        }
        if story.entries.is_empty() {
            out.push_str("  nothing is known of it\n");
        }
        for entry in &story.entries {
            one(&mut out, entry, style);
        }
    }
    out
}

fn one(out: &mut String, entry: &Entry, style: Style) {
    let time = entry.time.map_or_else(|| "at an unknown time".to_owned(), |time| time.for_people());
    let lead = format!("  {time:<23}  ");
    let indent = " ".repeat(lead.chars().count());
    match &entry.happened {
        Happened::Commit { by, commits_behind, did, file } => {
            let reached = by.reached_by.as_ref().map(|merge| format!(", reached by {}", merge.short()));
            let text = format!(
                "{} {}: {} ({} behind{}{})",
                by.commit.short(),
                by.author,
                by.subject,
                words::counted(*commits_behind, "commit", "commits"),
                reached.unwrap_or_default(),
                words::change(by)
            );
            hang(out, &lead, &terminal(&text), style);
            let file = file.as_deref().map(|file| format!(" in {file}")).unwrap_or_default();
            let did = match did {
                Did::Declared => format!("declares it{file}"),
                Did::Removed => "removes it".to_owned(),
                Did::Moved => format!("says the same{file}"),
                Did::Unreadable => "its file cannot be read from here on".to_owned(),
                Did::Changed { paths } => {
                    let mut named: Vec<String> = paths.iter().take(MOST_PATHS).map(ToString::to_string).collect();
                    if paths.len() > MOST_PATHS {
                        named.push(format!("and {} more", paths.len() - MOST_PATHS));
                    }
                    format!("changes {}", named.join(", "))
                }
            };
            hang(out, &indent, &terminal(&did), style);
        }
        Happened::Finding { scan, id, event, title, path, how } => {
            let path = path.as_ref().map(|path| format!(" {path}")).unwrap_or_default();
            let how = how.as_deref().map(|how| format!(": {how}")).unwrap_or_default();
            let text = format!("scan {scan}: {id} {title}{path} {}{how}", words::event(*event));
            hang(out, &lead, &terminal(&text), style);
        }
        Happened::Write { actor } => {
            let how = words::how_written(actor);
            let text = format!("{} ({}, {how}) wrote it last", actor.manager, actor.kind.as_str());
            hang(out, &lead, &terminal(&text), style);
        }
    }
}
