//! Files that come, stay and go.

use std::convert::Infallible;

use super::*;
use crate::base::mins;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR and so on";

fn tenant() -> TenantId {
    TenantId::parse("demo").unwrap()
}

fn allowed() -> Allowed {
    use crate::text::file::Class;
    Allowed { bytes: 100_000, classes: BTreeSet::from([Class::Picture, Class::Text]), in_conversation: 9 }
}

fn body(parts: &[&[u8]]) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::iter(parts.iter().map(|p| Ok(Bytes::copy_from_slice(p))).collect::<Vec<_>>())
}

async fn read(vault: &Vault, id: &FileId) -> Option<Vec<u8>> {
    let (length, content) = vault.open(&tenant(), id).await.unwrap()?;
    let content: Vec<u8> = content.map(|c| c.unwrap().to_vec()).concat().await;
    assert_eq!(content.len() as u64, length);
    Some(content)
}

/// Every file below a folder.
fn files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries.map(|e| e.unwrap().path()).map(|p| if p.is_dir() { files(&p) } else { 1 }).sum()
}

#[tokio::test]
async fn a_file_comes_in_parts_lies_once_and_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::new(dir.path().join("files"));
    let (front, back) = PNG.split_at(3);
    let one = vault.take(&tenant(), "C:\\photo.png", &allowed(), body(&[front, back])).await.unwrap();
    assert_eq!((one.name.as_str(), one.bytes), ("photo.png", PNG.len() as u64));
    assert_eq!(read(&vault, &one.id).await.unwrap(), PNG);
    let again = vault.take(&tenant(), "other name.png", &allowed(), body(&[PNG])).await.unwrap();
    assert_eq!(one.id, again.id);
    assert_eq!(files(dir.path()), 1);
    let other = TenantId::parse("other").unwrap();
    assert!(vault.open(&other, &one.id).await.unwrap().is_none(), "another tenant's house is another house");
}

#[tokio::test]
async fn what_is_refused_leaves_nothing_and_its_sender_hears_why() {
    let dir = tempfile::tempdir().unwrap();
    let mut vault = Vault::new(dir.path().join("files"));
    let word = |e: VaultError| e.answer().1;
    let page = vault.take(&tenant(), "photo.png", &allowed(), body(&[b"<html><script>"])).await.unwrap_err();
    assert_eq!(word(page), "file_kind");
    let large = [PNG, &[7; 100_000]].concat();
    assert_eq!(word(vault.take(&tenant(), "a.png", &allowed(), body(&[&large])).await.unwrap_err()), "file_too_large");
    assert_eq!(word(vault.take(&tenant(), "a.png", &allowed(), body(&[])).await.unwrap_err()), "file_empty");
    let broken = stream::iter([Ok(Bytes::from_static(PNG)), Err("the line broke")]);
    assert_eq!(word(vault.take(&tenant(), "a.png", &allowed(), broken).await.unwrap_err()), "file_stalled");
    vault.free_min = u64::MAX;
    assert_eq!(word(vault.take(&tenant(), "a.png", &allowed(), body(&[PNG])).await.unwrap_err()), "disk_full");
    assert_eq!(files(dir.path()), 0);
    // Where the folder should be there is something else: a disk that does not work.
    std::fs::write(dir.path().join("blocked"), "").unwrap();
    let vault = Vault::new(dir.path().join("blocked/files"));
    assert_eq!(word(vault.take(&tenant(), "a.png", &allowed(), body(&[PNG])).await.unwrap_err()), "unavailable");
}

#[tokio::test(start_paused = true)]
async fn a_sender_who_stops_in_the_middle_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::new(dir.path().join("files"));
    let endless = stream::iter([Ok::<_, Infallible>(Bytes::from_static(PNG))]).chain(stream::pending());
    let answer = vault.take(&tenant(), "a.png", &allowed(), endless).await.unwrap_err();
    assert_eq!(answer.answer(), (408, "file_stalled"));
    assert_eq!(files(dir.path()), 0);
}

#[tokio::test]
async fn a_file_no_message_names_goes_after_a_day_and_one_that_is_named_stays() {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::new(dir.path().join("files"));
    let kept = vault.take(&tenant(), "a.png", &allowed(), body(&[PNG])).await.unwrap().id;
    let loose = vault.take(&tenant(), "a.txt", &allowed(), body(&[b"hello"])).await.unwrap().id;
    let stamp = |id: &FileId| std::fs::metadata(vault.path(&tenant(), id)).unwrap().modified().unwrap();
    let come = Wall(i64::try_from(stamp(&loose).duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap());
    let named = BTreeSet::from([kept.clone()]);
    let sweep = async |id: &FileId, at| vault.sweep(&tenant(), &id.as_str()[..2], &named, at).await.unwrap();
    assert_eq!(sweep(&loose, come + mins(60)).await, 0, "somebody may be about to name it");
    assert_eq!(sweep(&loose, come + limits::FILE_UNNAMED).await, 1);
    assert_eq!(sweep(&kept, come + limits::FILE_UNNAMED * 3).await, 0);
    assert!(read(&vault, &kept).await.is_some() && read(&vault, &loose).await.is_none());
}

#[test]
fn a_name_in_any_language_is_a_header_and_nothing_runs() {
    let id = FileId::parse(&"0".repeat(64)).unwrap();
    let file = File { id, name: "发票 1;\"x.pdf".into(), kind: crate::text::file::Kind::Pdf, bytes: 1 };
    let [kind, saved, sniff, policy, ..] = headers(&file, 9);
    assert_eq!(kind.1, "application/pdf");
    assert_eq!(saved.1, "attachment; filename*=UTF-8''%E5%8F%91%E7%A5%A8%201%3B%22x.pdf");
    assert_eq!((sniff.1.as_str(), policy.1.as_str()), ("nosniff", "default-src 'none'; sandbox"));
}
