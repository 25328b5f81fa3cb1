//! How a view can fail.

/// A view that could not be written. Only a fault in an embedded template leads here: no input does.
#[derive(Debug, thiserror::Error)]
#[error("the template {template} could not be rendered")]
pub struct ViewError {
    /// Its name.
    pub template: &'static str,
    /// What the engine said; it names places in the template, not values.
    #[source]
    pub source: tera::Error,
}
