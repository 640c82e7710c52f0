pub(super) fn check(_: &mut super::Found<'_>, _: &super::Catalog<'_>) {}
