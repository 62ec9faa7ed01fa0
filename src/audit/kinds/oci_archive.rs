//! `oci-archive:FILE`: an OCI layout in a tar archive, compressed with gzip or not.
//!
//! Follows *image-layout* of the OCI image specification. Refused: writing signatures into it.

use super::TargetKind;
use crate::source::layout::Layout;

/// The row of the table.
pub(super) const KIND: TargetKind = TargetKind {
    prefix: "oci-archive",
    place: "FILE",
    purpose: "one in a tar archive",
    names_inside: true,
    open: Layout::open_archive,
    write: Err("an archive cannot be signed in: unpack it, and sign in the directory with oci:DIR:REF"),
};
