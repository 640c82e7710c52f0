//! Whether losses come in bursts or one by one (RFC 3611 section 4.7.2).
//!
//! A burst begins and ends with a loss and has fewer than [`G_MIN`] packets received in a row in it; everything else is gap,
//! a loss all alone in it too.

/// So many packets received in a row end a burst (RFC 3611 section 4.7.7 recommends 16).
pub const G_MIN: u8 = 16;

/// Packets of one source in order, lost or received.
#[derive(Debug, Clone, Default)]
pub struct Bursts {
    /// Received since the last loss, or since the beginning.
    received: u32,
    /// The losses so near to each other that they belong together, so far.
    open: Stretch,
    bursts: Stretch,
    gaps: Stretch,
}

/// Stretches of the same kind, added up.
#[derive(Debug, Clone, Copy, Default)]
struct Stretch {
    count: u32,
    packets: u32,
    lost: u32,
}

/// What is told of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Share lost within bursts, in 256ths.
    pub burst_density: u8,
    /// Share lost within gaps, in 256ths.
    pub gap_density: u8,
    /// Mean packets of a burst.
    pub burst_packets: u32,
    /// Mean packets of a gap.
    pub gap_packets: u32,
}

impl Stretch {
    fn add(&mut self, other: Stretch) {
        self.packets = self.packets.saturating_add(other.packets);
        self.lost = self.lost.saturating_add(other.lost);
    }

    fn density(self) -> u8 {
        (u64::from(self.lost) * 256 / u64::from(self.packets.max(1))).min(255) as u8
    }

    fn mean(self) -> u32 {
        self.packets / self.count.max(1)
    }
}

impl Bursts {
    /// The next packet was received, or not.
    #[inline]
    pub fn packet(&mut self, received: bool) {
        if received {
            self.received = self.received.saturating_add(1);
        } else {
            self.loss();
        }
    }

    fn loss(&mut self) {
        let between = std::mem::take(&mut self.received);
        if self.open.lost > 0 && between < u32::from(G_MIN) {
            self.open.add(Stretch { count: 0, packets: between.saturating_add(1), lost: 1 });
            return;
        }
        self.close();
        self.gaps.add(Stretch { count: 0, packets: between, lost: 0 });
        self.open = Stretch { count: 1, packets: 1, lost: 1 };
    }

    /// What was open is a burst, or one loss in a gap.
    fn close(&mut self) {
        let open = std::mem::take(&mut self.open);
        if open.lost > 1 {
            self.bursts.add(open);
            self.bursts.count += 1;
            // Bursts and gaps take turns.
            self.gaps.count += 1;
        } else {
            self.gaps.add(open);
        }
    }

    /// As if it all ended now.
    pub fn figures(&self) -> Figures {
        let mut all = self.clone();
        all.close();
        all.gaps.add(Stretch { count: 0, packets: all.received, lost: 0 });
        all.gaps.count += 1;
        Figures {
            burst_density: all.bursts.density(),
            gap_density: all.gaps.density(),
            burst_packets: all.bursts.mean(),
            gap_packets: all.gaps.mean(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(packets: &str) -> Figures {
        let mut b = Bursts::default();
        packets.bytes().for_each(|p| b.packet(p == b'.'));
        b.figures()
    }

    #[test]
    fn losses_that_lie_together_are_a_burst_and_one_alone_belongs_to_the_gap() {
        let dots = |n| ".".repeat(n);
        assert_eq!(told(&dots(100)), Figures { gap_packets: 100, ..Figures::default() });
        let alone = told(&(dots(127) + "x" + &dots(128)));
        assert_eq!(alone, Figures { gap_density: 1, gap_packets: 256, ..Figures::default() });
        // Ten packets, five lost, between two gaps of 50.
        let burst = told(&(dots(50) + "x.x.x.x..x" + &dots(50)));
        assert_eq!(burst, Figures { burst_density: 128, gap_density: 0, burst_packets: 10, gap_packets: 50 });
        let two = told(&(dots(40) + "xx" + &dots(16) + "xxxx"));
        assert_eq!((two.burst_density, two.burst_packets, two.gap_packets), (255, 3, 18), "{two:?}");
        assert_eq!(told(""), Figures::default());
    }
}
