//! Who may call which route: one table, read by the guard and walked by a test over every route of the OpenAPI document.
//!
//! A route that is not in the table is closed to everybody. The table says the least role; whether a *particular*
//! interaction is the caller's own is decided where the thing is known (`center`, and `scope` for what is read).

use crate::center::command::Role;

/// The least a caller must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nobody in particular.
    Open,
    /// Anyone signed in.
    Login,
    /// At least this role.
    Role(Role),
}

const OPEN: Need = Need::Open;
const LOGIN: Need = Need::Login;
const AGENT: Need = Need::Role(Role::Agent);
const SUPER: Need = Need::Role(Role::Supervisor);
const ADMIN: Need = Need::Role(Role::Admin);

/// Method, path as in the OpenAPI document, least role.
pub const TABLE: &[(&str, &str, Need)] = &[
    ("GET", "/healthz", OPEN),
    ("GET", "/metrics", SUPER),
    ("GET", "/api/v1/openapi.json", OPEN),
    ("POST", "/api/v1/auth/login", OPEN),
    ("POST", "/api/v1/auth/logout", LOGIN),
    ("POST", "/api/v1/auth/password", LOGIN),
    ("GET", "/api/v1/auth/factor", LOGIN),
    ("POST", "/api/v1/auth/factor", LOGIN),
    ("POST", "/api/v1/auth/factor/confirm", LOGIN),
    ("POST", "/api/v1/auth/factor/off", LOGIN),
    ("GET", "/api/v1/auth/sessions", LOGIN),
    ("POST", "/api/v1/auth/sessions/end", LOGIN),
    ("GET", "/api/v1/me", LOGIN),
    ("GET", "/api/v1/events", AGENT),
    ("GET", "/api/v1/codes", AGENT),
    ("GET", "/api/v1/agents", AGENT),
    ("GET", "/api/v1/agents/{id}/state", AGENT),
    ("PUT", "/api/v1/agents/{id}/state", AGENT),
    ("POST", "/api/v1/agents/{id}/sign-in", AGENT),
    ("POST", "/api/v1/agents/{id}/sign-out", AGENT),
    ("POST", "/api/v1/agents/{id}/dial", AGENT),
    ("PUT", "/api/v1/agents/{id}/endpoint", AGENT),
    ("POST", "/api/v1/sip/credentials", AGENT),
    ("GET", "/api/v1/trunks", SUPER),
    ("POST", "/api/v1/trunks/{name}/test", SUPER),
    ("POST", "/api/v1/trunks/{name}/call", SUPER),
    ("GET", "/api/v1/queues", AGENT),
    ("GET", "/api/v1/alerts", SUPER),
    ("POST", "/api/v1/alerts/{queue}/{metric}/acknowledge", SUPER),
    ("GET", "/api/v1/interactions", AGENT),
    ("GET", "/api/v1/interactions/{id}", AGENT),
    ("GET", "/api/v1/interactions/{id}/timeline", AGENT),
    ("GET", "/api/v1/interactions/{id}/transcript", AGENT),
    ("GET", "/api/v1/interactions/{id}/decisions", AGENT),
    ("GET", "/api/v1/interactions/{id}/messages", AGENT),
    ("GET", "/api/v1/interactions/{id}/recording", AGENT),
    ("GET", "/api/v1/interactions/{id}/quality", AGENT),
    ("GET", "/api/v1/interactions/{id}/ladder", SUPER),
    ("GET", "/api/v1/interactions/{id}/why", SUPER),
    ("POST", "/api/v1/interactions/{id}/finish", AGENT),
    ("POST", "/api/v1/interactions/{id}/hold", AGENT),
    ("POST", "/api/v1/interactions/{id}/transfer", AGENT),
    ("POST", "/api/v1/interactions/{id}/dispose", AGENT),
    ("POST", "/api/v1/interactions/{id}/wrap-up-done", AGENT),
    ("POST", "/api/v1/interactions/{id}/extend-wrap-up", AGENT),
    ("POST", "/api/v1/interactions/{id}/priority", SUPER),
    ("POST", "/api/v1/interactions/{id}/assign", SUPER),
    ("POST", "/api/v1/interactions/{id}/supervise", SUPER),
    ("DELETE", "/api/v1/interactions/{id}/supervise", SUPER),
    ("POST", "/api/v1/interactions/{id}/take-over", SUPER),
    ("POST", "/api/v1/interactions/{id}/pull", SUPER),
    ("POST", "/api/v1/interactions/{id}/consult", AGENT),
    ("POST", "/api/v1/interactions/{id}/consult/swap", AGENT),
    ("POST", "/api/v1/interactions/{id}/consult/complete", AGENT),
    ("POST", "/api/v1/interactions/{id}/consult/merge", AGENT),
    ("POST", "/api/v1/interactions/{id}/consult/cancel", AGENT),
    ("POST", "/api/v1/interactions/{id}/dtmf", AGENT),
    ("POST", "/api/v1/interactions/{id}/mute", AGENT),
    ("POST", "/api/v1/interactions/{id}/recording", AGENT),
    ("PUT", "/api/v1/interactions/{id}/streams/{name}", SUPER),
    ("DELETE", "/api/v1/interactions/{id}/streams/{name}", SUPER),
    ("POST", "/api/v1/interactions/{id}/messages", AGENT),
    ("POST", "/api/v1/interactions/{id}/files", AGENT),
    ("GET", "/api/v1/interactions/{id}/files/{seq}", AGENT),
    ("POST", "/api/v1/interactions/{id}/notes", AGENT),
    ("POST", "/api/v1/interactions/{id}/read", AGENT),
    ("POST", "/api/v1/interactions/{id}/typing", AGENT),
    ("POST", "/api/v1/offers/{id}/accept", AGENT),
    ("POST", "/api/v1/offers/{id}/decline", AGENT),
    ("GET", "/api/v1/tickets", AGENT),
    ("POST", "/api/v1/tickets", AGENT),
    ("GET", "/api/v1/tickets/{id}", AGENT),
    ("POST", "/api/v1/tickets/{id}/changes", AGENT),
    ("POST", "/api/v1/tickets/changes", AGENT),
    ("POST", "/api/v1/tickets/{id}/viewing", AGENT),
    ("GET", "/api/v1/views", AGENT),
    ("POST", "/api/v1/views", AGENT),
    ("PUT", "/api/v1/views/{id}", AGENT),
    ("DELETE", "/api/v1/views/{id}", AGENT),
    ("GET", "/api/v1/customers", AGENT),
    ("GET", "/api/v1/customers/{id}", AGENT),
    ("GET", "/api/v1/customers/{id}/timeline", AGENT),
    ("POST", "/api/v1/customers/{id}/changes", AGENT),
    ("POST", "/api/v1/customers/changes", AGENT),
    ("GET", "/api/v1/customers/{id}/erasure", ADMIN),
    ("POST", "/api/v1/customers/{id}/erasure", ADMIN),
    ("GET", "/api/v1/config", ADMIN),
    ("PUT", "/api/v1/config", ADMIN),
    ("GET", "/api/v1/config/document", ADMIN),
    ("GET", "/api/v1/flows", ADMIN),
    ("POST", "/api/v1/flows", ADMIN),
    ("POST", "/api/v1/flows/validate", ADMIN),
    ("POST", "/api/v1/flows/simulate", ADMIN),
    ("GET", "/api/v1/flows/{name}", ADMIN),
    ("GET", "/api/v1/flows/{name}/versions", ADMIN),
    ("GET", "/api/v1/flows/{name}/versions/{version}", ADMIN),
    ("POST", "/api/v1/flows/{name}/rollback", ADMIN),
    ("GET", "/api/v1/flows/{name}/counts", ADMIN),
    ("GET", "/api/v1/reports/intervals", SUPER),
    ("GET", "/api/v1/reports/agents", SUPER),
    ("GET", "/api/v1/reports/saved", SUPER),
    ("PUT", "/api/v1/reports/saved/{name}", SUPER),
    ("DELETE", "/api/v1/reports/saved/{name}", SUPER),
    ("GET", "/api/v1/reports/saved/{name}/{due_at}", SUPER),
    ("GET", "/api/v1/canned", AGENT),
    ("GET", "/api/v1/users", ADMIN),
    ("POST", "/api/v1/users", ADMIN),
    ("PUT", "/api/v1/users/{id}", ADMIN),
    ("DELETE", "/api/v1/users/{id}", ADMIN),
    ("GET", "/api/v1/users/{id}/sessions", ADMIN),
    ("DELETE", "/api/v1/users/{id}/sessions", ADMIN),
    ("DELETE", "/api/v1/users/{id}/factor", ADMIN),
    ("GET", "/api/v1/api-keys", ADMIN),
    ("POST", "/api/v1/api-keys", ADMIN),
    ("DELETE", "/api/v1/api-keys/{name}", ADMIN),
    ("GET", "/api/v1/webhooks", ADMIN),
    ("POST", "/api/v1/webhooks", ADMIN),
    ("PUT", "/api/v1/webhooks/{name}", ADMIN),
    ("DELETE", "/api/v1/webhooks/{name}", ADMIN),
    ("POST", "/api/v1/webhooks/{name}/secret", ADMIN),
    ("POST", "/api/v1/webhooks/{name}/test", ADMIN),
    ("GET", "/api/v1/webhooks/{name}/deliveries", ADMIN),
    ("GET", "/api/v1/webhooks/{name}/deliveries/{seq}", ADMIN),
    ("DELETE", "/api/v1/webhooks/{name}/deliveries/{seq}", ADMIN),
    ("POST", "/api/v1/webhooks/{name}/replay", ADMIN),
    ("GET", "/api/v1/audit", ADMIN),
    ("GET", "/api/v1/retention", ADMIN),
    ("PUT", "/api/v1/retention", ADMIN),
    ("GET", "/api/v1/holds", ADMIN),
    ("PUT", "/api/v1/holds/{kind}/{id}", ADMIN),
    ("DELETE", "/api/v1/holds/{kind}/{id}", ADMIN),
];

/// What a route asks for; none when nobody decided, which closes it.
pub fn need(method: &str, path: &str) -> Option<Need> {
    // HEAD reads what GET reads.
    let method = if method == "HEAD" { "GET" } else { method };
    TABLE.iter().find(|(m, p, _)| *m == method && *p == path).map(|(_, _, need)| *need)
}

impl Need {
    /// Whether somebody of this role passes.
    pub fn admits(self, role: Role) -> bool {
        match self {
            Need::Open | Need::Login => true,
            Need::Role(least) => role >= least,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_nobody_thought_about_is_closed_and_no_route_is_listed_twice() {
        assert_eq!(need("PATCH", "/api/v1/users"), None);
        assert_eq!(need("HEAD", "/api/v1/me"), Some(Need::Login));
        for (i, (m, p, _)) in TABLE.iter().enumerate() {
            assert!(!TABLE[..i].iter().any(|(m2, p2, _)| m == m2 && p == p2), "{m} {p} twice");
        }
        assert!(!ADMIN.admits(Role::Supervisor) && SUPER.admits(Role::Admin));
    }
}
