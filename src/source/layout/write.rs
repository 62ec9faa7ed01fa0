//! Writing into a layout directory (OCI image specification, *Image Layout*).
//!
//! Every file is written beside its place and renamed into it, content first and `index.json` last: a reader meanwhile
//! sees the layout before or after, never between. Writers that use this at the same time wait for each other. It refuses
//! to write through links, and to touch an `index.json` that it cannot read.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::catalogue;
use super::directory::Directory;
use super::files::{Files, INDEX, LAYOUT, blob_name};
use crate::failure::quote;
use crate::limits;
use crate::source::attachment::{self, Attachment, Content};
use crate::temporary::{self, Existing};
use crate::trouble::{Trouble, TroubleKind};

/// Writes `attachment` into the layout directory at `path`, which must be a layout that can be read.
///
/// Blocks, also until others have finished who write into the same layout.
pub fn attach(path: &Path, attachment: &Attachment) -> Result<(), Trouble> {
    let directory = Directory::open(path)?;
    let failed = |error: io::Error| trouble(path, &error.to_string());
    let files = Files::Directory(directory);
    catalogue::check_version(&files)?;
    // Held until it is dropped. Only the other writers look at it.
    let lock = File::open(path.join(LAYOUT)).map_err(failed)?;
    lock.lock().map_err(failed)?;
    for content in attachment.blobs.iter().chain([&attachment.manifest]) {
        blob(path, content).map_err(failed)?;
    }
    let index = files.file(INDEX, limits::LAYOUT_INDEX_BYTES)?.unwrap_or_default();
    let longer = attachment::extended(&index, &attachment.manifest.descriptor);
    if let Some(longer) = longer.map_err(|error| trouble(path, &format!("index.json cannot be extended: {error}")))? {
        temporary::write(&path.join(INDEX), &longer, Existing::Replace).map_err(failed)?;
    }
    Ok(())
}

fn blob(layout: &Path, content: &Content) -> io::Result<()> {
    let place_of = layout.join(blob_name(&content.descriptor.digest));
    for folder in [layout.join("blobs"), parent(&place_of)] {
        match fs::create_dir(&folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        if !fs::symlink_metadata(&folder)?.is_dir() {
            return Err(io::Error::other(format!("{} is not a directory", quote(&folder.display().to_string()))));
        }
    }
    temporary::write(&place_of, &content.bytes, Existing::Replace)
}

fn parent(path: &Path) -> PathBuf {
    path.parent().map(Path::to_owned).unwrap_or_default()
}

fn trouble(path: &Path, what: &str) -> Trouble {
    let place = quote(&path.display().to_string());
    Trouble::new(TroubleKind::FileUnusable, format!("the layout {place} cannot be written: {what}"))
}
