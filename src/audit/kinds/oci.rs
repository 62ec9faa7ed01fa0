//! `oci:DIR`: an OCI layout in a directory.
//!
//! Follows *image-layout* of the OCI image specification.

use super::TargetKind;
use crate::source::layout::{self, Layout};

/// The row of the table.
pub(super) const KIND: TargetKind = TargetKind {
    prefix: "oci",
    place: "DIR",
    purpose: "an OCI layout",
    names_inside: true,
    open: Layout::open_directory,
    write: Ok(layout::attach),
};
