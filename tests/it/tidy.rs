//! The rules of the house that no compiler knows, checked against the sources as they lie there.
//!
//! The floor table is read from the doc comment of `src/lib.rs`, so the plan people read is the plan that holds. Each broken
//! rule is named with file and line. At the bottom every rule is shown a sin it must see: a check that never fails checks
//! nothing.

mod source;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use source::Source;

/// Longest file, lines. Beyond, it has more than one subject, or is listed here with the reason why not.
const LINES_MAX: usize = 600;
const LONG_FOR_A_REASON: &[(&str, &str)] = &[];

/// Rooms that may hold what others may not.
const SQL_ROOMS: &[&str] = &["store"];
const HTTP_ROOMS: &[&str] = &["api", "channels", "app"];
/// Below this floor iteration order is part of the behaviour.
const FIRST_EDGE: u8 = 4;

#[test]
fn imports_go_down_and_rooms_on_one_floor_do_not_know_each_other() {
    let floors = floors(&read("src/lib.rs"));
    hold(sources("src").iter().filter(|s| s.room.is_some()).flat_map(|s| imports_upward(s, &floors)));
}

#[test]
fn the_floor_table_lists_every_room_there_is_and_none_besides() {
    let floors = floors(&read("src/lib.rs"));
    let rooms: Vec<String> = dirs("src");
    let missing = rooms.iter().filter(|r| !floors.contains_key(*r)).map(|r| format!("src/lib.rs: no row for the room `{r}`"));
    let gone = floors.keys().filter(|r| !rooms.contains(r)).map(|r| format!("src/lib.rs: a row for `{r}`, which is not there"));
    hold(missing.chain(gone));
}

#[test]
fn sql_lives_in_the_store_and_http_in_the_rooms_that_talk_it() {
    let all = sources("src");
    let in_rooms = |s: &Source, rooms: &[&str]| s.room.as_deref().is_some_and(|r| rooms.contains(&r));
    let sql = all.iter().filter(|s| !in_rooms(s, SQL_ROOMS)).flat_map(sql);
    let http =
        all.iter().filter(|s| !in_rooms(s, HTTP_ROOMS)).flat_map(|s| names(s, "axum", "only api, channels and app talk HTTP"));
    hold(sql.chain(http));
}

#[test]
fn below_the_edges_nothing_is_kept_in_an_order_nobody_chose() {
    let floors = floors(&read("src/lib.rs"));
    let pure = |s: &&Source| s.room.as_ref().and_then(|r| floors.get(r)).is_some_and(|f| *f < FIRST_EDGE);
    let all = sources("src");
    let why = "its order changes from run to run: BTreeMap, BTreeSet";
    hold(all.iter().filter(pure).flat_map(|s| ["HashMap", "HashSet"].into_iter().flat_map(|n| names(s, n, why))));
}

#[test]
fn a_file_has_one_subject_and_says_at_its_head_which() {
    let all = everything();
    let long = all.iter().filter_map(|s| too_long(s, LONG_FOR_A_REASON));
    let idle = LONG_FOR_A_REASON.iter().filter(|(path, _)| !all.iter().any(|s| s.path == *path && s.lines() > LINES_MAX));
    let idle = idle.map(|(path, _)| format!("{path}: is no longer too long: take it off the list in tests/it/tidy.rs"));
    hold(long.chain(idle).chain(all.iter().filter_map(no_header)));
}

#[test]
fn nothing_is_left_for_later_and_no_test_is_silenced() {
    hold(everything().iter().flat_map(unfinished));
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    hold(texts().iter().flat_map(|(path, text)| machine_paths(path, text)));
}

/// Pages that say clause by clause what ringdesk does and which story shows it.
const CLAUSES: [&str; 2] = ["docs/sip.md", "docs/media.md"];

#[test]
fn every_story_the_pages_of_clauses_name_is_told() {
    let all = texts();
    hold(CLAUSES.into_iter().flat_map(|name| untold(name, &all)));
}

