//! `GET /v1/request/{id}`: how far a request has come, as the broker tells.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;

use super::broker::{Broker, Miss, Refusal};
use super::request_id::RequestId;
use crate::tsb::{REQUEST, RequestState};

/// Where a request is asked after.
pub(super) fn request_path(id: &RequestId) -> String {
    format!("{REQUEST}/{id}")
}

impl Broker {
    /// How far the request has come. What the broker tells of approvers is a key of theirs, or has no secret in it.
    pub(super) async fn state_of(&self, id: &RequestId, within: Duration) -> Result<RequestState, Miss> {
        let mut state: RequestState = self.ask(Method::GET, &request_path(id), None, within).await?;
        if state.id != id.as_str() {
            let said = format!("it is about the request {}", self.repeated(&state.id));
            return Err(Miss::Lasting(Refusal { status: None, said }));
        }
        let people = [&mut state.approved_by, &mut state.not_yet_approved_by, &mut state.rejected_by];
        for key in people.into_iter().flatten().filter(|key| STANDARD.decode(key).is_err()) {
            *key = self.concealed(key);
        }
        Ok(state)
    }
}
