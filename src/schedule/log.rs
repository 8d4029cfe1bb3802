//! The log of a command that runs for ever: lines for people, or JSON for collectors.

use super::settings::LogFormat;
use crate::error::{Error, Result};
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The variable with directives beside the level, such as `debug` or `deltalake=info,hyper=debug`.
pub const VARIABLE: &str = "RETROHUNT_LOG";

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Begins to log, for as long as the program lives. `level` is of this program's own messages;
/// of the libraries below, warnings and errors are logged. `directives` (see [`VARIABLE`]) win
/// over both; a level alone is of this program.
///
/// Fails with [`Error::Setting`] where the directives cannot be read, and with
/// [`Error::Internal`] where there is a log already.
pub fn start<W>(format: LogFormat, level: &str, directives: Option<&str>, colours: bool, writer: W) -> Result<()>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    subscriber(format, level, directives, colours, writer)?
        .try_init()
        .map_err(|error| Error::Internal(format!("cannot log: {error}")))
}

fn subscriber<W>(
    format: LogFormat,
    level: &str,
    directives: Option<&str>,
    colours: bool,
    writer: W,
) -> Result<Box<dyn Subscriber + Send + Sync>>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter(level, directives)?)
        .with_writer(writer);
    Ok(match format {
        LogFormat::Text => Box::new(builder.with_target(false).with_ansi(colours).finish()),
        LogFormat::Json => Box::new(
            builder
                .json()
                .flatten_event(true)
                .with_current_span(true)
                .with_span_list(false)
                .finish(),
        ),
    })
}

fn filter(level: &str, directives: Option<&str>) -> Result<EnvFilter> {
    let directives = directives.map(str::trim).filter(|text| !text.is_empty());
    let is_level = |text: &str| LEVELS.contains(&text.to_ascii_lowercase().as_str());
    let (level, more) = match directives {
        Some(text) if is_level(text) => (text, None),
        more => (level, more),
    };
    let all = format!("warn,{}={level}", env!("CARGO_PKG_NAME"));
    let all = more.map_or_else(|| all.clone(), |more| format!("{all},{more}"));
    EnvFilter::builder().parse(&all).map_err(|error| Error::Setting {
        setting: format!("{VARIABLE}={}", directives.unwrap_or_default()),
        problem: format!("{error}; write a level, or target=level with commas between them"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex};
    use tracing::{debug, info, warn};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, directives: Option<&str>) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let log = subscriber(format, "info", directives, false, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(log, || {
            let _span = tracing::info_span!("evaluation", detection = "d").entered();
            debug!("detail");
            info!(alerts = 3, "done");
            info!(target: "deltalake_core::kernel", "chatter");
            warn!(target: "hyper", "worry");
        });
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn libraries_are_quiet() {
        for (directives, expected) in [
            (None, [false, true, false, true]),
            (Some(""), [false, true, false, true]),
            (Some("debug"), [true, true, false, true]),
            (Some("deltalake_core=info,hyper=error"), [false, true, true, false]),
            (Some("off"), [false, false, false, true]),
        ] {
            let text = logged(LogFormat::Text, directives);
            let seen = ["detail", "done", "chatter", "worry"].map(|word| text.contains(word));
            assert_eq!(seen, expected, "{directives:?}: {text}");
        }
    }

    #[test]
    fn json_is_an_object_a_line() {
        let text = logged(LogFormat::Json, None);
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!((&lines[0]["message"], &lines[0]["alerts"]), (&"done".into(), &3.into()));
        assert_eq!(lines[0]["span"]["detection"], "d");
        assert_eq!(lines[1]["level"], "WARN");
    }

    #[test]
    fn what_is_no_filter_is_said() {
        let problem = filter("info", Some("retrohunt=loud")).unwrap_err().to_string();
        assert!(problem.starts_with("RETROHUNT_LOG=retrohunt=loud: "), "{problem}");
    }
}
