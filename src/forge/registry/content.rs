//! Reading what a request carries, within a limit.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

use super::answer::Refusal;

/// The longest blob that is taken, in bytes: all of it is held in memory while it is pushed.
pub(super) const BLOB_BYTES: usize = 512 << 20;

/// Reads a body of at most `limit` bytes.
pub(super) async fn read(body: Body, limit: usize) -> Result<Bytes, Refusal> {
    let mut pieces = body.into_data_stream();
    let Some(first) = pieces.next().await else { return Ok(Bytes::new()) };
    let first = first.map_err(|_| Refusal::UploadInvalid)?;
    let mut whole = BytesMut::from(first);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| Refusal::UploadInvalid)?;
        if whole.len() + piece.len() > limit {
            return Err(Refusal::TooLarge);
        }
        whole.extend_from_slice(&piece);
    }
    if whole.len() > limit { Err(Refusal::TooLarge) } else { Ok(whole.freeze()) }
}
