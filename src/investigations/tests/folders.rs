//! Exports that tell folders apart by their ids only.

use super::*;

/// Sync records as some exports have them: each path the same text that says nothing.
fn sync_by_id(number: u32, owner: &str, id: &str, path: &str, name: &str, address: &str) -> Value {
    let folder =
        json!({"Item": {"Id": id, "ParentFolder": {"Id": id, "Path": path, "Name": name}}, "ClientIPAddress": address});
    sync(number, "2026-03-02T08:00:00", owner, "", folder)
}

#[tokio::test]
async fn folders_without_paths() {
    let (none, home, hotel) = ("Not Available", "198.51.100.7", "203.0.113.9");
    let unnamed = record(20, "2026-03-02T08:00:00", 2, "Sync", BEN, json!({}));
    let opened = json!([{"Id": "f1", "Path": none, "Name": "Inbox", "FolderItems": [{"InternetMessageId": "<m1@x>"}]},
                        {"Id": "f9", "Path": none, "FolderItems": [{"InternetMessageId": "<m2@x>"}]}]);
    let (_folder, engine) = lake_of(&[
        sync_by_id(1, ANN, "f1", none, "Inbox", home),
        sync_by_id(2, ANN, "f1", none, "Inbox", hotel),
        sync_by_id(3, ANN, "f2", none, "Archive", home),
        sync_by_id(4, ANN, "f3", none, "Archive", home),
        sync_by_id(5, ANN, "f4", "Unknown", "", home),
        sync_by_id(6, ANN, "f5", "\\Sent Items", "Sent Items", home),
        // Without an id, but with the path of one that has it.
        sync(
            7,
            "2026-03-02T08:05:00",
            ANN,
            "\\Sent Items",
            json!({"ClientIPAddress": home}),
        ),
        record(
            8,
            "2026-03-02T09:00:00",
            50,
            "Bind",
            ANN,
            json!({"Folders": opened, "OperationCount": 2}),
        ),
        sync_by_id(9, BEN, "f1", none, "Inbox", home),
        unnamed,
    ])
    .await;
    let report = investigate_mailbox(&engine, ANN, Range::default()).await.unwrap();
    assert_eq!(
        report.synced_folders,
        ["Archive", "Archive", "Inbox", "\\Sent Items", "f4"]
    );
    assert_eq!((report.sync_events, report.sync_events_without_folder), (7, 0));
    assert!(
        report.verdict_text.contains("5 folders were synchronised"),
        "{}",
        report.verdict_text
    );
    assert_eq!(
        report.messages[0].folders.iter().collect::<Vec<_>>(),
        ["Inbox"],
        "the name stands in for the path"
    );
    let files = report.csv_files().unwrap();
    let syncs = rows(&files, "syncs.csv");
    let different: std::collections::BTreeSet<_> =
        syncs.iter().map(|row| (&row["folder"], &row["folder_id"])).collect();
    assert_eq!((syncs.len(), different.len()), (6, 5));
    let sent = syncs.iter().find(|row| row["folder"] == "\\Sent Items").unwrap();
    assert_eq!((sent["folder_id"].as_str(), sent["events"].as_str()), ("f5", "2"));
    let summary = rows(&files, "summary.csv");
    assert!(
        summary
            .iter()
            .any(|row| row["name"] == "synced_folders" && row["value"] == "5")
    );
    let folders: Vec<_> = rows(&files, "messages.csv")
        .iter()
        .filter(|row| row["access_type"] == "Bind")
        .map(|row| row["folder"].clone())
        .collect();
    assert_eq!(folders, ["Inbox", "f9"]);
    // Ben's folders are others, and one of his records names none.
    let ben = investigate_mailbox(&engine, BEN, Range::default()).await.unwrap();
    assert_eq!((ben.synced_folders.len(), ben.sync_events_without_folder), (1, 1));
    assert!(
        ben.verdict_text
            .contains("1 synchronisation record does not name the folder"),
        "{}",
        ben.verdict_text
    );
    let found = find_accesses(&engine, Question::address("198.51.100.7").unwrap(), Range::default())
        .await
        .unwrap();
    let of = |mailbox: &str| {
        let row = found.mailboxes.iter().find(|row| row.mailbox == mailbox).unwrap();
        row.synced_folders.clone()
    };
    assert_eq!(of(ANN), ["Archive", "Archive", "Inbox", "\\Sent Items", "f4"]);
    assert_eq!(of(BEN), ["Inbox"]);
}
