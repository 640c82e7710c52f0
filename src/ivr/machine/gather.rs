//! `gather`: ask, listen, ask again, give up.
//!
//! ```text
//! Asking ─Played│barge-in─▶ Listening ─answer───────────────▶ when
//!    ▲                        │ silence: no_input, n-th prompt
//!    └────────────────────────┤ nonsense: no_match, n-th prompt
//!                             └ retries used up ────────────▶ exhausted
//! ```
//!
//! A caller who begins to speak has not been silent: the patience of the question waits for what comes of it.
//!
//! On text channels there is no silence: an idle visitor is the business of the conversation, not of the flow.

use super::{Input, Next, Output, Run, SayReason, Wait};
use crate::{
    base::{
        Mono, Now,
        limits::{FLOW_SAY_MAX, SPEECH_ANSWER_MAX},
    },
    ivr::{
        Value,
        flow::{At, Gather, GatherMode, Grammar, Verb},
    },
};

/// Where a question stands.
#[derive(Debug, Clone)]
pub(super) struct Gathering {
    tries: u32,
    /// The question is being said.
    pub playing: bool,
    digits: String,
    until: Option<Mono>,
    /// The caller speaks: until then the words are waited for.
    speaking: Option<Mono>,
}

impl Gathering {
    pub fn deadline(&self) -> Option<Mono> {
        self.until
    }
}

/// What a key or words made of the entry.
#[derive(Debug, PartialEq)]
enum Heard {
    Answer { outcome: String, value: String },
    More,
    NoMatch,
}

impl Run {
    /// The question for the first time.
    pub(super) fn ask(&mut self, now: Now, g: &Gather, out: &mut Vec<Output>) -> Next {
        let mut state = Gathering { tries: 0, playing: false, digits: String::new(), until: None, speaking: None };
        if g.dtmf && !self.env.channel.is_text() && !self.typed.is_empty() {
            // Typed ahead: the question need not be asked.
            while let Some(key) = self.typed.pop_front() {
                match self.key(now, g, &mut state, key) {
                    Heard::Answer { outcome, value } => return self.accept(g, &outcome, value),
                    Heard::NoMatch => return self.again(now, g, state, &g.no_match, out),
                    Heard::More => {}
                }
            }
            state.until = Some(now.mono + g.inter_digit);
            return Next::Wait(Wait::Gathering(state));
        }
        self.put(now, g, state, &[], out)
    }

    /// Says `before` and the question of this try.
    fn put(&mut self, now: Now, g: &Gather, mut state: Gathering, before: &[At<String>], out: &mut Vec<Output>) -> Next {
        let nth = usize::try_from(state.tries).unwrap_or(usize::MAX).min(g.prompts.len().saturating_sub(1));
        let question = g.prompts.get(nth).filter(|q| !before.iter().any(|b| b.it == q.it));
        let prompts = self.prompts(now, before.iter().chain(question));
        let text = self.env.channel.is_text();
        state.speaking = None;
        state.playing = !text && !prompts.is_empty();
        state.until = match (text, state.playing) {
            (true, _) => None,
            (_, true) => Some(now.mono + FLOW_SAY_MAX),
            _ => Some(now.mono + g.timeout),
        };
        if !prompts.is_empty() {
            let barge_in = g.barge_in.dtmf || g.barge_in.speech;
            out.push(Output::Say { prompts, barge_in, reason: SayReason::Menu(self.options(g)), listen: g.speech });
        }
        Next::Wait(Wait::Gathering(state))
    }

