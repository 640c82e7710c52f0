//! The words every room speaks: typed ids, time as a value, the deadline table, the seeded random source, named limits,
//! redaction, telephone numbers, how much may come in under load. Knows no room above it.

pub mod acl;
pub mod address;
pub mod deadline;
pub mod e164;
pub mod ids;
pub mod limits;
pub mod overload;
pub mod pattern;
pub mod redact;
pub mod region;
pub mod rng;
pub mod slug;
pub mod time;

pub use acl::{Acl, Network};
pub use address::{is_private, is_public, source};
pub use deadline::Deadlines;
pub use ids::*;
pub use overload::Admission;
pub use pattern::NumberPattern;
pub use redact::Redact;
pub use region::Region;
pub use rng::Rng;
pub use slug::Slug;
pub use time::{Mono, Now, Wall, days, mins, ms, secs};
