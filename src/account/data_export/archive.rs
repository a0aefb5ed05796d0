//! Files as one zip, in memory.

use std::io::{Cursor, Write};

use time::OffsetDateTime;
use zip::{CompressionMethod, DateTime, ZipWriter, result::ZipResult, write::SimpleFileOptions};

/// Every file carries the moment at which the archive was made.
pub fn zip(files: &[(String, Vec<u8>)], made_at: OffsetDateTime) -> ZipResult<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(moment(made_at).unwrap_or_default());
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(name, options)?;
        writer.write_all(content)?;
    }
    Ok(writer.finish()?.into_inner())
}

/// A zip knows the years from 1980 to 2107.
fn moment(at: OffsetDateTime) -> Option<DateTime> {
    let year = u16::try_from(at.year()).ok()?;
    DateTime::from_date_and_time(year, at.month().into(), at.day(), at.hour(), at.minute(), at.second()).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use time::macros::datetime;
    use zip::ZipArchive;

    use super::*;

    const NOON: OffsetDateTime = datetime!(2026-11-20 12:00:58 UTC);

    #[test]
    fn what_goes_in_comes_out() {
        let files = [
            ("README.txt".to_owned(), b"Hello".to_vec()),
            ("long.json".to_owned(), b"[1, 2, 3]".repeat(10_000)),
            ("empty.json".to_owned(), Vec::new()),
        ];
        let zipped = zip(&files, NOON).expect("zipped");
        assert!(zipped.len() < 2_000, "it is compressed: {}", zipped.len());
        let mut archive = ZipArchive::new(Cursor::new(zipped)).expect("a zip");
        assert_eq!(archive.len(), files.len());
        for (name, content) in &files {
            let mut file = archive.by_name(name).expect("there");
            let mut read = Vec::new();
            file.read_to_end(&mut read).expect("read");
            assert_eq!(&read, content, "{name}");
        }
    }

    #[test]
    fn the_same_content_at_the_same_moment_is_the_same_archive() {
        let files = [("a.json".to_owned(), b"{}".to_vec())];
        assert_eq!(zip(&files, NOON).expect("zipped"), zip(&files, NOON).expect("zipped"));
    }

    #[test]
    fn a_moment_that_a_zip_cannot_write_is_no_obstacle() {
        assert!(zip(&[("a".to_owned(), Vec::new())], datetime!(1970-01-01 0:00 UTC)).is_ok());
    }
}
