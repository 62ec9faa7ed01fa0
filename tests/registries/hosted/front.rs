//! A server that stands before the embedded registry and has habits of its own: it may answer in its place, and may change
//! what it answers.

use std::collections::HashSet;
use std::sync::Arc;

use muster::forge::registry::{EmbeddedRegistry, Options};
use tokio::runtime::Runtime;

use crate::registry_answers::mock::{Mock, Reply, Request, serve_with};

/// A running front. Its host is not the embedded registry's.
pub(crate) struct Front {
    mock: Mock,
    /// What stands behind it; it ends with the front.
    _registry: EmbeddedRegistry,
    _runtime: Runtime,
}

impl Front {
    /// Stands before a registry that `fill` fills. `before` may answer a request in the registry's place; `after` may change
    /// what the registry answers.
    pub(crate) fn new(
        fill: impl FnOnce(&EmbeddedRegistry),
        before: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static,
        after: impl Fn(&Request, Reply) -> Reply + Send + Sync + 'static,
    ) -> Front {
        Front::before(Options::default(), fill, before, after)
    }

    /// The same before a registry with these options.
    pub(crate) fn before(
        options: Options,
        fill: impl FnOnce(&EmbeddedRegistry),
        before: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static,
        after: impl Fn(&Request, Reply) -> Reply + Send + Sync + 'static,
    ) -> Front {
        let registry = EmbeddedRegistry::start(options).unwrap();
        fill(&registry);
        let behind = registry.host();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let client = runtime.block_on(async { reqwest::Client::builder().no_proxy().build().unwrap() });
        let shared = Arc::new((before, after, client, behind));
        let mock = runtime.block_on(serve_with(move |request| {
            let shared = Arc::clone(&shared);
            async move {
                let (before, after, client, behind) = &*shared;
                match before(&request) {
                    Some(reply) => reply,
                    None => after(&request, relay(client, behind, &request).await),
                }
            }
        }));
        Front { mock, _registry: registry, _runtime: runtime }
    }

    pub(crate) fn host(&self) -> &str {
        &self.mock.host
    }

    /// Every request so far.
    pub(crate) fn seen(&self) -> Vec<Request> {
        self.mock.seen()
    }

    /// How many different paths of this beginning were asked for by this method.
    pub(crate) fn paths(&self, method: &str, prefix: &str) -> usize {
        let seen = self.seen();
        let asked = seen.iter().filter(|request| request.method == method && request.target.starts_with(prefix));
        asked.map(|request| &request.target).collect::<HashSet<_>>().len()
    }

    /// How many requests of this method went to a path (and query) that starts so.
    pub(crate) fn count(&self, method: &str, prefix: &str) -> usize {
        let counted = |request: &&Request| request.method == method && request.target.starts_with(prefix);
        self.seen().iter().filter(counted).count()
    }
}

/// What the registry behind answers.
async fn relay(client: &reqwest::Client, behind: &str, request: &Request) -> Reply {
    let method: reqwest::Method = request.method.parse().unwrap();
    let mut send = client.request(method, format!("http://{behind}{}", request.target)).body(request.body.clone());
    for (name, value) in request.headers() {
        if !["host", "content-length", "connection"].contains(&name.to_ascii_lowercase().as_str()) {
            send = send.header(name, value);
        }
    }
    let answer = send.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let mut reply = Reply::new(status, answer.bytes().await.unwrap());
    for (name, value) in &headers {
        if !["content-length", "connection", "transfer-encoding"].contains(&name.as_str()) {
            reply = reply.header(name.as_str(), value.to_str().unwrap());
        }
    }
    reply
}