    /// The buttons of a question: what is sent, and what is written on it.
    fn options(&self, g: &Gather) -> Vec<(String, String)> {
        let GatherMode::Grammar(id) = &g.mode else { return Vec::new() };
        let flow = &self.frame().flow;
        let Some(grammar) = flow.grammars.get(&id.it) else { return Vec::new() };
        let lang = self.lang();
        let label = |meaning: &str| {
            let by_lang = grammar.labels.get(meaning).and_then(|l| l.get(&lang)).cloned();
            by_lang.unwrap_or_else(|| meaning.to_owned())
        };
        if grammar.dtmf.is_empty() {
            let first = |(m, phrases): &(At<String>, Vec<At<String>>)| phrases.first().map(|p| (p.it.clone(), label(&m.it)));
            return grammar.phrases.iter().filter_map(first).collect();
        }
        let labels: Vec<String> = grammar.dtmf.iter().map(|(_, m)| label(&m.it)).collect();
        let alone = |l: &String| labels.iter().filter(|other| plain(other) == plain(l)).count() == 1;
        // What is written on a button is what the conversation shows afterwards; "0" would tell nobody anything.
        let send = |(key, _): &(At<String>, At<String>), l: &String| if alone(l) { l.clone() } else { key.it.clone() };
        grammar.dtmf.iter().zip(&labels).map(|(entry, l)| (send(entry, l), l.clone())).collect()
    }

    /// Something happened while a question is open.
    pub(super) fn gathering(&mut self, now: Now, input: Input, out: &mut Vec<Output>) -> Option<Next> {
        let flow = self.frame().flow.clone();
        let Some(Verb::Gather(g)) = flow.nodes.get(&self.frame().node).map(|n| &n.verb) else { return None };
        let Wait::Gathering(state) = &self.wait else { return None };
        let mut state = state.clone();
        let text = self.env.channel.is_text();
        match input {
            Input::Played if state.playing => {
                state.playing = false;
                // Who speaks already is let finish.
                state.until = Some((now.mono + g.timeout).max(state.speaking.unwrap_or_default()));
                if self.typed.is_empty() {
                    return Some(Next::Wait(Wait::Gathering(state)));
                }
                // Pressed while a question played that could not be cut.
                while let Some(key) = self.typed.pop_front() {
                    match self.key(now, g, &mut state, key) {
                        Heard::More => state.until = Some(now.mono + g.inter_digit),
                        heard => return Some(self.conclude(now, g, state, heard, out)),
                    }
                }
                Some(Next::Wait(Wait::Gathering(state)))
            }
            Input::Digit(key) if g.dtmf || text => {
                if state.playing && !g.barge_in.dtmf {
                    return self.type_ahead(key);
                }
                if std::mem::take(&mut state.playing) {
                    out.push(Output::StopSaying);
                }
                let heard = self.key(now, g, &mut state, key);
                state.until = Some(now.mono + g.inter_digit);
                Some(self.conclude(now, g, state, heard, out))
            }
            Input::Words { text: said, confidence } if text || g.speech => {
                state.speaking = None;
                let cuts = g.barge_in.speech && words(&said) >= g.min_words && confidence >= g.min_confidence;
                if !text && state.playing && !cuts {
                    return Some(Next::Wait(Wait::Gathering(state)));
                }
                if std::mem::take(&mut state.playing) {
                    out.push(Output::StopSaying);
                }
                let sure = text || confidence >= g.min_confidence;
                let heard = if sure { self.hear(g, &said) } else { Heard::NoMatch };
                Some(self.conclude(now, g, state, heard, out))
            }
            Input::Speaking if g.speech && !text => {
                let heard_by = now.mono + SPEECH_ANSWER_MAX;
                state.speaking = Some(heard_by);
                if !state.playing && state.digits.is_empty() {
                    state.until = Some(heard_by);
                }
                Some(Next::Wait(Wait::Gathering(state)))
            }
            Input::Unclear if g.speech && !text => {
                state.speaking = None;
                // Noise during the question, or while keys are pressed, is no answer.
                if state.playing || !state.digits.is_empty() {
                    return Some(Next::Wait(Wait::Gathering(state)));
                }
                Some(self.conclude(now, g, state, Heard::NoMatch, out))
            }
            Input::Tick if state.until.is_some_and(|u| u <= now.mono) => {
                if std::mem::take(&mut state.playing) {
                    state.until = Some(now.mono + g.timeout);
                    return Some(Next::Wait(Wait::Gathering(state)));
                }
                Some(self.silence(now, g, state, out))
            }
            _ => None,
        }
    }

