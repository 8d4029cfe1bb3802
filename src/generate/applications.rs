//! Applications: Microsoft's own, by which most people work, and a few of others.

/// An application that signs in and reads mail.
#[derive(Debug, Clone, Copy)]
pub(super) struct Application {
    /// Its id in Entra ID.
    pub(super) id: &'static str,
    /// Its name.
    pub(super) name: &'static str,
    /// `ClientInfoString` of mail accesses; `{agent}` in the place of the user agent.
    pub(super) client: Client,
}

/// How an application reaches a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Client {
    /// `Client=REST;…`
    Rest,
    /// `Client=OWA;` and the user agent.
    Browser,
    /// Outlook for Windows, `Client=MSExchangeRPC`.
    Outlook,
    /// Not at all.
    None,
}

const fn application(id: &'static str, name: &'static str, client: Client) -> Application {
    Application { id, name, client }
}

/// Microsoft's own, the most used first. All are in the list `first_party_apps`.
pub(super) const FIRST_PARTY: [Application; 16] = [
    application(
        "d3590ed6-52b3-4102-aeff-aad2292ab01c",
        "Microsoft Office",
        Client::Outlook,
    ),
    application("27922004-5251-4030-b22d-91ecd9a37ea4", "Outlook Mobile", Client::Rest),
    application(
        "9199bf20-a13f-4107-85dc-02114787ef48",
        "One Outlook Web",
        Client::Browser,
    ),
    application("1fec8e78-bce4-4aaf-ab1b-5451cc387264", "Microsoft Teams", Client::Rest),
    application(
        "5e3ce6c0-2b1f-4285-8d4b-75ee78787346",
        "Microsoft Teams Web Client",
        Client::Rest,
    ),
    application(
        "ab9b8c07-8f02-4f72-87fa-80105867a763",
        "OneDrive SyncEngine",
        Client::None,
    ),
    application("4765445b-32c6-49b0-83e6-1d93765276ca", "OfficeHome", Client::None),
    application(
        "5d661950-3475-41cd-a2c3-d671a3162bc1",
        "Microsoft Outlook",
        Client::Rest,
    ),
    application(
        "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe",
        "Microsoft Teams Services",
        Client::None,
    ),
    application(
        "29d9ed98-a469-4536-ade2-f981bc1d605e",
        "Microsoft Authentication Broker",
        Client::None,
    ),
    application("26a7ee05-5602-4d76-a7ba-eae8b7b67941", "Windows Search", Client::None),
    application(
        "4345a7b9-9a63-4910-a426-35363201d503",
        "Office365 Shell WCSS-Client",
        Client::None,
    ),
    application(
        "00b41c95-dab0-4487-9791-b9d2c32c80f2",
        "Office 365 Management",
        Client::None,
    ),
    application(
        "14d82eec-204b-4c2f-b7e8-296a70dab67e",
        "Microsoft Graph Command Line Tools",
        Client::None,
    ),
    application(
        "cf36b471-5b44-428c-9ce7-313bf84528de",
        "Microsoft Bing Search",
        Client::None,
    ),
    application(
        "93d53678-613d-4013-afc1-62e9e444a0a5",
        "Office Online Add-in SSO",
        Client::None,
    ),
];

/// Indexes in [`FIRST_PARTY`] of those that open mail through an API.
pub(super) const MAIL_CLIENTS: [usize; 5] = [1, 2, 3, 4, 7];

/// What is signed in to: (id, name), the most used first.
pub(super) const RESOURCES: [(&str, &str); 6] = [
    ("00000002-0000-0ff1-ce00-000000000000", "Office 365 Exchange Online"),
    ("00000003-0000-0000-c000-000000000000", "Microsoft Graph"),
    ("00000003-0000-0ff1-ce00-000000000000", "Office 365 SharePoint Online"),
    ("00000002-0000-0000-c000-000000000000", "Windows Azure Active Directory"),
    ("cc15fd57-2c6c-4117-a88c-83b1d56b4bbe", "Microsoft Teams Services"),
    (
        "797f4846-ba00-4fd7-ba43-dac1f8f63013",
        "Windows Azure Service Management API",
    ),
];

/// Applications of others that the organisation approved and people read mail with.
pub(super) const APPROVED: [&str; 2] = ["Ridgeline CRM", "Papertrail Archive"];

/// Programs that sign in with credentials of their own.
pub(super) const SERVICES: [&str; 8] = [
    "Backup Connector",
    "HR Sync",
    "Ticket Bridge",
    "Intune Reporter",
    "Phone System",
    "Invoice Robot",
    "Build Agents",
    "Data Platform",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microsofts_own_are_those_that_detections_leave_out() {
        let list = include_str!("../../sql/lists/first_party_apps.csv");
        for application in FIRST_PARTY {
            assert!(list.contains(application.id), "{}", application.name);
        }
        assert!(
            MAIL_CLIENTS
                .iter()
                .all(|client| FIRST_PARTY[*client].client != Client::None)
        );
    }
}
