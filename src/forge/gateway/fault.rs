//! How a gateway answers wrongly, or not at all.

use super::super::words::words;

words! {
    /// What is wrong with a gateway's answers to a signer.
    pub GatewayFault {
        /// The signature is another key's.
        AnotherKey "another-key"
        /// An ECDSA signature comes as DER where it was asked for raw, and raw where DER was asked for.
        OtherForm "other-form"
        /// The salt of an RSASSA-PSS signature is not as long as the hash.
        WrongSalt "wrong-salt"
        /// The request is executed, and its result is empty.
        EmptyResult "empty-result"
        /// Status 401, as for an API key that is not accepted.
        Unauthorized "unauthorized"
        /// Status 403.
        Forbidden "forbidden"
        /// Status 404.
        NotFound "not-found"
        /// Status 429, to come back in a second.
        TooManyRequests "too-many-requests"
        /// Status 503.
        Unavailable "unavailable"
        /// There is never an answer.
        Hang "hang"
        /// The connection is closed in the middle of the answer.
        Closed "closed"
        /// The status of the request is a word that nobody knows.
        UnknownStatus "unknown-status"
        /// The answer does not end.
        Endless "endless"
    }
}

words! {
    /// What a signer asks a gateway.
    pub GatewayCall {
        /// `POST /v1/sign`.
        Sign "sign"
        /// `POST /v1/synchronousSign`.
        SynchronousSign "synchronous-sign"
        /// `GET /v1/request/{id}`.
        Poll "poll"
        /// `DELETE /v1/request/{id}`.
        Cancel "cancel"
        /// `GET /v1/certificate/{key}`.
        Certificate "certificate"
    }
}
