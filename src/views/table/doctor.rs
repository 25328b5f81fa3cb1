//! What works and what does not, as lines.

use crate::model::checkup::Checked;
use crate::views::escape::terminal;
use crate::views::words::counted;

use super::lines::{Ink, Style, hang};

/// Every thing with what was found about it, and a last line that counts.
pub fn doctor(all: &[Checked], style: Style) -> String {
    let mut out = String::new();
    for checked in all {
        out.push_str(&style.paint(Ink::Bold, &format!("{} {}", checked.kind, terminal(&checked.name))));
        out.push('\n');
        for works in &checked.works {
            hang(&mut out, "  ok    ", &terminal(works), style);
        }
        for problem in &checked.problems {
            let mark = if problem.stops { "  NO    " } else { "  note  " };
            hang(&mut out, mark, &terminal(&problem.what), style);
            if let Some(hint) = &problem.hint {
                hang(&mut out, "        → ", &terminal(hint), style);
            }
        }
        out.push('\n');
    }
    let ill = all.iter().flat_map(|checked| &checked.problems).filter(|problem| problem.stops).count() as u64;
    out.push_str(&match ill {
        0 => "everything that was tried works\n".to_owned(),
        ill => format!("{} (NO)\n", counted(ill, "thing does not work", "things do not work")),
    });
    out
}
