//! The picture: a bar for each row's time per packet, and the delay of 99 packets in 100 against the number of calls.

use std::fmt::Write as _;

const WIDTH: f64 = 900.0;
const BAR: f64 = 26.0;
const LEFT: f64 = 150.0;
const CURVES: f64 = 300.0;
const COLOURS: [&str; 4] = ["#7a7a7a", "#c05a2b", "#1f6f8b", "#5b8c3a"];
/// Delays are drawn up to here, milliseconds; what is beyond lies on the edge.
const DELAY_MAX: f64 = 100.0;
const DELAY_MIN: f64 = 0.05;

/// `bars`: (name, microseconds). `curves`: (name, points of (calls, milliseconds) from left to right).
pub fn svg(bars: &[(&str, f64)], curves: &[(&str, Vec<(f64, f64)>)]) -> String {
    let bars_end = 50.0 + bars.len() as f64 * BAR;
    let height = bars_end + if curves.is_empty() { 20.0 } else { CURVES + 110.0 };
    let mut s = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" font-family=\"sans-serif\" \
         font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    text(&mut s, 10.0, 25.0, "start", "CPU of the server per packet heard, microseconds");
    let longest = bars.iter().map(|b| b.1).fold(1e-9, f64::max);
    for (i, (name, us)) in bars.iter().enumerate() {
        let y = 40.0 + i as f64 * BAR;
        let length = us / longest * (WIDTH - LEFT - 80.0);
        let colour = COLOURS[if i < 2 { i } else { 2 }];
        let _ = writeln!(s, "<rect x=\"{LEFT}\" y=\"{y}\" width=\"{length:.1}\" height=\"{}\" fill=\"{colour}\"/>", BAR - 6.0);
        text(&mut s, LEFT - 8.0, y + 15.0, "end", name);
        text(&mut s, LEFT + length + 6.0, y + 15.0, "start", &format!("{us:.2}"));
    }
    if !curves.is_empty() {
        draw_curves(&mut s, bars_end + 50.0, curves);
    }
    s + "</svg>\n"
}

fn draw_curves(s: &mut String, top: f64, curves: &[(&str, Vec<(f64, f64)>)]) {
    text(s, 10.0, top - 15.0, "start", "Delay of 99 packets in 100 against concurrent calls, milliseconds (logarithmic)");
    let most = curves.iter().flat_map(|c| c.1.iter().map(|p| p.0)).fold(1.0, f64::max);
    let x = |calls: f64| 60.0 + calls / most * (WIDTH - 220.0);
    let y = |ms: f64| {
        let share = (ms.clamp(DELAY_MIN, DELAY_MAX) / DELAY_MIN).ln() / (DELAY_MAX / DELAY_MIN).ln();
        top + CURVES * (1.0 - share)
    };
    for ms in [0.1, 1.0, 10.0, 40.0, 100.0] {
        let at = y(ms);
        let _ = writeln!(
            s,
            "<line x1=\"60\" y1=\"{at:.1}\" x2=\"{}\" y2=\"{at:.1}\" stroke=\"{}\"/>",
            WIDTH - 160.0,
            if ms == 40.0 { "#c00" } else { "#ddd" }
        );
        text(s, 52.0, at + 4.0, "end", &format!("{ms}"));
    }
    for k in 0..=4 {
        let calls = most / 4.0 * f64::from(k);
        text(s, x(calls), top + CURVES + 20.0, "middle", &format!("{calls:.0}"));
    }
    for (i, (name, points)) in curves.iter().enumerate() {
        let colour = COLOURS[i % COLOURS.len()];
        let line: Vec<String> = points.iter().map(|p| format!("{:.1},{:.1}", x(p.0), y(p.1))).collect();
        let _ = writeln!(s, "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>", line.join(" "));
        for p in points {
            let _ = writeln!(s, "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>", x(p.0), y(p.1));
        }
        let at = top + 20.0 + 20.0 * i as f64;
        let _ = writeln!(s, "<rect x=\"{}\" y=\"{}\" width=\"12\" height=\"12\" fill=\"{colour}\"/>", WIDTH - 150.0, at - 11.0);
        text(s, WIDTH - 132.0, at, "start", name);
    }
}

fn text(s: &mut String, x: f64, y: f64, anchor: &str, what: &str) {
    let _ = writeln!(s, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{what}</text>");
}
