//! The header fields of a message, in order, each value the bytes that came (folding undone, blanks at the ends gone).

use std::{
    borrow::Cow,
    fmt::{self, Write as _},
    sync::Arc,
};

use bytes::Bytes;

use super::{Name, scan};

/// One header line.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: Name,
    pub(super) value: Bytes,
}

/// An ordered list of header lines. Cloning shares it; the first change after a clone copies the list, not the bytes.
///
/// No value written here can break a line: CR and LF become blanks.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Arc<Vec<Field>>);

impl Headers {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }
    /// The first value, as text ([`scan::text`]).
    pub fn get(&self, name: &Name) -> Option<Cow<'_, str>> {
        self.raw(name).map(|v| scan::text(v))
    }
    /// The first value, as it came.
    pub fn raw(&self, name: &Name) -> Option<&Bytes> {
        self.0.iter().find(|f| f.name == *name).map(|f| &f.value)
    }
    /// Every value of this name, one per header line, in order.
    pub fn all<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = Cow<'a, str>> + 'a {
        self.0.iter().filter(move |f| f.name == *name).map(|f| scan::text(&f.value))
    }
    /// The items of a list header over all its lines, commas in quotes and brackets respected; empty items are skipped.
    /// An item that never ends its quote is left out with all behind it: use the typed views where that matters.
    pub fn items(&self, name: &Name) -> Vec<String> {
        let mut out = Vec::new();
        for line in self.all(name) {
            out.extend(scan::items(&line).map_while(Result::ok).filter(|i| !i.is_empty()).map(str::to_owned));
        }
        out
    }
    /// How many lines have this name.
    pub fn count(&self, name: &Name) -> usize {
        self.0.iter().filter(|f| f.name == *name).count()
    }
    /// True when there is such a line.
    pub fn has(&self, name: &Name) -> bool {
        self.raw(name).is_some()
    }
    /// All lines in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, &Bytes)> {
        self.0.iter().map(|f| (&f.name, &f.value))
    }
    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Adds a line at the end.
    pub fn push(&mut self, name: Name, value: impl fmt::Display) {
        self.push_raw(name, text_of(value));
    }
    /// Adds a line at the end, sharing the bytes.
    pub fn push_raw(&mut self, name: Name, value: Bytes) {
        Arc::make_mut(&mut self.0).push(Field { name, value: one_line(value) });
    }
    /// Adds a line before all others: where a Via or Record-Route goes.
    pub fn push_front(&mut self, name: Name, value: impl fmt::Display) {
        let value = one_line(text_of(value));
        Arc::make_mut(&mut self.0).insert(0, Field { name, value });
    }
    /// Makes `value` the only line of this name, where the first one was, else at the end.
    pub fn set(&mut self, name: Name, value: impl fmt::Display) {
        self.set_raw(name, text_of(value));
    }
    /// The same, with bytes as they are.
    pub fn set_raw(&mut self, name: Name, value: Bytes) {
        let value = one_line(value);
        let fields = Arc::make_mut(&mut self.0);
        match fields.iter().position(|f| f.name == name) {
            None => fields.push(Field { name, value }),
            Some(at) => {
                fields[at].value = value;
                let mut i = 0;
                fields.retain(|f| {
                    i += 1;
                    i - 1 <= at || f.name != name
                });
            }
        }
    }
    /// Takes every line of this name away; true if there was one.
    pub fn remove(&mut self, name: &Name) -> bool {
        let before = self.0.len();
        if self.has(name) {
            Arc::make_mut(&mut self.0).retain(|f| f.name != *name);
        }
        self.0.len() != before
    }
    /// Puts `item` in the place of the first item of the first line of this name, leaving what follows it alone: how a
    /// `received` gets into the top Via.
    pub fn replace_first(&mut self, name: &Name, item: impl fmt::Display) {
        let Some(at) = self.0.iter().position(|f| f.name == *name) else { return self.push_front(name.clone(), item) };
        let raw = self.0[at].value.clone();
        let old = scan::text(&raw);
        let rest = scan::find_outside(&old, |b| b == b',').ok().flatten().map_or("", |i| &old[i..]);
        let value = one_line(scan::bytes_like(&raw, format!("{item}{rest}")).into());
        Arc::make_mut(&mut self.0)[at].value = value;
    }
    /// Takes the first item of the first line of this name away (a popped Via or Route); true if there was one.
    pub fn remove_first(&mut self, name: &Name) -> bool {
        let Some(at) = self.0.iter().position(|f| f.name == *name) else { return false };
        let old = scan::text(&self.0[at].value).into_owned();
        let fields = Arc::make_mut(&mut self.0);
        match scan::find_outside(&old, |b| b == b',') {
            Ok(Some(i)) => fields[at].value = Bytes::from(scan::trim(&old[i + 1..]).to_owned()),
            _ => drop(fields.remove(at)),
        }
        true
    }
    /// Adds every line of this name that `other` has, byte for byte.
    pub fn copy(&mut self, name: &Name, other: &Headers) {
        let fields = Arc::make_mut(&mut self.0);
        fields.extend(other.0.iter().filter(|f| f.name == *name).cloned());
    }
    /// The parser's way in: values are known to be one line.
    pub(super) fn from_fields(fields: Vec<Field>) -> Self {
        Headers(Arc::new(fields))
    }
}

