//! Ladders: kept as they are, read back as one, and of one tenant only.

use super::{Lab, on_both, story::*};
use crate::{
    base::{InteractionId, Mono, Now, Rng, secs},
    center::ladder::{Ladder, Step},
    sip::transport::Transport,
    store::LadderRow,
};

on_both! {
    what_is_kept_in_two_parts_is_read_as_one_and_by_its_own_tenant_only
}

fn ladder(at: u64) -> Ladder {
    let step = Step {
        at: NINE + secs(at),
        sent: true,
        leg: 1,
        transport: Transport::Tls,
        local: "192.0.2.1:5061".parse().unwrap(),
        remote: "[2001:db8::9]:40000".parse().unwrap(),
        text: "INVITE sip:x SIP/2.0\r\nX: \u{0}'\u{1F600}\r\n\r\n".replace('\u{0}', "0"),
    };
    Ladder { parties: Vec::new(), steps: vec![step], dropped: at }
}

async fn what_is_kept_in_two_parts_is_read_as_one_and_by_its_own_tenant_only(lab: &Lab) {
    let id = InteractionId::new(Now { mono: Mono(0), wall: NINE }, &mut Rng::seeded(9));
    let row = |at: u64| LadderRow {
        tenant: tenant("acme"),
        interaction: id,
        at: NINE + secs(at),
        messages: 1,
        body: ladder(at).pack(),
    };
    assert_eq!(lab.store.ladder_get(&tenant("acme"), id).await.unwrap(), None);
    lab.store.ladder_put(vec![row(2), row(1)]).await.unwrap();
    // Tried again after an answer that was lost.
    lab.store.ladder_put(vec![row(1)]).await.unwrap();
    let whole = lab.store.ladder_get(&tenant("acme"), id).await.unwrap().unwrap();
    assert_eq!(whole.steps, [ladder(1).steps, ladder(2).steps].concat());
    assert_eq!(whole.dropped, 3);
    assert_eq!(lab.store.ladder_get(&tenant("other"), id).await.unwrap(), None);
}
