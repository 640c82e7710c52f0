//! Flow files: those that come with the program or a folder's, and what `ringdesk flow` does with them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use rust_embed::RustEmbed;

use crate::{
    base::{FlowId, limits},
    ivr::{Flow, PromptInfo},
};

#[derive(RustEmbed)]
#[folder = "ivr-flows"]
struct Bundled;

/// Flows by id.
pub type Flows = BTreeMap<FlowId, Arc<Flow>>;

/// The flows of a folder, or those that come with the program. Every mistake of every file is in the error.
pub fn load(dir: Option<&Path>) -> Result<Flows> {
    let texts: Vec<(String, String)> = match dir {
        None => Bundled::iter()
            .filter(|n| is_flow(n))
            .filter_map(|n| {
                let file = Bundled::get(&n)?;
                Some((n.to_string(), String::from_utf8_lossy(&file.data).into_owned()))
            })
            .collect(),
        Some(dir) => read_dir(dir)?,
    };
    parse(texts)
}

fn is_flow(name: &str) -> bool {
    (name.ends_with(".yaml") || name.ends_with(".yml")) && !name.contains('/')
}

fn read_dir(dir: &Path) -> Result<Vec<(String, String)>> {
    let list = std::fs::read_dir(dir).with_context(|| format!("cannot read the flows folder {}", dir.display()))?;
    let mut paths: Vec<PathBuf> = list.filter_map(|e| e.ok().map(|e| e.path())).collect();
    paths.sort();
    let name = |p: &Path| p.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    paths.iter().filter(|p| p.is_file() && is_flow(&name(p))).map(|p| Ok((p.display().to_string(), read(p)?))).collect()
}

/// One flow file's text, within its bound.
pub fn read(path: &Path) -> Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    if text.len() > limits::FLOW_BYTES_MAX {
        bail!("{}: {} bytes; a flow file has at most {}", path.display(), text.len(), limits::FLOW_BYTES_MAX);
    }
    Ok(text)
}

fn parse(texts: Vec<(String, String)>) -> Result<Flows> {
    let (mut flows, mut bad) = (Flows::new(), Vec::new());
    for (file, text) in texts {
        match Flow::parse(&file, &text) {
            Ok(flow) => {
                if let Some(other) = flows.insert(flow.id.clone(), Arc::new(flow)) {
                    bad.push(format!("{file}: flow `{}` is already in {}", other.id, other.file));
                }
            }
            Err(errors) => bad.push(errors.to_string()),
        }
    }
    match bad.is_empty() {
        true => Ok(flows),
        false => bail!("{}", bad.join("\n")),
    }
}

/// Where prompts named by flows lie.
pub fn prompt_dirs(dir: Option<&Path>) -> Vec<PathBuf> {
    dir.map(|d| vec![d.to_path_buf()]).unwrap_or_default()
}

/// What the linter must know of a recorded prompt; none when there is no such file.
pub fn prompt_info(path: &Path) -> Option<PromptInfo> {
    let clip = media::wav::read(path).ok()?;
    Some(PromptInfo { sample_rate_hz: 8_000, duration: clip.duration() })
}