    /// Nothing more came.
    fn silence(&mut self, now: Now, g: &Gather, state: Gathering, out: &mut Vec<Output>) -> Next {
        if state.digits.is_empty() {
            return self.again(now, g, state, &g.no_input, out);
        }
        let heard = match &g.mode {
            GatherMode::Digits { min, .. } if state.digits.chars().count() >= *min => any(state.digits.clone()),
            GatherMode::Grammar(id) => self.exact(&id.it, &state.digits),
            _ => Heard::NoMatch,
        };
        let heard = if heard == Heard::More { Heard::NoMatch } else { heard };
        self.conclude(now, g, state, heard, out)
    }

    fn conclude(&mut self, now: Now, g: &Gather, state: Gathering, heard: Heard, out: &mut Vec<Output>) -> Next {
        match heard {
            Heard::More => Next::Wait(Wait::Gathering(state)),
            Heard::Answer { outcome, value } => self.accept(g, &outcome, value),
            Heard::NoMatch => self.again(now, g, state, &g.no_match, out),
        }
    }

    fn again(&mut self, now: Now, g: &Gather, mut state: Gathering, before: &[At<String>], out: &mut Vec<Output>) -> Next {
        // What was typed after a mistake was meant for what would have come after it.
        self.typed.clear();
        state.digits.clear();
        state.tries = state.tries.saturating_add(1);
        if state.tries > g.retries {
            return self.by_exhausted();
        }
        self.put(now, g, state, before, out)
    }

    fn accept(&mut self, g: &Gather, outcome: &str, value: String) -> Next {
        if let Some(save) = &g.save {
            self.assign(&save.it, Value::Text(value));
        }
        let has = |o: &str| self.node_now().is_some_and(|n| n.branch(o).is_some());
        if has(outcome) { self.by_when(outcome) } else { self.by_when("any") }
    }

    /// One key.
    fn key(&mut self, now: Now, g: &Gather, state: &mut Gathering, key: char) -> Heard {
        match &g.mode {
            GatherMode::Grammar(id) => {
                state.digits.push(key);
                let Some(grammar) = self.frame().flow.grammars.get(&id.it) else { return Heard::NoMatch };
                let longer =
                    grammar.dtmf.iter().any(|(k, _)| k.it.len() > state.digits.len() && k.it.starts_with(&state.digits));
                if longer { Heard::More } else { self.exact(&id.it, &state.digits) }
            }
            GatherMode::Digits { min, max, end, .. } => {
                let len = state.digits.chars().count();
                if Some(key) == *end {
                    return if len >= *min { any(state.digits.clone()) } else { Heard::NoMatch };
                }
                if !key.is_ascii_digit() {
                    return Heard::NoMatch;
                }
                state.digits.push(key);
                if len + 1 < *max {
                    return Heard::More;
                }
                self.swallow = end.map(|e| (e, now.mono + g.inter_digit));
                any(state.digits.clone())
            }
            GatherMode::Words(_) => Heard::NoMatch,
        }
    }

    fn exact(&self, grammar: &str, keys: &str) -> Heard {
        let hit = self.frame().flow.grammars.get(grammar).and_then(|g| g.dtmf.iter().find(|(k, _)| k.it == keys));
        hit.map_or(Heard::NoMatch, |(_, m)| Heard::Answer { outcome: m.it.clone(), value: m.it.clone() })
    }

