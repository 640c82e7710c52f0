//! A user's own registrations as a `reginfo` document (RFC 3680): always the whole of them.

use std::fmt::Write;

use super::escape;
use crate::{base::Mono, sip::registrar::Binding};

/// A document.
pub fn write(aor: &str, version: u32, now: Mono, bindings: &[Binding]) -> String {
    let state = if bindings.is_empty() { "terminated" } else { "active" };
    let mut doc = format!(
        "<?xml version=\"1.0\"?>\r\n<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"{version}\" state=\"full\">\r\n\
         <registration aor=\"{}\" id=\"r\" state=\"{state}\">\r\n",
        escape(aor)
    );
    for (i, b) in bindings.iter().enumerate() {
        let uri = escape(&b.contact.to_string());
        let (left, q) = (b.expires_s(now), f32::from(b.q) / 1000.0);
        // Writing to a String cannot fail.
        let _ = write!(
            doc,
            "<contact id=\"c{i}\" state=\"active\" event=\"registered\" expires=\"{left}\" q=\"{q}\"><uri>{uri}</uri></contact>\r\n"
        );
    }
    doc.push_str("</registration>\r\n</reginfo>\r\n");
    doc
}