/// Names of tests in a page, between back quotes, that no source has.
fn untold(name: &str, all: &[(String, String)]) -> Vec<String> {
    let page = all.iter().find(|(path, _)| path == name).map(|(_, text)| text.as_str()).expect("the page is there");
    let plain = |n: &&str| n.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    let named = page.split('`').skip(1).step_by(2).filter(plain).filter(|n| n.matches('_').count() >= 3);
    let told = |n: &str| all.iter().any(|(path, text)| path.ends_with(".rs") && text.contains(&format!("fn {n}()")));
    named.filter(|n| !told(n)).map(|n| format!("{name}: no test is called {n}")).collect()
}

fn hold(broken: impl Iterator<Item = String>) {
    let broken: Vec<String> = broken.collect();
    assert!(broken.is_empty(), "{} broken rules of the house:\n  {}\n", broken.len(), broken.join("\n  "));
}

/// Floor of each room, from the rows `| 4 edges | `net` | .. |` of the table.
fn floors(lib: &str) -> BTreeMap<String, u8> {
    let rows = lib.lines().filter_map(|l| l.trim_start().strip_prefix("//! |"));
    rows.filter_map(|row| {
        let mut cells = row.split('|').map(str::trim);
        let floor = cells.next()?.split(' ').next()?.parse().ok()?;
        Some((cells.next()?.trim_matches('`').to_owned(), floor))
    })
    .collect()
}

fn imports_upward(s: &Source, floors: &BTreeMap<String, u8>) -> Vec<String> {
    let Some(room) = &s.room else { return Vec::new() };
    let Some(own) = floors.get(room).copied() else {
        return vec![format!("{}:1: the room `{room}` has no row in the floor table", s.path)];
    };
    let mut broken = Vec::new();
    for (line, target) in s.crate_paths() {
        match floors.get(&target).copied() {
            Some(floor) if floor > own => {
                broken.push(format!("{}:{line}: `{room}` (floor {own}) reaches up to `{target}` (floor {floor})", s.path));
            }
            Some(floor) if floor == own && target != *room => {
                broken
                    .push(format!("{}:{line}: `{room}` and `{target}` are on one floor and must not know each other", s.path));
            }
            _ => {}
        }
    }
    let root = s.super_chains().into_iter().filter(|(_, n)| *n >= s.depth());
    broken.extend(root.map(|(line, _)| format!("{}:{line}: `super` leads out of the room: say `crate::`", s.path)));
    broken
}

fn sql(s: &Source) -> Vec<String> {
    let mut broken = names(s, "sqlx", "only store speaks SQL");
    let opens = ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "CREATE TABLE ", "ALTER TABLE ", "DROP TABLE "];
    let statement = |text: &str| {
        let text = text.trim_start();
        opens.iter().any(|o| text.starts_with(o)) && (!text.starts_with("UPDATE ") || text.contains(" SET "))
    };
    let found = s.strings.iter().filter(|(_, text)| statement(text));
    broken.extend(found.map(|(line, _)| format!("{}:{line}: an SQL statement: only store speaks SQL", s.path)));
    broken
}

fn names(s: &Source, word: &str, why: &str) -> Vec<String> {
    s.words(word).into_iter().map(|line| format!("{}:{line}: `{word}`: {why}", s.path)).collect()
}

fn too_long(s: &Source, excused: &[(&str, &str)]) -> Option<String> {
    let excuse = excused.iter().any(|(path, why)| s.path == *path && !why.is_empty());
    let lines = s.lines();
    (lines > LINES_MAX && !excuse).then(|| {
        format!("{}:{LINES_MAX}: {lines} lines: split it by subject, or list it in tests/it/tidy.rs with a reason", s.path)
    })
}

fn no_header(s: &Source) -> Option<String> {
    let good = s.text.trim_start().starts_with("//!");
    (!good).then(|| format!("{}:1: does not begin with `//!` and what lives in it", s.path))
}

