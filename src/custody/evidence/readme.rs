//! What a bundle says about itself, for whoever gets it.

use super::Evidence;
use std::fmt::Write as _;

/// The text of `README.txt`.
pub(super) fn readme(evidence: &Evidence, made: &str) -> String {
    let mut text = format!(
        "Evidence from a retrohunt lake, made {made} by retrohunt {}.\n\n",
        env!("CARGO_PKG_VERSION")
    );
    text.push_str(ABOUT);
    text.push_str("\nWhat came of verifying the events when this was made:\n\n");
    for (status, count) in evidence.by_status() {
        let _ = writeln!(text, "  {count:>8}  {status}");
    }
    text.push_str(MEANING);
    text.push_str(CHECK);
    text
}

const ABOUT: &str = "\
manifest.json   What was asked for, and for each event its fields, the file it
                came from, the SHA-256 of that file, the position of the record
                in it, and whether all of that still agreed.
records/        The text of each record as the lake keeps it, byte for byte.
originals/      The bytes of each record cut out of the file it came from, where
                it was verified: the same text, or what the text was made of,
                such as a whole row of a CSV export.
alerts/         The alerts that were asked for, as the hunt wrote them.
sources/        The whole files, in folders named by their SHA-256, if they were
                asked for.
SHA256SUMS      The SHA-256 of all of these.

The position counts bytes from 0 in the file as it is once it is decompressed
and, from UTF-16, turned into UTF-8. In an archive (FILE!/MEMBER) it counts in
the member, and the SHA-256 is that of the archive.
";

const MEANING: &str = "
  verified                         The file had the SHA-256 it had when it was
                                   ingested, and reading the record at the
                                   position again gave the same text.
  file changed                     The file had another SHA-256.
  file not reachable               The file was not where it was, or could not
                                   be read.
  record not found at its position The file had the same SHA-256, but reading it
                                   at the position gave something else.
";

const CHECK: &str = "
How to check it: unpack it into an empty folder, and there

  sha256sum -c SHA256SUMS

(on macOS: shasum -a 256 -c SHA256SUMS) says OK for every file. manifest.json
has the same hashes, and that of SHA256SUMS. To hold on to all of it, note the
SHA-256 of the bundle itself when it is handed over:

  sha256sum BUNDLE.zip

To check a file that an event came from, compare

  sha256sum FILE

with the event's source_sha256. To see the record in a file that is neither
compressed nor UTF-16, with its source_position and the length of its file in
originals/:

  tail -c +$((POSITION + 1)) FILE | head -c LENGTH | sha256sum

gives the hash that manifest.json has of that file in originals/. A row of a
CSV export ends before its line end.
";
