//! The server: from requests to handlers, and everything they share.

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use axum::{Router, body};
use tokio::sync::oneshot;

use super::super::accepting::Accepting;
use super::answer::{self, Refusal};
use super::effects::{self, Effect};
use super::faults::Faults;
use super::login::{self, Tokens};
use super::route::{NoRoute, Route};
use super::store::Store;
use super::uploads::Uploads;
use super::{Options, blobs, lists, manifests, referrers, uploads};

/// How long answers under way may take when the registry stops.
const GRACE: Duration = Duration::from_millis(200);

const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

/// What all handlers share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: Options,
    pub(super) requests: AtomicUsize,
    pub(super) faults: Faults,
    pub(super) uploads: Uploads,
    tokens: Tokens,
    store: RwLock<Store>,
}

/// Where blobs are that all repositories share.
const SHARED_BLOBS: &str = "shared/blobs";

impl Shared {
    /// The repository in which the blobs of `name` are.
    pub(super) fn blobs_of<'a>(&self, name: &'a str) -> &'a str {
        if self.options.shares_blobs { SHARED_BLOBS } else { name }
    }

    pub(super) fn new(options: Options, store: Store) -> Shared {
        Shared {
            options,
            requests: AtomicUsize::new(0),
            faults: Faults::default(),
            uploads: Uploads::default(),
            tokens: Tokens::default(),
            store: RwLock::new(store),
        }
    }

    pub(super) fn store(&self) -> RwLockReadGuard<'_, Store> {
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn store_mut(&self) -> RwLockWriteGuard<'_, Store> {
        self.store.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves until told to stop.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>, stopped: oneshot::Receiver<()>) {
    let Ok(listener) = Accepting::new(listener) else { return };
    let (stop, stopping) = oneshot::channel::<()>();
    let router = Router::new().fallback(handle).with_state(shared);
    let serving = axum::serve(listener, router).with_graceful_shutdown(async {
        let _ = stopping.await;
    });
    let mut serving = tokio::spawn(async { serving.await });
    tokio::select! {
        _ = &mut serving => {}
        _ = stopped => {
            drop(stop);
            let _ = tokio::time::timeout(GRACE, serving).await;
        }
    }
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    shared.requests.fetch_add(1, Ordering::Relaxed);
    let (parts, body) = request.into_parts();
    let mut response = match Route::of(parts.uri.path()) {
        Err(NoRoute::Unknown) if parts.uri.path() == effects::LOGIN => effects::login(),
        Err(NoRoute::Unknown) if parts.uri.path() == login::TOKENS => {
            shared.options.login.token(&shared.tokens, &parts)
        }
        Err(NoRoute::Unknown) if parts.uri.path().starts_with(effects::STORAGE) => stored(&shared, &parts).await,
        Err(NoRoute::Unknown) => answer::error(StatusCode::NOT_FOUND, "UNSUPPORTED", "there is no such endpoint"),
        Err(NoRoute::Name) => Refusal::NameInvalid.answer(),
        Ok(route) => {
            let effect = shared.faults.for_request(route.kind(), &parts.uri.to_string());
            if let Some(Effect::Delay(time)) = &effect {
                tokio::time::sleep(*time).await;
            }
            let refused = || shared.options.login.refusal(&shared.tokens, route, &parts);
            match effect.as_ref().and_then(|effect| effect.instead(&parts.uri)).or_else(refused) {
                Some(response) => response,
                None => {
                    let response = answered(&shared, route, &parts, body).await.unwrap_or_else(Refusal::answer);
                    match effect {
                        Some(effect) => effect.apply(response).await,
                        None => response,
                    }
                }
            }
        }
    };
    response.headers_mut().insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
    response
}

/// What lies behind a redirect to where content is stored: the address alone lets read it.
async fn stored(shared: &Shared, request: &axum::http::request::Parts) -> Response {
    let path = request.uri.path().strip_prefix(effects::STORAGE).unwrap_or_default();
    match Route::of(path) {
        Ok(route @ (Route::Blob { .. } | Route::Manifest { .. })) if request.method == Method::GET => {
            answered(shared, route, request, body::Body::empty()).await.unwrap_or_else(Refusal::answer)
        }
        _ => answer::error(StatusCode::NOT_FOUND, "UNSUPPORTED", "there is no such endpoint"),
    }
}

/// Hands a request to the handler of its route.
async fn answered(
    shared: &Shared,
    route: Route<'_>,
    request: &axum::http::request::Parts,
    body: body::Body,
) -> Result<Response, Refusal> {
    match (route, &request.method) {
        (Route::Manifest { .. } | Route::Blob { .. }, &Method::DELETE) if shared.options.keeps_everything => {
            Err(Refusal::Unsupported)
        }
        (Route::Base, method @ (&Method::GET | &Method::HEAD)) => {
            Ok(answer::with_content(method, StatusCode::OK, "application/json", "{}".into()))
        }
        (Route::Catalog, &Method::GET) => lists::catalog(shared, request),
        (Route::Tags { name }, &Method::GET) => lists::tags(shared, name, request),
        (Route::Manifest { name, reference }, &Method::GET | &Method::HEAD) => {
            manifests::get(shared, name, reference, &request.method)
        }
        (Route::Manifest { name, reference }, &Method::PUT) => {
            manifests::put(shared, name, reference, request, body).await
        }
        (Route::Manifest { name, reference }, &Method::DELETE) => manifests::delete(shared, name, reference),
        (Route::Blob { name, digest }, &Method::GET | &Method::HEAD) => blobs::get(shared, name, digest, request),
        (Route::Blob { name, digest }, &Method::DELETE) => blobs::delete(shared, name, digest),
        (Route::Upload { name, id: None }, &Method::POST) => uploads::begin(shared, name, request, body).await,
        (Route::Upload { name, id: Some(id) }, method) => match *method {
            Method::PATCH => uploads::append(shared, name, id, request, body).await,
            Method::PUT => uploads::finish(shared, name, id, request, body).await,
            Method::GET => uploads::status(shared, name, id),
            Method::DELETE => uploads::cancel(shared, name, id),
            _ => Err(Refusal::Unsupported),
        },
        (Route::Referrers { name, digest }, &Method::GET) => referrers::list(shared, name, digest, request),
        _ => Err(Refusal::Unsupported),
    }
}
