//! Committed facts, handed to the visitors' sockets they concern. One task reads the journal's broadcast for all of them.
//!
//! A socket that does not keep up is let go of: its page reconnects and is given what it missed from the store. So no queue
//! here ever grows, and nothing is lost by that.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use tokio::sync::{broadcast, mpsc};

use crate::{
    base::{Channel, InteractionId, TenantId, VisitorId},
    center::{
        fact::{Fact, Record},
        view::Blink,
    },
};

/// News a socket may be behind before it is let go of.
const BEHIND_MAX: usize = 256;
/// Most sockets of one visitor: open tabs. The newest is refused.
pub const TABS_MAX: usize = 8;

/// Something for a visitor's socket.
#[derive(Debug, Clone)]
pub enum News {
    /// A committed fact: the group and its place in it.
    Fact(Arc<[Record]>, usize),
    /// Something passing.
    Blink(Blink),
}

/// Who listens.
#[derive(Debug, Default)]
pub struct Hub(Mutex<Listeners>);

#[derive(Debug, Default)]
struct Listeners {
    by_visitor: BTreeMap<VisitorId, Tabs>,
    by_interaction: BTreeMap<InteractionId, VisitorId>,
    next: u64,
}

#[derive(Debug, Default)]
struct Tabs {
    tabs: BTreeMap<u64, mpsc::Sender<News>>,
    interaction: Option<InteractionId>,
}

impl Hub {
    fn lock(&self) -> MutexGuard<'_, Listeners> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Begins to listen for a visitor; none when too many tabs do. The flag: this is the first one.
    pub fn join(&self, visitor: VisitorId) -> Option<(u64, mpsc::Receiver<News>, bool)> {
        let mut all = self.lock();
        let tab = all.next;
        all.next += 1;
        let tabs = all.by_visitor.entry(visitor).or_default();
        if tabs.tabs.len() >= TABS_MAX {
            return None;
        }
        let (send, receive) = mpsc::channel(BEHIND_MAX);
        tabs.tabs.insert(tab, send);
        let first = tabs.tabs.len() == 1;
        Some((tab, receive, first))
    }

    /// Which chat the visitor is in.
    pub fn follow(&self, visitor: VisitorId, interaction: InteractionId) {
        let mut all = self.lock();
        let Some(tabs) = all.by_visitor.get_mut(&visitor) else { return };
        let before = tabs.interaction.replace(interaction);
        if let Some(before) = before.filter(|b| *b != interaction) {
            all.by_interaction.remove(&before);
        }
        all.by_interaction.insert(interaction, visitor);
    }

    /// A socket ended; true when it was the visitor's last.
    pub fn leave(&self, visitor: VisitorId, tab: u64) -> bool {
        let mut all = self.lock();
        let Some(tabs) = all.by_visitor.get_mut(&visitor) else { return true };
        tabs.tabs.remove(&tab);
        if !tabs.tabs.is_empty() {
            return false;
        }
        let gone = all.by_visitor.remove(&visitor);
        if let Some(interaction) = gone.and_then(|t| t.interaction) {
            all.by_interaction.remove(&interaction);
        }
        true
    }

    fn tell(&self, interaction: InteractionId, visitor: Option<VisitorId>, news: &News) {
        let mut all = self.lock();
        let known = all.by_interaction.get(&interaction).copied();
        let Some(visitor) = visitor.or(known) else { return };
        let Some(tabs) = all.by_visitor.get_mut(&visitor) else { return };
        // Dropping the sender ends the socket: its page comes back and reads on from the store.
        tabs.tabs.retain(|_, tab| tab.try_send(news.clone()).is_ok());
        if visitor_opened(news) && known.is_none() {
            tabs.interaction = Some(interaction);
            all.by_interaction.insert(interaction, visitor);
        }
    }

    /// Lets go of everybody: what they were to be told was missed.
    fn drop_all(&self) {
        self.lock().by_visitor.values_mut().for_each(|t| t.tabs.clear());
    }
}

fn visitor_opened(news: &News) -> bool {
    matches!(news, News::Fact(group, i) if matches!(group[*i].fact, Fact::InteractionOpened { channel: Channel::Webchat, .. }))
}

/// Hands on until the journal ends.
pub async fn run(
    hub: Arc<Hub>,
    mut facts: broadcast::Receiver<Arc<[Record]>>,
    mut blinks: broadcast::Receiver<(TenantId, Blink)>,
) {
    let mut blinking = true;
    loop {
        tokio::select! {
            group = facts.recv() => match group {
                Ok(group) => {
                    for (i, record) in group.iter().enumerate() {
                        let visitor = match &record.fact {
                            // Their calls from the page are no chats.
                            Fact::InteractionOpened { visitor, channel: Channel::Webchat, .. } => *visitor,
                            _ => None,
                        };
                        if let Some(interaction) = record.fact.interaction() {
                            hub.tell(interaction, visitor, &News::Fact(group.clone(), i));
                        }
                    }
                }
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "web chat fell behind the journal; visitors reconnect");
                    hub.drop_all();
                }
                Err(broadcast::error::RecvError::Closed) => {
                    hub.drop_all();
                    return;
                }
            },
            blink = blinks.recv(), if blinking => match blink {
                Ok((_, blink)) => {
                    if let Blink::Typing { interaction, .. } | Blink::Position { interaction, .. } = &blink {
                        hub.tell(*interaction, None, &News::Blink(blink.clone()));
                    }
                }
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => blinking = false,
            },
        }
    }
}