/// Room a value is written in; a longer one takes more.
const VALUE_ROOM: usize = 160;

/// What a value reads as. It is put together from small pieces: with room for all of them, and kept without what was too much.
fn text_of(value: impl fmt::Display) -> Bytes {
    let mut text = String::with_capacity(VALUE_ROOM);
    // Writing to a String cannot fail.
    let _ = write!(text, "{value}");
    Bytes::copy_from_slice(text.as_bytes())
}

/// `value` as it is, unless it would end the line.
fn one_line(value: Bytes) -> Bytes {
    if !value.iter().any(|b| matches!(b, b'\r' | b'\n')) {
        return value;
    }
    value.iter().map(|b| if matches!(b, b'\r' | b'\n') { b' ' } else { *b }).collect::<Vec<u8>>().into()
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |h: &Field| match h.name {
            // Not even a log of last resort may hold what can be replayed or guessed at.
            Name::Authorization | Name::ProxyAuthorization => Cow::Borrowed("***"),
            _ => Cow::Owned(scan::text(&h.value).into_owned()),
        };
        f.debug_map().entries(self.0.iter().map(|h| (&h.name, shown(h)))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_display_name_cannot_add_a_header() {
        let mut h = Headers::new();
        h.push(Name::Subject, "hello\r\nP-Asserted-Identity: <sip:boss@example.com>");
        h.set(Name::Subject, "again\nX: y");
        assert_eq!(h.len(), 1);
        assert!(h.iter().all(|(_, v)| !v.contains(&b'\n') && !v.contains(&b'\r')));
    }

    #[test]
    fn the_first_via_of_a_list_is_replaced_and_popped_alone() {
        let mut h = Headers::new();
        h.push(Name::Via, "SIP/2.0/UDP a, SIP/2.0/UDP b");
        h.push(Name::Via, "SIP/2.0/UDP c");
        h.replace_first(&Name::Via, "SIP/2.0/UDP a;received=1.2.3.4");
        assert_eq!(h.items(&Name::Via), ["SIP/2.0/UDP a;received=1.2.3.4", "SIP/2.0/UDP b", "SIP/2.0/UDP c"]);
        for left in [2, 1, 0] {
            assert!(h.remove_first(&Name::Via));
            assert_eq!(h.items(&Name::Via).len(), left);
        }
        assert!(!h.remove_first(&Name::Via));
    }

    #[test]
    fn setting_leaves_one_line_in_the_old_place_and_does_not_touch_a_clone() {
        let mut h = Headers::new();
        for (n, v) in [("a", "1"), ("Expires", "2"), ("b", "3"), ("expires", "4")] {
            h.push(Name::from(n), v);
        }
        let before = h.clone();
        h.set(Name::Expires, 60);
        let now: Vec<_> = h.iter().map(|(n, v)| format!("{n}={}", scan::text(v))).collect();
        assert_eq!(now, ["Accept-Contact=1", "Expires=60", "Referred-By=3"]);
        assert_eq!(before.count(&Name::Expires), 2);
    }
}
