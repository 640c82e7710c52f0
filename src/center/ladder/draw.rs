//! A ladder as text: a column for each party, an arrow for each message.

use super::{Ladder, LegRole, Party};

/// Characters from one column to the next.
const WIDTH: usize = 26;
/// Characters before the first.
const LEFT: usize = 24;

impl Ladder {
    /// Where each party stands, and where we do: the customer on the left of us, everybody else on the right, as the call came
    /// through the house. `None` is us.
    pub fn columns(&self) -> Vec<Option<&Party>> {
        let customers = self.parties.iter().filter(|p| p.role == LegRole::Customer).map(Some);
        let others = self.parties.iter().filter(|p| p.role != LegRole::Customer).map(Some);
        customers.chain([None]).chain(others).collect()
    }

    /// The drawing.
    pub fn draw(&self) -> String {
        let columns = self.columns();
        let place = |leg: Option<u64>| columns.iter().position(|c| c.map(|p| p.leg) == leg);
        let mut out = String::new();
        let head = |text: &dyn Fn(Option<&Party>) -> String| {
            let cells: String = columns.iter().map(|c| format!("{:^WIDTH$.25}", text(*c))).collect();
            format!("{:LEFT$}{cells}", "").trim_end().to_owned() + "\n"
        };
        out.push_str(&head(&|c| c.map_or("ringdesk".into(), |p| p.name.clone())));
        out.push_str(&head(&|c| c.map_or(String::new(), |p| role(p.role).into())));
        let first = self.steps.first().map(|s| s.at);
        for s in &self.steps {
            let (Some(us), Some(them)) = (place(None), place(Some(s.leg))) else { continue };
            let stamp = s.at.rfc3339();
            let clock = stamp.get(11..23).unwrap_or("");
            let after = first.map_or(0, |f| s.at.since(f).as_millis());
            let mut line = format!("{clock} {:>+10.3}  ", after as f64 / 1_000.0);
            line.truncate(LEFT);
            let mut cells: Vec<char> = vec![' '; columns.len() * WIDTH];
            for i in 0..columns.len() {
                cells[i * WIDTH + WIDTH / 2] = '|';
            }
            arrow(&mut cells, us, them, s.sent, &s.title());
            out.push_str(&format!("{line:<LEFT$}"));
            out.push_str(cells.into_iter().collect::<String>().trim_end());
            out.push('\n');
        }
        if self.dropped > 0 {
            out.push_str(&format!("({} messages were not kept)\n", self.dropped));
        }
        out
    }

    /// The drawing, then every message as it was.
    pub fn text(&self) -> String {
        let mut out = self.draw();
        for (n, s) in self.steps.iter().enumerate() {
            let way = if s.sent { "to" } else { "from" };
            let line = format!("\n--- {} {} {way} {} {} (leg {})\n", n + 1, s.at.rfc3339(), s.transport, s.remote, s.leg);
            out.push_str(&line);
            out.push_str(&s.text.replace("\r\n", "\n"));
            if !out.ends_with('\n') {
                out.push('\n');
            }
        }
        out
    }
}

fn role(role: LegRole) -> &'static str {
    match role {
        LegRole::Customer => "customer",
        LegRole::Agent => "agent",
        LegRole::Outside => "outside",
        LegRole::Helper => "helper",
        LegRole::Supervisor => "supervisor",
    }
}

fn arrow(cells: &mut [char], us: usize, them: usize, sent: bool, title: &str) {
    let middle = |i: usize| i * WIDTH + WIDTH / 2;
    let (from, to) = (middle(us.min(them)) + 1, middle(us.max(them)));
    cells[from..to].fill('-');
    let to_the_right = sent == (them > us);
    if to_the_right {
        cells[to - 1] = '>'
    } else {
        cells[from] = '<'
    }
    let room = to - from - 4;
    let label: Vec<char> = format!(" {title} ").chars().take(room).collect();
    // Beside the party, not in the middle of a long arrow: there it would stand in another's column.
    let near = if them > us { to - (WIDTH - 1) } else { from };
    let at = near + (WIDTH - 1).saturating_sub(label.len()) / 2;
    let at = at.clamp(from + 1, to - 1 - label.len());
    cells[at..at + label.len()].copy_from_slice(&label);
}

#[cfg(test)]
mod tests {
    use super::super::tests::short;

    #[test]
    fn a_person_reads_who_said_what_to_whom_and_when() {
        let drawn = short().draw();
        let lines: Vec<&str> = drawn.lines().collect();
        assert_eq!(lines.len(), 10);
        let words = |n: usize| lines[n].split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!((words(0), words(1)), ("+3265551234 ringdesk anna".into(), "customer agent".into()));
        assert_eq!(lines[2].split_whitespace().take(2).collect::<Vec<_>>(), ["04:05:06.000", "+0.000"]);
        assert!(lines[2].contains(" INVITE (SDP) ") && lines[2].contains('>'), "{drawn}");
        assert!(lines[3].contains("<") && lines[3].contains(" 100 Trying "), "{drawn}");
        assert!(lines[6].contains("+2.500") && lines[6].contains('<'), "{drawn}");
        let widest = lines.iter().map(|l| l.chars().count()).max().unwrap();
        assert!(widest <= 24 + 3 * 26, "{widest}");
    }
}
