//! Which application read the mail.

use serde::Serialize;

/// The applications of an access. Through Microsoft Graph there are two: the one that reads,
/// and Graph itself, which asked Exchange on its behalf.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Application {
    /// ClientAppId, of the record or its AppAccessContext: the one that reads.
    pub client_app_id: Option<String>,
    /// AppId: the one that asked Exchange.
    pub app_id: Option<String>,
    /// ClientAppName of the AppAccessContext.
    pub client_app_name: Option<String>,
}

impl Application {
    pub(super) fn is_known(&self) -> bool {
        self.client_app_id.is_some() || self.app_id.is_some()
    }

    /// In one line.
    pub fn display(&self) -> String {
        let name = self
            .client_app_name
            .as_deref()
            .map(|name| format!(" ({name})"))
            .unwrap_or_default();
        match (&self.client_app_id, &self.app_id) {
            (Some(client), Some(app)) if client != app => format!("{client}{name} via {app}"),
            (Some(one), _) | (None, Some(one)) => format!("{one}{name}"),
            (None, None) => name.trim().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_one_line() {
        let application = |client: Option<&str>, app: Option<&str>, name: Option<&str>| {
            let own = |text: Option<&str>| text.map(str::to_owned);
            Application {
                client_app_id: own(client),
                app_id: own(app),
                client_app_name: own(name),
            }
            .display()
        };
        assert_eq!(application(Some("c"), Some("a"), Some("Mail")), "c (Mail) via a");
        assert_eq!(application(Some("c"), Some("c"), None), "c");
        assert_eq!(application(None, Some("a"), None), "a");
    }
}
