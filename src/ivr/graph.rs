//! A flow as a drawing: Graphviz text, for `ringdesk flow graph`.

use std::fmt::Write as _;

use super::flow::{EdgeKind, Flow, Verb};

/// The graph in the dot language. Inherited error and hang-up edges are left out: they would hide the flow.
pub fn graph(flow: &Flow) -> String {
    let mut out = String::new();
    let quote = |s: &str| s.replace('\\', "\\\\").replace('"', "\\\"");
    let _ = writeln!(out, "digraph \"{}\" {{", quote(flow.id.as_str()));
    out.push_str("  rankdir=TB;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=10];\n");
    let _ =
        writeln!(out, "  \"·start\" [shape=circle, label=\"\", width=0.2];\n  \"·start\" -> \"{}\";", quote(&flow.start.it));
    for name in &flow.order {
        let Some(node) = flow.nodes.get(name) else { continue };
        let shape = match node.verb {
            Verb::Branch(_) | Verb::Hours(_) => ", shape=diamond, style=\"\"",
            Verb::Queue(_) | Verb::Callback(_) | Verb::Voicemail(_) | Verb::Transfer(_) => ", style=\"rounded,bold\"",
            Verb::Hangup | Verb::Return(_) => ", shape=oval",
            _ => "",
        };
        let _ = writeln!(out, "  \"{0}\" [label=\"{0}\\n{1}\"{shape}];", quote(name), node.verb.name());
        for e in node.edges().into_iter().filter(|e| !e.inherited) {
            let (label, style) = match e.kind {
                EdgeKind::When | EdgeKind::Case => (e.label.to_owned(), ""),
                EdgeKind::Exit => (format!("key {}", e.label), ""),
                EdgeKind::Then => (String::new(), ""),
                EdgeKind::Exhausted => ("exhausted".to_owned(), ", style=dashed"),
                EdgeKind::OtherChannel => ("other channel".to_owned(), ", style=dashed"),
                EdgeKind::OnError => ("error".to_owned(), ", style=dotted, color=red"),
                EdgeKind::OnHangup => ("hang-up".to_owned(), ", style=dotted"),
            };
            let _ = writeln!(out, "  \"{}\" -> \"{}\" [label=\"{}\"{style}];", quote(name), quote(&e.to.it), quote(&label));
        }
    }
    out.push_str("}\n");
    out
}