    /// Words said or typed.
    fn hear(&self, g: &Gather, said: &str) -> Heard {
        match &g.mode {
            GatherMode::Words(max) => {
                let said = said.trim();
                if said.is_empty() { Heard::NoMatch } else { any(said.chars().take(*max).collect()) }
            }
            GatherMode::Digits { min, max, .. } => {
                let digits: String = digits_in(said);
                if (*min..=*max).contains(&digits.len()) { any(digits) } else { Heard::NoMatch }
            }
            GatherMode::Grammar(id) => match self.frame().flow.grammars.get(&id.it).and_then(|g| understand(g, said)) {
                Some(m) => Heard::Answer { outcome: m.clone(), value: m },
                None => Heard::NoMatch,
            },
        }
    }
}

fn any(value: String) -> Heard {
    Heard::Answer { outcome: "any".to_owned(), value }
}

/// The meaning of what was said or typed: a key, a meaning, a whole phrase, or the longest phrase in it.
fn understand(g: &Grammar, said: &str) -> Option<String> {
    let said = plain(said);
    if said.is_empty() {
        return None;
    }
    if let Some((_, m)) = g.dtmf.iter().find(|(k, _)| k.it == said) {
        return Some(m.it.clone());
    }
    // What a button sends, and people type what is written on it.
    let labels = g.labels.iter().find(|(_, by)| by.values().any(|l| plain(l) == said)).map(|(m, _)| m.clone());
    let phrases = || g.phrases.iter().flat_map(|(m, all)| all.iter().map(move |p| (m, plain(&p.it))));
    let whole = || phrases().find(|(_, p)| *p == said).map(|(m, _)| m.it.clone());
    let inside = || {
        let hits = phrases().filter(|(_, p)| !p.is_empty() && contains(&said, p));
        // Of equal length the first wins: max_by_key would take the last.
        hits.fold(None::<(String, usize)>, |best, (m, p)| match best {
            Some((_, len)) if len >= p.chars().count() => best,
            _ => Some((m.it.clone(), p.chars().count())),
        })
        .map(|(m, _)| m)
    };
    labels.or_else(whole).or_else(inside)
}

/// Lower case, no punctuation, full-width characters as narrow ones, single spaces.
pub(crate) fn plain(text: &str) -> String {
    let narrow = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        c => c,
    };
    let kept: String = text
        .chars()
        .take(500)
        .map(narrow)
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_alphanumeric() || matches!(c, '*' | '#' | '\'') { c } else { ' ' })
        .collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// True when `phrase` is in `said`: as whole words where words have spaces, anywhere otherwise.
fn contains(said: &str, phrase: &str) -> bool {
    if phrase.is_ascii() {
        format!(" {said} ").contains(&format!(" {phrase} "))
    } else {
        said.replace(' ', "").contains(&phrase.replace(' ', ""))
    }
}

/// How many words: runs of letters, and each character of a script without spaces.
fn words(said: &str) -> usize {
    plain(said).split(' ').filter(|w| !w.is_empty()).map(|w| w.chars().filter(|c| !c.is_ascii()).count().max(1)).sum()
}

/// The digits in what was said or typed, spoken ones too.
fn digits_in(said: &str) -> String {
    const SPOKEN: [(&str, char); 11] = [
        ("zero", '0'),
        ("oh", '0'),
        ("one", '1'),
        ("two", '2'),
        ("three", '3'),
        ("four", '4'),
        ("five", '5'),
        ("six", '6'),
        ("seven", '7'),
        ("eight", '8'),
        ("nine", '9'),
    ];
    let mut out = String::new();
    for word in plain(said).split(' ') {
        if let Some((_, d)) = SPOKEN.iter().find(|(w, _)| *w == word) {
            out.push(*d);
            continue;
        }
        for c in word.chars() {
            match c {
                '0'..='9' => out.push(c),
                '零' | '〇' => out.push('0'),
                '一' | '幺' => out.push('1'),
                '二' => out.push('2'),
                '三' => out.push('3'),
                '四' => out.push('4'),
                '五' => out.push('5'),
                '六' => out.push('6'),
                '七' => out.push('7'),
                '八' => out.push('8'),
                '九' => out.push('9'),
                _ => {}
            }
        }
    }
    out
}