fn unfinished(s: &Source) -> Vec<String> {
    let mut broken = Vec::new();
    for (n, line) in s.text.lines().enumerate() {
        // Written in two halves, or this line would find itself.
        let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("HA", "CK")];
        let marked = marks.iter().any(|m| line.split(|c: char| !c.is_alphanumeric()).any(|w| w == *m));
        if marked && line.contains("//") {
            broken.push(format!("{}:{}: left for later: do it now or say it on the issue", s.path, n + 1));
        }
        if line.trim_start().starts_with(concat!("#[ig", "nore")) {
            broken.push(format!("{}:{}: a silenced test", s.path, n + 1));
        }
    }
    broken
}

fn machine_paths(path: &str, text: &str) -> Vec<String> {
    let private = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
    let mut broken = Vec::new();
    for (n, line) in text.lines().enumerate() {
        for p in private {
            // Only as the beginning of a path: `https://host/home/` is somebody else's.
            let begins = |i: usize| line[..i].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && !"./_-}$".contains(c));
            if line.match_indices(p).any(|(i, _)| begins(i)) {
                broken.push(format!("{path}:{}: `{p}..` exists only on somebody's machine", n + 1));
            }
        }
    }
    broken
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn dirs(under: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(under)).expect("the folder is part of the repository").map(|e| e.expect("an entry"));
    let mut names: Vec<String> =
        entries.filter(|e| e.path().is_dir()).map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Every text file below `under` (empty: of the repository), by its path from the root, `/` between the parts.
fn walk(under: &str, take: &dyn Fn(&str) -> bool) -> Vec<(String, String)> {
    // Made by tools, or data of others.
    const SKIP: [&str; 7] = ["target", ".git", "node_modules", "data", "tests/data", "run", "__pycache__"];
    fn visit(dir: &Path, root: &Path, take: &dyn Fn(&str) -> bool, found: &mut Vec<(String, String)>) {
        let Ok(entries) = fs::read_dir(dir) else { return };
        for path in entries.filter_map(|e| Some(e.ok()?.path())) {
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            let last = name.rsplit('/').next().unwrap_or_default();
            if path.is_symlink() || SKIP.contains(&name.as_str()) || SKIP.contains(&last) {
                continue;
            }
            if path.is_dir() {
                visit(&path, root, take, found);
            } else if take(&name)
                && let Ok(text) = fs::read_to_string(&path)
            {
                found.push((name, text));
            }
        }
    }
    let (root, mut found) = (root(), Vec::new());
    visit(&root.join(under), &root, take, &mut found);
    found.sort();
    found
}

fn sources(under: &str) -> Vec<Source> {
    walk(under, &|name| name.ends_with(".rs")).into_iter().map(|(path, text)| Source::new(path, text)).collect()
}

fn everything() -> Vec<Source> {
    ["src", "media", "tests", "benches"].into_iter().flat_map(sources).collect()
}

fn texts() -> Vec<(String, String)> {
    walk("", &|name| !name.ends_with(".lock"))
}

