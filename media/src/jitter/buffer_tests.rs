//! Stories of packets that come late, twice, in the wrong order, or not at all.

use super::*;

const MS: u64 = 1_000_000;

/// A buffer of 20 ms G.711 packets, and the ticks that empty it.
struct Story {
    buffer: Buffer,
    now: At,
}

impl Story {
    fn new() -> Self {
        Self { buffer: Buffer::new(8_000, 4_096), now: At(50 * MS) }
    }

    fn packet(&mut self, n: u32) -> Put {
        self.say(n, n * 160, 160)
    }

    /// The payload names the packet.
    fn say(&mut self, seq: u32, ts: u32, ticks: u32) -> Put {
        let payload = vec![seq as u8; ticks as usize];
        let p = Packet { seq: seq as u16, ts, ticks, marker: false, comfort: false, payload: &payload };
        self.buffer.put(self.now, p)
    }

    fn comfort(&mut self, seq: u32, ts: u32) -> Put {
        let p = Packet { seq: seq as u16, ts, ticks: 0, marker: false, comfort: true, payload: &[60] };
        self.buffer.put(self.now, p)
    }

    /// One tick of 20 ms: `5` packet 5, `-` lost, `-6` lost and packet 6 is there, `.` nothing, `~` comfort noise.
    fn tick(&mut self) -> String {
        self.now = At(self.now.0 + 20 * MS);
        match self.buffer.pull(self.now, 0, 160) {
            Next::Packet(p) => p[0].to_string(),
            Next::Comfort(_) => "~".into(),
            Next::Lost { ticks: 160, next: None } => "-".into(),
            Next::Lost { ticks: 160, next: Some(p) } => format!("-{}", p[0]),
            Next::Nothing { ticks: 160 } => ".".into(),
            other => format!("{other:?}"),
        }
    }

    fn ticks(&mut self, n: usize) -> String {
        (0..n).map(|_| self.tick()).collect::<Vec<_>>().join(" ")
    }
}

#[test]
fn reordered_packets_come_out_in_order_and_once() {
    let mut s = Story::new();
    let put = [0, 2, 1, 1, 3].map(|n| s.packet(n));
    assert_eq!(put, [Put::Taken, Put::Taken, Put::Taken, Put::Twice, Put::Taken]);
    assert_eq!(s.ticks(5), "0 1 2 3 -");
    assert_eq!(s.packet(2), Put::Late);
}

#[test]
fn a_lost_packet_is_made_up_for_from_the_next_one_and_costs_no_delay() {
    let mut s = Story::new();
    let mut heard = Vec::new();
    for n in 0..10 {
        if n != 4 && n != 6 {
            s.packet(n);
        }
        heard.push(s.tick());
    }
    // With one packet at a time in the buffer it is not known at first whether the fifth is lost or late.
    assert_eq!(heard.join(" "), "0 1 2 3 - 5 - 7 8 9");
    let mut s = Story::new();
    for n in [0, 1, 3, 4] {
        s.packet(n);
    }
    assert_eq!(s.ticks(5), "0 1 -3 3 4");
}

#[test]
fn a_packet_that_is_only_late_is_heard_after_all_and_the_delay_has_grown_at_once() {
    let mut s = Story::new();
    for n in 0..=200 {
        s.packet(n);
        s.tick();
    }
    assert_eq!(s.ticks(2), "- -");
    for n in 201..=203 {
        s.packet(n);
    }
    assert_eq!(s.ticks(4), "201 202 203 -");
    s.packet(204);
    assert_eq!(s.tick(), "204");
    // It happened once in 200: no reason to wait longer from now on. The surplus is for whoever pulls to take back.
    assert!(s.buffer.excess(s.now, 0).is_some_and(|e| e >= 160), "{:?}", s.buffer.excess(s.now, 0));
}

#[test]
fn a_speaker_who_falls_silent_without_a_word_is_not_lost_sound_when_the_sequence_has_no_gap() {
    let mut s = Story::new();
    for n in 0..3 {
        s.packet(n);
    }
    s.say(3, 5 * 160, 160);
    assert_eq!(s.ticks(6), "0 1 2 . . 3");
}

#[test]
fn announced_silence_lasts_until_somebody_speaks_and_the_delay_begins_anew() {
    let mut s = Story::new();
    s.packet(0);
    s.comfort(1, 160);
    assert_eq!(s.ticks(2), "0 ~");
    s.buffer.rest();
    assert_eq!(s.ticks(100), [". "; 100].concat().trim_end());
    s.say(2, 102 * 160, 160);
    assert_eq!(s.tick(), "2");
}

#[test]
fn a_cut_of_thirty_seconds_ends_with_the_first_packet_and_so_does_a_jump_of_the_timestamp() {
    let mut s = Story::new();
    s.packet(0);
    let cut = s.ticks(1_500);
    assert!(cut.starts_with("0 - - - - - - - - - - - - - - - . .") && cut.ends_with(". ."), "{cut}");
    s.packet(1_501);
    s.packet(1_502);
    assert_eq!(s.ticks(2), format!("{} {}", 1_501u32 as u8, 1_502u32 as u8));
    for ts in [3_000_000_000u32, 5, 200_000] {
        s.say(7, ts, 160);
        assert_eq!(s.tick(), "7", "at {ts}");
    }
}

#[test]
fn a_gateway_that_starts_its_timestamps_over_a_little_below_is_heard_at_once() {
    let mut s = Story::new();
    for n in 100..110 {
        s.packet(n);
        s.tick();
    }
    s.say(110, 105 * 160, 160);
    assert_eq!(s.tick(), "110");
}

#[test]
fn a_burst_after_a_standstill_is_heard_from_where_nobody_waits_too_long() {
    let mut s = Story::new();
    for n in 0..25 {
        s.packet(n);
    }
    assert_eq!(s.ticks(2), "23 24", "480 ms came at once");
}

#[test]
fn packets_of_any_length_share_the_room_and_the_oldest_gives_way() {
    let mut s = Story::new();
    let mut ts = 0;
    for n in 0..200u32 {
        let ticks = [80, 480, 160, 240][n as usize % 4];
        assert_eq!(s.say(n, ts, ticks), Put::Taken);
        ts += ticks;
        assert!(s.buffer.waiting() <= JITTER_PACKETS_MAX);
    }
    let newest = s.buffer.waiting();
    assert!((10..=20).contains(&newest), "{newest} packets in 4,096 bytes");
    assert_eq!(s.say(200, ts, 961), Put::Unfit);
    assert_eq!(s.say(200, ts, 0), Put::Unfit);
}

#[test]
fn sequence_and_timestamp_wrap_without_a_sound() {
    let mut s = Story::new();
    let mut heard = Vec::new();
    for n in 0..10u32 {
        s.say(n.wrapping_sub(5), n.wrapping_mul(160).wrapping_sub(800), 160);
        heard.push(s.tick());
    }
    assert_eq!(heard.join(" "), "251 252 253 254 255 0 1 2 3 4");
}
