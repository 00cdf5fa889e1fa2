//! Who may do what.

use serde_json::json;

use crate::client::Stage;

#[test]
fn the_own_user_comes_without_log_in() {
    let stage = Stage::new();
    let session = stage.get("/api/session").ok();
    assert_eq!(session["who"], "local");
    assert_eq!(session["features"]["radio"], "sim");
    assert_eq!(stage.get("/api/status").ok()["mode"]["number"], 0);
    let reply = stage.post("/api/at", &json!({ "line": "AT+CIPR?" })).ok();
    assert_eq!(reply, json!({ "lines": ["+CIPR: 115200"], "end": "OK" }));
    let settings = stage.get("/api/settings").ok();
    assert_eq!(
        settings["values"]["CIPR"]["running"], "115200",
        "{settings}"
    );
    let page = stage.get("/");
    assert_eq!(page.status, 200);
    assert_eq!(page.header("cache-control"), Some("no-cache"));
}
