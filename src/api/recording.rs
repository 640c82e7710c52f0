//! Recordings, played from any place: WAV or Opus in Ogg, with byte ranges (RFC 9110 section 14).
//!
//! A recording is found through its interaction, never by a file name of the request. Every play is noted in the audit log
//! once: players ask for the rest of a file in many ranges, and only the one that begins at the beginning counts.

use std::{path::Path as FsPath, path::PathBuf, sync::Arc};

use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use tokio::io::AsyncSeekExt;
use utoipa::IntoParams;

use super::{Problem, Shared, guard::Who, problem::Params, scope, wire};
use crate::vault;

/// Which of several.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Pick {
    /// Recording id; the first one of the interaction if absent.
    recording: Option<String>,
}

/// Plays a recording. Agents play their own interactions', supervisors all.
#[utoipa::path(get, path = "/api/v1/interactions/{id}/recording", tag = "interactions", params(("id" = String, Path), Pick),
    responses((status = 200, content(("audio/wav"), ("audio/ogg"))), (status = 206, content(("audio/wav"), ("audio/ogg"))),
        (status = 404, body = Problem), (status = 416, body = Problem)))]
pub async fn play(
    State(shared): State<Arc<Shared>>,
    who: Who,
    Path(id): Path<String>,
    Params(pick): Params<Pick>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let interaction = wire::interaction_id(&id)?;
    scope::may_see(&shared, &who, interaction).await?;
    let rows = shared.store.recording_list(&who.tenant, interaction).await.map_err(Problem::internal)?;
    let wanted = rows.into_iter().find(|r| pick.recording.as_ref().is_none_or(|id| r.id.to_string() == *id));
    let Some(row) = wanted else { return Err(Problem::not_found(format!("a recording of interaction `{interaction}`"))) };
    let Some(path) = below(&shared.recordings, &row.file) else {
        return Err(Problem::internal(format!("recording {} has a file name outside its folder", row.id)));
    };
    let mut file = match tokio::fs::File::open(&path).await {
        Ok(f) => f,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(Problem::not_found(format!("the file of recording `{}`", row.id)));
        }
        Err(e) => return Err(Problem::internal(e)),
    };
    let size = file.metadata().await.map_err(Problem::internal)?.len();
    let range = headers.get(header::RANGE).and_then(|v| v.to_str().ok()).map(|text| read_range(text, size));
    let (status, from, to) = match range {
        Some(Range::Part(from, to)) => (StatusCode::PARTIAL_CONTENT, from, to),
        Some(Range::Beyond) => {
            let said = format!("the recording has {size} bytes");
            let mut response = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "range", said).into_response();
            let all = format!("bytes */{size}").parse().expect("digits make a header");
            response.headers_mut().insert(header::CONTENT_RANGE, all);
            return Ok(response);
        }
        // A range we do not understand is ignored (RFC 9110 section 14.2).
        Some(Range::Odd) | None => (StatusCode::OK, 0, size.saturating_sub(1)),
    };
    if from == 0 {
        wire::audit(&shared, &who, "recording.play", &row.id.to_string(), None, None).await?;
    }
    let length = if size == 0 { 0 } else { to - from + 1 };
    file.seek(std::io::SeekFrom::Start(from)).await.map_err(Problem::internal)?;
    let mut response = (status, Body::from_stream(vault::chunks(file, length))).into_response();
    let h = response.headers_mut();
    let (ending, kind) = if row.file.ends_with(".ogg") { ("ogg", "audio/ogg") } else { ("wav", "audio/wav") };
    let name = format!("inline; filename=\"{}.{ending}\"", row.id);
    for (key, value) in [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ] {
        h.insert(key, value.parse().expect("ids and digits make a header"));
    }
    if status == StatusCode::PARTIAL_CONTENT {
        h.insert(header::CONTENT_RANGE, format!("bytes {from}-{to}/{size}").parse().expect("digits make a header"));
    }
    Ok(response)
}

/// A file below the folder; none when the name leads out of it.
pub fn below(folder: &FsPath, name: &str) -> Option<PathBuf> {
    let plain = FsPath::new(name).components().all(|c| matches!(c, std::path::Component::Normal(_)));
    (plain && !name.is_empty()).then(|| folder.join(name))
}

#[derive(Debug, PartialEq, Eq)]
enum Range {
    /// First and last byte.
    Part(u64, u64),
    Beyond,
    Odd,
}

/// Reads `bytes=a-b`, `bytes=a-`, `bytes=-n`. Several ranges at once are not served in parts.
fn read_range(text: &str, size: u64) -> Range {
    let Some(spec) = text.strip_prefix("bytes=").map(str::trim).filter(|s| !s.contains(',')) else { return Range::Odd };
    let Some((a, b)) = spec.split_once('-') else { return Range::Odd };
    match (a.parse::<u64>().ok(), b.parse::<u64>().ok()) {
        (None, Some(n)) if a.is_empty() => match n {
            0 => Range::Beyond,
            _ if size == 0 => Range::Beyond,
            n => Range::Part(size.saturating_sub(n), size - 1),
        },
        (Some(from), _) if from >= size => Range::Beyond,
        (Some(from), Some(to)) if to >= from => Range::Part(from, to.min(size - 1)),
        (Some(from), None) if b.is_empty() => Range::Part(from, size - 1),
        _ => Range::Odd,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_player_that_jumps_gets_the_bytes_it_asked_for() {
        assert_eq!(read_range("bytes=0-99", 1000), Range::Part(0, 99));
        assert_eq!(read_range("bytes=900-", 1000), Range::Part(900, 999));
        assert_eq!(read_range("bytes=-100", 1000), Range::Part(900, 999));
        assert_eq!(read_range("bytes=-5000", 1000), Range::Part(0, 999));
        assert_eq!(read_range("bytes=1000-", 1000), Range::Beyond);
        assert_eq!(read_range("bytes=0-0", 0), Range::Beyond);
        for odd in ["bytes=9-1", "lines=1-2", "bytes=0-1,5-9", "bytes=a-b", "bytes=5"] {
            assert_eq!(read_range(odd, 1000), Range::Odd, "{odd}");
        }
    }

    #[test]
    fn a_file_name_cannot_lead_out_of_the_folder() {
        let f = FsPath::new("/data/rec");
        assert!(below(f, "2026/11/a.wav").is_some());
        for bad in ["", "../x.wav", "/etc/passwd", "a/../../x", "./a"] {
            assert!(below(f, bad).is_none() || !below(f, bad).unwrap().starts_with(".."), "{bad}");
        }
        assert!(below(f, "../x.wav").is_none() && below(f, "/etc/passwd").is_none() && below(f, "a/../../x").is_none());
    }
}
