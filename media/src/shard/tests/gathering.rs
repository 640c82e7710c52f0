//! When a leg's packets may wait in their socket, and when no longer.

use std::{sync::Arc, time::Duration};

use super::World;
use crate::{
    dtmf::Payload,
    pipe::Pipe,
    tone,
    wire::{Audience, BridgeId, Codec, Command, PlayId, Rate, RecordFormat, RecordId, Repeat, TapId},
};

#[test]
fn what_a_caller_says_into_a_prompt_may_gather_until_a_key_is_down_or_somebody_hears_it() {
    let mut w = World::new();
    let (caller, agent) = (w.phone(Codec::Pcma, Some(440.0)), w.phone(Codec::Pcma, Some(1_000.0)));
    let (leg, slot) = (w.phones[caller].leg, w.phones[caller].slot);
    assert!(!w.shard.may_gather(slot), "where it comes from is not known yet");
    let clips = vec![Arc::new(tone::hold_music())];
    w.tell(Command::Play { leg, play: PlayId(1), clips, repeat: Repeat::Forever });
    w.run(200);
    assert!(w.shard.may_gather(slot));
    w.tell(Command::Report { leg });
    assert_eq!(w.shard.stirred(), None);
    // A key goes down, and up.
    let key = |end, duration| Payload { code: 5, end, volume: 10, duration };
    let ts = w.phones[caller].ts;
    w.event(caller, ts, true, key(false, 160));
    assert!(!w.shard.may_gather(slot));
    w.event(caller, ts, false, key(true, 640));
    assert!(w.shard.may_gather(slot));
    // Somebody hears it, records it, listens to it: each is said once, and the end of it is nothing to say.
    let (record, path) = (RecordId(1), "kept nowhere.wav".into());
    let said = Some(Pipe::new(Rate::K8, 1_000));
    let starts = [
        Command::Bridge { bridge: BridgeId(1), audience: Audience::all(&[leg, w.phones[agent].leg]) },
        Command::Record { record, left: Some(leg), right: None, path, format: RecordFormat::Wav },
        Command::Tap { tap: TapId(1), leg, said, heard: None },
        // A new place to send to is not known to be the caller's before it was heard from.
        Command::Agree { leg, remote: crate::wire::Remote { rtp: ([192, 0, 2, 99], 9_000).into(), ..w.remote(caller) } },
    ];
    let ends = [
        Command::Unbridge { leg },
        Command::StopRecord { record },
        Command::StopTap { tap: TapId(1) },
        Command::WatchSilence { leg, after: Some(Duration::from_secs(1)) },
    ];
    for (start, end) in starts.into_iter().zip(ends) {
        let what = format!("{start:?}");
        assert!(w.shard.may_gather(slot), "before {what}");
        w.tell(start);
        assert_eq!((w.shard.stirred(), w.shard.stirred()), (Some(slot), None), "{what}");
        assert!(!w.shard.may_gather(slot), "{what}");
        w.tell(end);
        assert_eq!(w.shard.stirred(), None, "{what}");
    }
}
