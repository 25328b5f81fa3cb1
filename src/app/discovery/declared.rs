//! The objects that targets declare and that may name others.

use serde_json::Value;

use crate::app::gather::TargetSource;
use crate::config::TargetConfig;
use crate::model::resource::Gvk;

/// An object that may name targets.
pub(super) struct Declared {
    pub(super) object: Value,
    /// The target that declares it.
    pub(super) by: TargetConfig,
    /// Its file, and whether it is written there as it is; `None`: it is live.
    pub(super) file: Option<(String, bool)>,
}

pub(super) fn of_source(source: &TargetSource, flux: bool) -> Vec<Declared> {
    let of_operators = |group: &str| group == "argoproj.io" || group.ends_with(".toolkit.fluxcd.io");
    // Whose values Flux's objects may refer to.
    let is_config_map = |gvk: &Gvk| flux && gvk.gv.group.is_empty() && gvk.kind == "ConfigMap";
    let objects = source.objects.iter();
    let objects = objects.filter(|object| of_operators(&object.gvk.gv.group) || is_config_map(&object.gvk));
    let declared = |object: &crate::model::declared::RenderedObject| {
        let file = Some((object.file.clone(), object.written.is_some()));
        Some(Declared { object: object.tree().ok()?, by: source.config.clone(), file })
    };
    objects.filter_map(declared).collect()
}

/// `Application shop`.
pub(super) fn name(declared: &Declared) -> String {
    let text = |pointer: &str| declared.object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    format!("{} {}", text("/kind"), text("/metadata/name"))
}

pub(super) fn is_same_object(one: &Declared, other: &Declared) -> bool {
    let namespace = |one: &Declared| {
        let written = one.object.pointer("/metadata/namespace").and_then(Value::as_str);
        written.unwrap_or(&one.by.namespace).to_owned()
    };
    one.by.cluster == other.by.cluster && name(one) == name(other) && namespace(one) == namespace(other)
}
