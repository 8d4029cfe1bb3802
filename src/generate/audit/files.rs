//! SharePoint and OneDrive: files, pages and lists.

use super::super::names::{EXTENSIONS, FILE_WORDS, LIBRARY_FOLDERS};
use super::super::organisation::Site;
use super::super::random::{Random, join};
use super::super::scene::{Device, Scene};
use super::super::text::{Guid, Put, put};
use super::{Head, Kind};

const fn share_point(operation: &'static str) -> Kind {
    Kind::new(operation, "SharePoint")
}

/// What is done to files, most often first.
const OPERATIONS: [&str; 12] = [
    "FileAccessed",
    "FileModified",
    "FilePreviewed",
    "FileSyncDownloadedFull",
    "FileDownloaded",
    "FileUploaded",
    "FileSyncUploadedFull",
    "FileRenamed",
    "FileMoved",
    "FileRecycled",
    "FileDeleted",
    "FileCheckedOut",
];
/// Files of one site.
const FILES: u64 = 600;

/// Something is done to a file.
pub(super) fn file(scene: &mut Scene<'_>, out: &mut Vec<u8>) -> Kind {
    let operation = OPERATIONS[scene.random.skewed(OPERATIONS.len() as u64, 2) as usize];
    file_operation(scene, operation, out)
}

/// The key that SharePoint has for a user.
struct MembershipKey<'a>(&'a str);

impl Put for MembershipKey<'_> {
    fn put(&self, out: &mut Vec<u8>) {
        put!(out, "i:0h.f|membership|", self.0, "@live.com");
    }
}

/// One operation on some file of the user's own site or of one where the user works.
pub(in crate::generate) fn file_operation(scene: &mut Scene<'_>, operation: &'static str, out: &mut Vec<u8>) -> Kind {
    let (site, kind) = if scene.random.below(10) < 4 {
        (&scene.user.personal, Kind::new(operation, "OneDrive"))
    } else {
        (scene.site(), share_point(operation))
    };
    let file = join(site.seed, scene.random.skewed(FILES, 2));
    let folder = match kind.workload {
        "OneDrive" => "Documents",
        _ => LIBRARY_FOLDERS[(file >> 20) as usize % LIBRARY_FOLDERS.len()],
    };
    let extension = EXTENSIONS[(file >> 8) as usize % EXTENSIONS.len()];
    let name = FileName(file);
    head(scene, kind, 6, out);
    put!(
        out,
        r#","ClientIP":""#,
        scene.address,
        r#"","ObjectId":""#,
        site.url,
        folder,
        "/",
        name,
        ".",
        extension
    );
    put!(
        out,
        r#"","CorrelationId":""#,
        scene.guid(),
        r#"","EventSource":"SharePoint","ItemType":"File","ListId":""#
    );
    put!(
        out,
        site.list,
        r#"","ListItemUniqueId":""#,
        Guid(file, join(file, 1)),
        "\""
    );
    site_and_agent(scene, site, out);
    put!(
        out,
        r#","FileSizeBytes":"#,
        12_000 + Random::new(file).skewed(8_000_000, 4)
    );
    put!(
        out,
        r#","HighPriorityMediaProcessing":false,"IsManagedDevice":"#,
        scene.device == Device::Computer
    );
    put!(
        out,
        r#","Platform":""#,
        if scene.device == Device::Computer {
            "WinDesktop"
        } else {
            "Web"
        }
    );
    put!(
        out,
        r#"","AuthenticationType":"OAuth","BrowserName":"Edge","BrowserVersion":"143.0.0.0","SourceFileExtension":""#
    );
    put!(
        out,
        extension,
        r#"","SiteUrl":""#,
        site.url,
        r#"","SourceFileName":""#,
        name,
        ".",
        extension
    );
    put!(out, r#"","SourceRelativeUrl":""#, folder, "\"");
    if matches!(operation, "FileMoved" | "FileRenamed") {
        let other = FileName(scene.random.next());
        put!(
            out,
            r#","DestinationFileName":""#,
            other,
            ".",
            extension,
            r#"","DestinationRelativeUrl":""#,
            folder,
            "\""
        );
    }
    out.push(b'}');
    kind
}

/// A page or a list is looked at.
pub(super) fn view(scene: &mut Scene<'_>, out: &mut Vec<u8>) -> Kind {
    let site = scene.site();
    let page = scene.random.below(3) > 0;
    let kind = share_point(if page { "PageViewed" } else { "ListViewed" });
    head(scene, kind, if page { 4 } else { 36 }, out);
    put!(out, r#","ClientIP":""#, scene.address, r#"","ObjectId":""#, site.url);
    if page {
        put!(
            out,
            r#"SitePages/Home.aspx","CorrelationId":""#,
            scene.guid(),
            r#"","CustomUniqueId":true,"EventSource":"#
        );
        put!(
            out,
            r#""SharePoint","ItemType":"Page","ListItemUniqueId":""#,
            Guid(site.seed, !site.seed),
            "\""
        );
        site_and_agent(scene, site, out);
        put!(out, "}");
    } else {
        put!(
            out,
            site.list,
            r#"","CorrelationId":""#,
            scene.guid(),
            r#"","DoNotDistributeEvent":true,"EventSource":"#
        );
        put!(out, r#""SharePoint","ItemType":"List","ListId":""#, site.list, "\"");
        site_and_agent(scene, site, out);
        put!(
            out,
            r#","CustomizedDoclib":false,"FromApp":true,"IsDocLib":true,"ItemCount":"#,
            scene.random.below(400)
        );
        put!(
            out,
            r#","ListBaseTemplateType":"101","ListBaseType":"DocumentLibrary","ListColor":"","ListIcon":"","Source":"#
        );
        put!(
            out,
            r#""Unknown","TemplateTypeId":"","ListTitle":""#,
            site.list,
            r#""}"#
        );
    }
    kind
}

fn head(scene: &mut Scene<'_>, kind: Kind, record_type: u64, out: &mut Vec<u8>) {
    let user = scene.user;
    Head {
        kind,
        record_type,
        result: None,
        user_key: &MembershipKey(&user.key),
        user_type: 0,
        user: &user.upn,
    }
    .write(scene, out);
}

fn site_and_agent(scene: &Scene<'_>, site: &Site, out: &mut Vec<u8>) {
    put!(
        out,
        r#","Site":""#,
        site.site,
        r#"","UserAgent":""#,
        scene.agent,
        r#"","WebId":""#,
        site.web,
        "\""
    );
}

/// The name of a file, without its extension.
struct FileName(u64);

impl Put for FileName {
    fn put(&self, out: &mut Vec<u8>) {
        let word = |shift: u32| FILE_WORDS[(self.0 >> shift) as usize % FILE_WORDS.len()];
        put!(out, word(32), " ", word(40), " ", self.0 % 1_000);
    }
}
