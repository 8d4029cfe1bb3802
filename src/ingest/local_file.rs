//! A file on this machine, read by several at once as far as it went when it was opened.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

/// An open file. Whatever happens to its path, it stays the same; what is appended to it is not seen.
#[derive(Debug)]
pub(super) struct LocalFile {
    file: File,
    /// Bytes that it had when it was opened.
    pub(super) size: u64,
    modified: Option<SystemTime>,
    /// Somebody found its end before that.
    is_shorter: AtomicBool,
}

/// Reads a file from its begin. Others read it meanwhile.
#[derive(Debug)]
pub(super) struct LocalReader {
    file: Arc<LocalFile>,
    at: u64,
}

impl LocalFile {
    /// As it is now.
    pub(super) fn of(file: File) -> io::Result<Self> {
        let about = file.metadata()?;
        Ok(Self {
            file,
            size: about.len(),
            modified: about.modified().ok(),
            is_shorter: AtomicBool::new(false),
        })
    }

    /// Reads from its begin.
    pub(super) fn read(self: &Arc<Self>) -> LocalReader {
        LocalReader {
            file: Arc::clone(self),
            at: 0,
        }
    }

    /// All of it, as it is now.
    pub(super) fn into_bytes(mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(usize::try_from(self.size).unwrap_or_default() + 1);
        self.file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// An error where those who read it may have seen different things: it was cut off or written over. That
    /// something was appended they have not seen.
    pub(super) fn unchanged(&self) -> io::Result<()> {
        let about = self.file.metadata()?;
        let is_written = about.len() == self.size && about.modified().ok() != self.modified;
        if is_written || about.len() < self.size || self.is_shorter.load(Ordering::Relaxed) {
            return Err(io::Error::other("it changed while it was read; ingest it again"));
        }
        Ok(())
    }
}

impl Read for LocalReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.file.size.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let most = left.min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let count = read_at(&self.file.file, &mut buffer[..most], self.at)?;
        if count == 0 {
            self.file.is_shorter.store(true, Ordering::Relaxed);
        }
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for LocalReader {
    /// Nothing is asked of the system: a place that cannot be is that of a damaged archive.
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(from) => self.file.size.checked_add_signed(from),
            SeekFrom::Current(from) => self.at.checked_add_signed(from),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::time::Duration;

    fn file() -> (tempfile::TempDir, std::path::PathBuf, Arc<LocalFile>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.json");
        std::fs::write(&path, "0123456789").unwrap();
        let file = Arc::new(LocalFile::of(File::open(&path).unwrap()).unwrap());
        (folder, path, file)
    }

    fn rest(reading: &mut LocalReader) -> String {
        let mut text = String::new();
        reading.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn several_read_what_was_there() {
        let (_folder, path, file) = file();
        let (mut one, mut other) = (file.read(), file.read());
        File::options()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"more")
            .unwrap();
        one.seek(SeekFrom::End(-3)).unwrap();
        assert_eq!((rest(&mut one), rest(&mut other)), ("789".into(), "0123456789".into()));
        one.seek(SeekFrom::Start(2)).unwrap();
        one.seek(SeekFrom::Current(4)).unwrap();
        assert_eq!(rest(&mut one), "6789");
        for beyond in [SeekFrom::Start(u64::MAX), SeekFrom::Start(10), SeekFrom::End(5)] {
            one.seek(beyond).unwrap();
            assert_eq!(rest(&mut one), "");
        }
        for nowhere in [SeekFrom::End(-11), SeekFrom::Current(-100)] {
            let error = one.seek(nowhere).unwrap_err();
            assert!(error.raw_os_error().is_none(), "the file's fault, not the system's");
        }
        assert!(file.unchanged().is_ok(), "what was appended nobody has seen");
        // Another file in its place.
        std::fs::rename(&path, path.with_extension("1")).unwrap();
        std::fs::write(&path, "another one").unwrap();
        assert_eq!(rest(&mut file.read()), "0123456789");
        assert!(file.unchanged().is_ok());
    }

    #[test]
    fn what_is_cut_off_or_written_over_is_said() {
        let (_folder, path, file) = file();
        let opened = File::options().write(true).open(&path).unwrap();
        opened
            .set_modified(SystemTime::now() + Duration::from_secs(60))
            .unwrap();
        assert!(file.unchanged().is_err(), "written over");
        let file = Arc::new(LocalFile::of(File::open(&path).unwrap()).unwrap());
        opened.set_len(4).unwrap();
        assert!(file.unchanged().is_err(), "cut off");
        assert_eq!(rest(&mut file.read()), "0123");
        opened.set_len(100).unwrap();
        assert!(file.unchanged().is_err(), "somebody has seen its end");
    }
}
