//! The template engine and the templates, embedded. Names that end in `.html` are escaped by the engine; `.txt` are not, and
//! get only text that has been through [`super::escape::terminal`].

use std::sync::OnceLock;

use serde::Serialize;
use tera::{Context, Tera};

use super::ViewError;

const TEMPLATES: [(&str, &str); 8] = [
    ("finding.html", include_str!("../../templates/finding.html")),
    ("report.html", include_str!("../../templates/report.html")),
    ("mail/scan.html", include_str!("../../templates/mail/scan.html")),
    ("mail/scan.txt", include_str!("../../templates/mail/scan.txt")),
    ("mail/notice.html", include_str!("../../templates/mail/notice.html")),
    ("mail/notice.txt", include_str!("../../templates/mail/notice.txt")),
    ("mail/notice_parts.html", include_str!("../../templates/mail/notice_parts.html")),
    ("mail/row.html", include_str!("../../templates/mail/row.html")),
];

/// The style sheet of HTML reports, as it stands between `<style>` and `</style>`.
pub(super) const REPORT_CSS: &str = include_str!("../../templates/report.css");

/// Renders one of the embedded templates.
pub(super) fn render<T: Serialize>(template: &'static str, page: &T) -> Result<String, ViewError> {
    static ENGINE: OnceLock<Result<Tera, String>> = OnceLock::new();
    let fail = |source| ViewError { template, source };
    let engine = ENGINE.get_or_init(|| {
        let mut tera = Tera::default();
        tera.autoescape_on([".html"]);
        tera.add_raw_templates(TEMPLATES).map_err(|e| e.to_string())?;
        Ok(tera)
    });
    let engine = engine.as_ref().map_err(|e| fail(tera::Error::message(e.as_str())))?;
    let context = Context::from_serialize(page).map_err(fail)?;
    engine.render(template, &context).map_err(fail)
}
