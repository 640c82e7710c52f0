//! Versions of the flows tenants have published, and how often which way through a flow was taken.

use std::collections::BTreeMap;

use super::{
    Store,
    engine::{Row, values},
    error::Result,
    replay::record,
};
use crate::{
    base::{FlowId, InteractionId, TenantId, Wall, limits},
    center::fact::Fact,
};

/// A published version of a flow, without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowVersion {
    /// From 1.
    pub version: u64,
    /// When it was published.
    pub at: Wall,
    /// Who did it.
    pub by: String,
    /// SHA-256 of the text, lower-case hex.
    pub hash: String,
    /// It is an earlier version published again.
    pub restored: Option<u64>,
}

/// A version to be kept.
#[derive(Debug, Clone, Copy)]
pub struct NewFlowVersion<'a> {
    /// When it is published.
    pub at: Wall,
    /// By whom.
    pub by: &'a str,
    /// SHA-256 of the text, lower-case hex.
    pub hash: &'a str,
    /// It is this earlier version again.
    pub restored: Option<u64>,
    /// The text.
    pub text: &'a str,
}

/// How often nodes and edges of one flow were walked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FlowCounts {
    /// Contacts that came into the flow.
    pub contacts: u64,
    /// Times each node was entered.
    pub nodes: BTreeMap<String, u64>,
    /// Times one node followed upon another.
    pub edges: BTreeMap<(String, String), u64>,
    /// Times nothing of the flow came after a node: it was left from there.
    pub left: BTreeMap<String, u64>,
    /// There was more than is counted; the oldest is left out.
    pub cut: bool,
}

fn version(r: &Row) -> Result<FlowVersion> {
    let restored = r.count_opt(4)?;
    Ok(FlowVersion { version: r.count(0)?, at: r.wall(1)?, by: r.text(2)?, hash: r.text(3)?, restored })
}

impl Store {
    /// Keeps a new version of a flow; its number. Of two added at the same moment one is refused as a conflict.
    pub async fn flow_version_append(&self, tenant: &TenantId, flow: &FlowId, new: NewFlowVersion<'_>) -> Result<u64> {
        let sql = "INSERT INTO flow_versions (tenant, flow, version, at, author, hash, restored, body) \
                   SELECT $1, $2, COALESCE(MAX(version), 0) + 1, CAST($3 AS BIGINT), $4, $5, CAST($6 AS BIGINT), $7 \
                   FROM flow_versions WHERE tenant = $1 AND flow = $2 RETURNING version";
        let values = values![tenant, flow.as_str(), new.at, new.by, new.hash, new.restored, new.text];
        self.db.write_one(sql, values, || format!("keep a version of flow {flow}")).await?.count(0)
    }

    /// The versions of a flow, newest first, at most [`limits::LIST_MAX`].
    pub async fn flow_version_list(&self, tenant: &TenantId, flow: &FlowId) -> Result<Vec<FlowVersion>> {
        let sql = "SELECT version, at, author, hash, restored FROM flow_versions WHERE tenant = $1 AND flow = $2 \
                   ORDER BY version DESC LIMIT $3";
        let values = values![tenant, flow.as_str(), limits::LIST_MAX];
        let rows = self.db.all(sql, values, || format!("list the versions of flow {flow}")).await?;
        rows.iter().map(version).collect()
    }

    /// One version with its text.
    pub async fn flow_version_get(&self, tenant: &TenantId, flow: &FlowId, n: u64) -> Result<Option<(FlowVersion, String)>> {
        let sql = "SELECT version, at, author, hash, restored, body FROM flow_versions \
                   WHERE tenant = $1 AND flow = $2 AND version = $3";
        let row = self.db.one(sql, values![tenant, flow.as_str(), n], || format!("read version {n} of flow {flow}")).await?;
        row.as_ref().map(|r| Ok((version(r)?, r.text(5)?))).transpose()
    }

    /// How often the ways through a flow were taken by contacts between two instants; the newest
    /// [`limits::FLOW_COUNTED_MAX`] steps are counted.
    pub async fn flow_counts(&self, tenant: &TenantId, flow: &FlowId, from: Wall, to: Wall) -> Result<FlowCounts> {
        let sql = "SELECT seq, kind, body FROM journal WHERE tenant = $1 AND kind = 'flow_entered' AND at >= $2 AND at < $3 \
                   ORDER BY at DESC, seq DESC LIMIT $4";
        let values = values![tenant, from, to, limits::FLOW_COUNTED_MAX];
        let rows = self.db.all(sql, values, || format!("count the ways through flow {flow}")).await?;
        let mut counts = FlowCounts { cut: rows.len() == limits::FLOW_COUNTED_MAX, ..FlowCounts::default() };
        let prefix = format!("{flow}/");
        let mut at: BTreeMap<InteractionId, String> = BTreeMap::new();
        for row in rows.iter().rev() {
            let Fact::FlowEntered { interaction, node } = record(row.count(0)?, &row.text(1)?, &row.text(2)?)?.fact else {
                continue;
            };
            // A flow called by this one is a way of its own; the edge is drawn once the caller is back.
            let Some(node) = node.strip_prefix(&prefix) else { continue };
            *counts.nodes.entry(node.to_owned()).or_default() += 1;
            match at.insert(interaction, node.to_owned()) {
                Some(before) => *counts.edges.entry((before, node.to_owned())).or_default() += 1,
                None => counts.contacts += 1,
            }
        }
        for node in at.into_values() {
            *counts.left.entry(node).or_default() += 1;
        }
        Ok(counts)
    }
}
