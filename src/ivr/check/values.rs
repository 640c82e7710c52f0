pub(super) fn check(_: &mut super::Found<'_>, _: &crate::ivr::Library) {}
