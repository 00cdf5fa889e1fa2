//! All routes, each with what it asks of who comes.

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};

use super::access::{self, Needs};
use super::app::App;
use super::fault::Fault;
use super::{apply, assets, at, events, feed, files, metrics, pages, schema, session, settings};
use crate::words;

/// A path and what serves it.
struct Route {
    path: &'static str,
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the handler knows it; the test of the API asks")
    )]
    method: Method,
    needs: Needs,
    handler: MethodRouter<Arc<App>>,
}

/// The table: `docs` of the API name the same paths.
fn routes() -> Vec<Route> {
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
    use Needs::{Metrics, Nothing, Owner, Password, Viewer};
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
        writes("/api/check", Owner, post(apply::check)),
        writes("/api/apply", Owner, post(apply::apply)),
        reads("/api/trial", Viewer, get(apply::trial)),
        writes("/api/keep", Owner, post(apply::keep)),
        writes("/api/rollback", Owner, post(apply::rollback)),
        writes("/api/save", Owner, post(apply::save)),
        writes("/api/restart", Owner, post(apply::restart)),
        writes("/api/factory", Owner, post(apply::factory)),
        writes("/api/export", Owner, post(files::export)),
        writes("/api/import", Owner, post(files::import)),
        writes("/api/at", Owner, post(at::at)),
        reads("/api/commands", Viewer, get(schema::commands)),
        reads("/api/events", Viewer, get(events::events)),
        reads("/api/rows", Viewer, get(feed::rows)),
        reads("/api/log", Owner, get(feed::log)),
        reads("/api/traffic.pcapng", Owner, get(feed::pcapng)),
        writes("/api/inject", Owner, post(feed::inject)),
        reads("/api/messages", Viewer, get(feed::messages)),
        writes("/api/sms", Owner, post(feed::sms)),
        writes("/api/call", Owner, post(feed::call)),
        writes("/api/hangup", Owner, post(feed::hangup)),
        reads("/api/openapi.json", Viewer, get(pages::openapi)),
        reads("/metrics", Metrics, get(metrics::metrics)),
    ]
}

pub(crate) fn router(app: &Arc<App>) -> Router {
    let mut router = Router::new();
    for route in routes() {
        let guard = from_fn_with_state((Arc::clone(app), route.needs), access::guard);
        router = router.route(route.path, route.handler.layer(guard));
    }
    router
        .fallback(async || Fault::new(StatusCode::NOT_FOUND, "missing", words::no_path()))
        .method_not_allowed_fallback(async || {
            Fault::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method",
                words::wrong_method(),
            )
        })
        .layer(from_fn_with_state(Arc::clone(app), access::gate))
        .with_state(Arc::clone(app))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test it is an assertion")]
mod tests {
    use std::collections::BTreeSet;

    use super::{Method, Needs, routes};

    #[test]
    fn openapi_names_the_paths_of_the_router_and_no_others() {
        let document: serde_json::Value =
            serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/openapi.json"))).unwrap();
        let mut written = BTreeSet::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys() {
                written.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
        let served = routes().into_iter().map(|route| {
            let path = route.path.replace("{*", "{");
            format!("{} {path}", route.method)
        });
        assert_eq!(served.collect::<BTreeSet<_>>(), written);
    }

    /// What the gate and the guard answer, whatever is asked for.
    #[test]
    fn openapi_names_for_each_route_what_stands_in_front_of_it() {
        let document: serde_json::Value =
            serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/openapi.json"))).unwrap();
        for route in routes() {
            let path = route.path.replace("{*", "{");
            let method = route.method.as_str().to_lowercase();
            let responses = &document["paths"][&path][&method]["responses"];
            let mut wanted = vec!["400", "403", "421"];
            if !matches!(route.needs, Needs::Nothing | Needs::Password) {
                wanted.push("401");
            }
            if route.method == Method::POST {
                wanted.extend(["408", "413"]);
            }
            for status in wanted {
                assert!(!responses[status].is_null(), "{method} {path}: {status}");
            }
        }
    }
}
