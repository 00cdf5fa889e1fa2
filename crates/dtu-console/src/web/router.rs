//! All routes, each with what it asks of who comes.

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};

use super::access::{self, Needs};
use super::app::App;
use super::fault::Fault;
use super::{assets, at, pages, schema, session, settings};

/// A path and what serves it.
pub(crate) struct Route {
    pub(crate) path: &'static str,
    pub(crate) method: Method,
    needs: Needs,
    handler: MethodRouter<Arc<App>>,
}

/// The table: `docs` of the API name the same paths.
pub(crate) fn routes() -> Vec<Route> {
    let reads = |path, needs, handler| Route {
        path,
        method: Method::GET,
        needs,
        handler,
    };
    let writes = |path, needs, handler| Route {
        path,
        method: Method::POST,
        needs,
        handler,
    };
    use Needs::{Nothing, Owner, Password, Viewer};
    vec![
        reads("/", Nothing, get(assets::page)),
        reads("/assets/{hash}/{*name}", Nothing, get(assets::asset)),
        reads("/healthz", Nothing, get(pages::healthz)),
        reads("/api/session", Nothing, get(session::session)),
        writes("/api/login", Password, post(session::login)),
        writes("/api/logout", Viewer, post(session::logout)),
        reads("/api/status", Viewer, get(pages::status)),
        reads("/api/schema", Viewer, get(schema::schema)),
        reads("/api/settings", Owner, get(settings::settings)),
        writes("/api/at", Owner, post(at::at)),
    ]
}

pub(crate) fn router(app: &Arc<App>) -> Router {
    let mut router = Router::new();
    for route in routes() {
        let guard = from_fn_with_state((Arc::clone(app), route.needs), access::guard);
        router = router.route(route.path, route.handler.layer(guard));
    }
    router
        .fallback(async || Fault::new(StatusCode::NOT_FOUND, "missing", "there is no such path"))
        .method_not_allowed_fallback(async || {
            let text = "this path is read by GET or written by POST, not as asked";
            Fault::new(StatusCode::METHOD_NOT_ALLOWED, "method", text)
        })
        .layer(from_fn_with_state(Arc::clone(app), access::gate))
        .with_state(Arc::clone(app))
}
