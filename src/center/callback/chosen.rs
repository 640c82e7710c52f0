//! Whether an hour a customer has chosen is theirs: offered, and not taken by others.

use super::{Callback, ChosenHours};
use crate::{
    base::{InteractionId, Now, QueueId, Wall},
    center::{
        Center,
        command::{Refusal, RefusalCode},
        settings::TenantSettings,
    },
};

/// The hour a caller has typed, by the clock of the queue's hours; none if it is none, or the queue has none.
pub(super) fn meant(now: Now, settings: &TenantSettings, queue: &QueueId, said: &str) -> Option<Wall> {
    let (hours, calendar) = settings.callback_hours(queue)?;
    hours.meant(calendar, now.wall, said)
}

/// An hour that is somebody's.
#[derive(Debug)]
pub(super) struct Hour {
    /// How long it lasts.
    pub minutes: u32,
    /// For people of the house.
    pub said: String,
}

impl Center {
    /// A number asks again that waits already: it keeps what it has, and hears of it when it wants another hour.
    pub(super) fn callback_again(&self, before: InteractionId, at: Option<Wall>) -> Result<InteractionId, Refusal> {
        let chosen = self.interactions.get(&before).and_then(|i| i.callback.as_ref()).and_then(Callback::chosen);
        match at.is_none() || at == chosen {
            true => Ok(before),
            false => Err(Refusal::new(RefusalCode::Limit, "this number waits to be called already")),
        }
    }

    /// Whether customers of a queue may choose this hour, and one more may.
    pub(super) fn hour_is_free(&self, now: Now, settings: &TenantSettings, queue: &QueueId, at: Wall) -> Result<Hour, Refusal> {
        let Some((hours, calendar)) = settings.callback_hours(queue) else {
            return Err(Refusal::not_found(format!("an hour to be called back at by {queue}")));
        };
        let taken = || {
            let all = self.tenants.get(&settings.id).into_iter().flat_map(|t| t.callbacks.values());
            let here =
                all.filter_map(|id| self.interactions.get(id)).filter(|i| i.stood.as_ref().is_some_and(|e| e.queue == *queue));
            here.filter(|i| i.callback.as_ref().and_then(Callback::chosen) == Some(at)).count()
        };
        match hours.offers(calendar, now.wall, at) && taken() < hours.each as usize {
            true => Ok(Hour { minutes: hours.every_min, said: ChosenHours::said(calendar, at) }),
            false => Err(Refusal::new(RefusalCode::WrongState, "this hour is not free; choose another")),
        }
    }
}