mod sins {
    //! Every rule sees what it is there for, and nothing else.

    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source::new(path.into(), text.into())
    }

    fn plan() -> BTreeMap<String, u8> {
        floors(
            "//! | floor | room | what |\n//! |---|---|---|\n//! | 0 ground | `base` | x |\n//! | 1 machines | `sip` | x |\n\
             //! | 1 machines | `text` | x |\n//! | 2 meeting | `call` | x |\n//! | 3 center | `center` | x |\n//! | 6 shed | `sim` | x |\n",
        )
    }

    #[test]
    fn a_story_that_is_named_and_not_told_is_seen() {
        let text = |path: &str, text: &str| (path.to_owned(), text.to_owned());
        let all = [
            text("src/a.rs", "async fn a_phone_rings_twice() {}"),
            text("docs/a.md", "| `a_phone_rings_twice`, `max_calls`, `scripts/fuzz.sh`"),
            text("docs/b.md", "| `a_phone_never_rings_twice` |"),
        ];
        assert!(untold("docs/a.md", &all).is_empty());
        assert_eq!(untold("docs/b.md", &all).len(), 1);
    }

    #[test]
    fn an_import_that_goes_up_sideways_or_round_the_back_is_seen_and_a_downward_one_is_not() {
        let lines = |path, text| {
            let found = imports_upward(&source(path, text), &plan());
            found.iter().map(|b| b.split(':').nth(1).unwrap().parse::<usize>().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(lines("src/call/mod.rs", "use crate::base::Now;\nuse crate::center::Fact;\n"), [2]);
        assert_eq!(lines("src/sip/msg/x.rs", "use crate::{\n  base::Now,\n  sip::{a::{b}, c},\n  text::Message,\n};\n"), [4]);
        assert_eq!(lines("src/sip/x.rs", "fn f() -> crate::text::Message { crate::sip::x() }\n"), [1]);
        assert_eq!(lines("src/sip/x.rs", "use super::super::text;\nuse super::y;\n"), [1]);
        assert_eq!(lines("src/sip/x/y.rs", "use super::super::z;\n"), [0usize; 0]);
        assert_eq!(lines("src/sim/x.rs", "use crate::center;\nuse crate::text;\n"), [0usize; 0]);
        let asleep = "// crate::center\n/* crate::center */\nconst A: &str = \"crate::center\";\n";
        assert_eq!(lines("src/sip/x.rs", asleep), [0usize; 0]);
        assert_eq!(lines("src/sip/x.rs", "#[cfg(test)]\nmod tests {\n use crate::sim::World;\n}\n"), [0usize; 0]);
        assert_eq!(lines("src/cellar/mod.rs", ""), [1]);
    }

    #[test]
    fn sql_and_http_out_of_their_rooms_are_seen_and_english_is_not() {
        let found = |text| sql(&source("src/center/x.rs", text)).len();
        assert_eq!(found("let a = \"SELECT id FROM ticket\";\nlet b = r#\"\n  INSERT INTO fact VALUES (1)\"#;\n"), 2);
        assert_eq!(found("use sqlx::Pool;\n"), 1);
        assert_eq!(found("// SELECT a\nlet a = \"UPDATE your phone\"; let b = \"Select an agent\"; struct Sqlx;\n"), 0);
        assert_eq!(names(&source("src/net/x.rs", "use axum::Router;\nlet taxum = 1;\n"), "axum", "x").len(), 1);
        assert_eq!(names(&source("src/sip/x.rs", "let m: std::collections::HashMap<u8, u8>;\n"), "HashMap", "x").len(), 1);
    }

    #[test]
    fn a_long_headless_unfinished_file_is_seen_three_times_and_an_excuse_needs_a_reason() {
        let long = source("src/sip/x.rs", &"fn a() {}\n".repeat(LINES_MAX + 1));
        assert!(too_long(&long, &[]).is_some() && too_long(&long, &[("src/sip/x.rs", "")]).is_some());
        assert!(too_long(&long, &[("src/sip/x.rs", "a table")]).is_none());
        assert!(no_header(&long).is_some() && no_header(&source("a.rs", "//! x\n")).is_none());
        let later = format!(
            "// {}: more\nlet a = 1; // {}OS\n {}]\n",
            concat!("TO", "DO"),
            concat!("TO", "DO"),
            concat!("#[ig", "nore")
        );
        assert_eq!(unfinished(&source("a.rs", &later)).len(), 2);
    }

    #[test]
    fn the_path_of_a_machine_is_seen_and_a_path_of_the_web_is_not() {
        let text = format!("cp {0}me/x\nhttps://example.com{0}me/x\n$X{0}a\n", concat!("/ho", "me/"));
        assert_eq!(machine_paths("a.sh", &text).len(), 1);
    }
}
