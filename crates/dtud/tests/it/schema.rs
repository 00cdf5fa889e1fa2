//! Whether an answer is what the API's description says: as much of JSON Schema as that uses.
#![allow(clippy::unwrap_used, reason = "helpers that other tests use")]

use serde_json::Value;

/// Where the value is not as the schema says, and how.
pub(crate) fn faults(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let named = document.pointer(name.trim_start_matches('#')).unwrap();
        return faults(document, named, value, at);
    }
    if let Some(schemas) = schema["anyOf"].as_array() {
        let each = schemas.iter().map(|it| faults(document, it, value, at));
        return each.min_by_key(Vec::len).unwrap();
    }
    let mut found = Vec::new();
    if let Some(allowed) = schema["enum"].as_array() {
        let is_one = allowed.contains(value);
        found.extend((!is_one).then(|| format!("{at}: {value} is none of {allowed:?}")));
    }
    let types = &schema["type"];
    let types = match types.as_array() {
        Some(types) => types.clone(),
        None if types.is_null() => Vec::new(),
        None => vec![types.clone()],
    };
    let fits = |kind: &Value| match kind.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{at}: {other}"),
    };
    if !types.is_empty() && !types.iter().any(fits) {
        found.push(format!("{at}: {value} is none of {types:?}"));
    }
    for (bound, is_beyond) in [
        ("minimum", i64::lt as fn(&i64, &i64) -> bool),
        ("maximum", i64::gt),
    ] {
        let both = value.as_i64().zip(schema[bound].as_i64());
        if let Some((number, bound)) = both.filter(|(number, bound)| is_beyond(number, bound)) {
            found.push(format!("{at}: {number} is beyond {bound}"));
        }
    }
    for (place, item) in value.as_array().into_iter().flatten().enumerate() {
        let items = &schema["items"];
        found.extend(faults(document, items, item, &format!("{at}[{place}]")));
    }
    let Some(members) = value.as_object() else {
        return found;
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        if !members.contains_key(name.as_str().unwrap()) {
            found.push(format!("{at}: no {name}"));
        }
    }
    for (name, member) in members {
        let own = &schema["properties"][name];
        let of_others = &schema["additionalProperties"];
        let at = format!("{at}.{name}");
        match (own, of_others) {
            (Value::Null, Value::Bool(false)) => found.push(format!("{at} is not described")),
            (Value::Null, _) => found.extend(faults(document, of_others, member, &at)),
            (own, _) => found.extend(faults(document, own, member, &at)),
        }
    }
    found
}

/// The answer to `GET` of that path is as described.
#[track_caller]
pub(crate) fn check(document: &Value, method: &str, path: &str, answer: &Value) {
    let place = format!("/paths/{}/{method}/responses/200", path.replace('/', "~1"));
    let response = document.pointer(&place).unwrap();
    let schema = &response["content"]["application/json"]["schema"];
    assert!(!schema.is_null(), "{path} has no schema");
    let faults = faults(document, schema, answer, path);
    assert!(faults.is_empty(), "{faults:#?}");
}
