//! What carriers report: supervisors see an alarm while one is away.

use super::{Center, Output};
use crate::base::{Now, TenantId, TrunkId};

impl Center {
    /// The registrar of a trunk has answered, or has not.
    pub(super) fn trunk_registered(
        &mut self,
        now: Now,
        tenant: &TenantId,
        trunk: &TrunkId,
        on: bool,
        code: u16,
        out: &mut Vec<Output>,
    ) {
        let message = format!("The trunk {trunk} is not registered: its carrier answered {code}.");
        self.alarm(now, tenant, &format!("trunk_registration_{trunk}"), &message, !on, out);
    }

    /// A trunk is down, or up again.
    pub(super) fn trunk_up(&mut self, now: Now, tenant: &TenantId, trunk: &TrunkId, up: bool, out: &mut Vec<Output>) {
        let message = format!("The trunk {trunk} does not answer.");
        self.alarm(now, tenant, &format!("trunk_down_{trunk}"), &message, !up, out);
    }
}
