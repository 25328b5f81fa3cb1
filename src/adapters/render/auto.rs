//! Which renderer a target has.

use super::command::Program;
use super::helm::Helm;
use super::kustomization::{NAMES, Nested};
use super::kustomize::Kustomize;
use super::paths::beside;
use super::plain::Plain;
use super::renderer::Renderer;
use super::toolbox::Toolbox;
use crate::config::render::{self, Render};
use crate::ports::SourceTree;

/// The renderer of a target: the one that the configuration names, else as Argo CD decides (its documentation, "Tool detection").
pub fn choose<'a>(
    render: &'a Render,
    toolbox: &'a Toolbox,
    tree: &dyn SourceTree,
    path: &str,
) -> Box<dyn Renderer + 'a> {
    let network = render.network;
    match render.renderer {
        render::Renderer::Auto if render.helm.chart.is_some() || is_there(tree, path, "Chart.yaml") => {
            Box::new(Helm { options: &render.helm, network, toolbox })
        }
        render::Renderer::Auto if render.has_overlay() || NAMES.iter().any(|name| is_there(tree, path, name)) => {
            Box::new(Kustomize { options: render, toolbox })
        }
        render::Renderer::Flux
            if render.has_overlay() || Nested::of(tree, path).is_ok_and(|nested| !nested.kustomizations.is_empty()) =>
        {
            Box::new(Kustomize { options: render, toolbox })
        }
        render::Renderer::Auto | render::Renderer::Flux | render::Renderer::Plain => {
            Box::new(Plain { files: &render.plain })
        }
        render::Renderer::Kustomize => Box::new(Kustomize { options: render, toolbox }),
        render::Renderer::Helm => Box::new(Helm { options: &render.helm, network, toolbox }),
        render::Renderer::Command => Box::new(Program { argv: &render.command, network, toolbox }),
    }
}

fn is_there(tree: &dyn SourceTree, path: &str, name: &str) -> bool {
    tree.read(&beside(path, name)).is_some()
}
