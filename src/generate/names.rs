//! Words that invented people, places and things are named with.

pub(super) const FIRST_NAMES: [&str; 48] = [
    "Ann", "Ben", "Carla", "Deniz", "Elena", "Farid", "Grace", "Henrik", "Ines", "Jonas", "Katja", "Liam", "Marta",
    "Nikhil", "Olga", "Pedro", "Quinn", "Ravi", "Sofia", "Tomas", "Ulla", "Victor", "Wei", "Xenia", "Yusuf", "Zoe",
    "Aisha", "Bram", "Chiara", "Dmitri", "Emma", "Felix", "Giulia", "Hana", "Ivan", "Julia", "Kenji", "Lucia",
    "Mehmet", "Nora", "Oscar", "Priya", "Rosa", "Samir", "Tara", "Uma", "Vera", "Yara",
];

pub(super) const LAST_NAMES: [&str; 48] = [
    "Keller",
    "Osei",
    "Novak",
    "Garcia",
    "Haddad",
    "Ivanova",
    "Jensen",
    "Kumar",
    "Lopez",
    "Moreau",
    "Nakamura",
    "Okafor",
    "Petrov",
    "Quist",
    "Rossi",
    "Silva",
    "Tanaka",
    "Ueda",
    "Varga",
    "Weber",
    "Xu",
    "Yilmaz",
    "Zhang",
    "Almeida",
    "Brandt",
    "Costa",
    "Dubois",
    "Eriksen",
    "Fischer",
    "Gupta",
    "Horvat",
    "Ito",
    "Jansen",
    "Kowalski",
    "Lindgren",
    "Meyer",
    "Nguyen",
    "Ortiz",
    "Papadakis",
    "Ramos",
    "Schmidt",
    "Takahashi",
    "Urban",
    "Visser",
    "Walsh",
    "Young",
    "Zimmermann",
    "Bianchi",
];

pub(super) const DEPARTMENTS: [&str; 12] = [
    "Sales",
    "Finance",
    "Engineering",
    "Operations",
    "Marketing",
    "Legal",
    "Human Resources",
    "Support",
    "Purchasing",
    "Research",
    "IT",
    "Logistics",
];

pub(super) const ORGANISATIONS: [&str; 8] = [
    "contoso",
    "fabrikam",
    "northwind",
    "tailspin",
    "woodgrove",
    "litware",
    "adatum",
    "proseware",
];

/// First words of names of files.
pub(super) const FILE_WORDS: [&str; 24] = [
    "Budget",
    "Invoice",
    "Plan",
    "Report",
    "Minutes",
    "Contract",
    "Offer",
    "Roadmap",
    "Review",
    "Forecast",
    "Policy",
    "Checklist",
    "Design",
    "Übersicht",
    "Résumé",
    "Order",
    "Inventory",
    "Schedule",
    "Proposal",
    "Summary",
    "Analysis",
    "Handbook",
    "Training",
    "Survey",
];

pub(super) const EXTENSIONS: [&str; 8] = ["docx", "xlsx", "pptx", "pdf", "xlsx", "docx", "png", "txt"];

/// Folders of a document library.
pub(super) const LIBRARY_FOLDERS: [&str; 8] = [
    "Shared Documents",
    "Shared Documents/General",
    "Shared Documents/2025",
    "Shared Documents/2026",
    "Shared Documents/Archive",
    "Shared Documents/Templates",
    "Shared Documents/Customers",
    "Shared Documents/Meetings",
];

/// Folders of a mailbox, the most used first, as JSON has them.
pub(super) const MAIL_FOLDERS: [&str; 8] = [
    r"\\Inbox",
    r"\\Sent Items",
    r"\\Drafts",
    r"\\Deleted Items",
    r"\\Junk Email",
    r"\\Archive",
    r"\\Inbox\\Projects",
    r"\\Calendar",
];

pub(super) const SUBJECTS: [&str; 12] = [
    "Re: weekly numbers",
    "Minutes of the meeting",
    "RE: offer 2026",
    "Invoice",
    "AW: Rückfrage zum Vertrag",
    "Lunch on Friday?",
    "Re: Re: release plan",
    "Your order has shipped",
    "FW: customer visit",
    "Travel expenses",
    "New version of the slides",
    "Out of office",
];

/// Names of rules that people make for themselves.
pub(super) const RULE_NAMES: [&str; 6] = [
    "Newsletters",
    "Reports",
    "Build notifications",
    "Travel",
    "Customers",
    "Tickets",
];
