//! What the reader of TOML says, for a person: no name of a type of this program is in it.

/// `must be true or false, got "yes"` for `invalid type: string "yes", expected a boolean`.
pub(super) fn in_words(said: &str) -> String {
    if let Some((got, allowed)) =
        parted(said, "invalid type: ").or_else(|| parted(said, "invalid value: "))
    {
        return format!("must be {}, got {}", expected(allowed), found(got));
    }
    if let Some((name, allowed)) = parted(said, "unknown variant ") {
        let name = name.trim_matches('`');
        return format!("must be {}, got \"{name}\"", one_of(allowed, '"'));
    }
    if let Some((name, allowed)) = parted(said, "unknown field ") {
        return format!(
            "there is no key {name} here; there are {}",
            allowed.trim_start_matches("one of ")
        );
    }
    if let Some(name) = said.strip_prefix("missing field ") {
        return format!("{name} is missing in it");
    }
    match said {
        "wanted string or table" => "must be a text in quotes".to_owned(),
        // A word without quotes is read as `true` or `false`.
        "invalid boolean, expected `true`" | "invalid boolean, expected `false`" => {
            "must be true or false, or a text in quotes".to_owned()
        }
        _ if said.starts_with("expected table, found ") => "must be a text in quotes".to_owned(),
        _ => said
            .strip_suffix(", expected literal string")
            .unwrap_or(said)
            .to_owned(),
    }
}

/// `WHAT`, and `ALLOWED` of `PREFIX WHAT, expected ALLOWED`.
fn parted<'a>(said: &'a str, prefix: &str) -> Option<(&'a str, &'a str)> {
    said.strip_prefix(prefix)?.rsplit_once(", expected ")
}

/// The names of serde as those of the settings page.
fn expected(allowed: &str) -> &str {
    match allowed {
        "a sequence" => "a list in [ ]",
        "a boolean" => "true or false",
        "a string" | "string or table" => "a text in quotes",
        "struct ExpectValue" => "a table such as { reply_hex = \"4f4b\", within = 5 }",
        "a map" => "a table",
        _ if allowed.starts_with("struct ") => "a table",
        _ => allowed,
    }
}

fn found(got: &str) -> String {
    match got {
        "map" => "a table".to_owned(),
        "sequence" => "a list".to_owned(),
        _ => {
            let kinds = ["string ", "integer ", "boolean ", "floating point "];
            let bare = kinds
                .iter()
                .find_map(|kind| got.strip_prefix(kind))
                .unwrap_or(got);
            bare.trim_matches('`').to_owned()
        }
    }
}

/// `"none" or "rtscts"`, `"auto", "oldest" or "block"`.
fn one_of(allowed: &str, quote: char) -> String {
    let names = allowed
        .trim_start_matches("one of ")
        .replace('`', &quote.to_string());
    match names.rsplit_once(", ") {
        Some((first, last)) => format!("{first} or {last}"),
        None => names,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h9_no_word_of_the_program_is_in_what_a_person_reads() {
        for (said, wanted) in [
            (
                "invalid type: integer `5`, expected struct ExpectValue",
                "must be a table such as { reply_hex = \"4f4b\", within = 5 }, got 5",
            ),
            (
                "invalid type: string \"x\", expected a sequence",
                "must be a list in [ ], got \"x\"",
            ),
            (
                "invalid type: map, expected a whole number 1..=3600",
                "must be a whole number 1..=3600, got a table",
            ),
            (
                "unknown variant `xon`, expected `none` or `rtscts`",
                "must be \"none\" or \"rtscts\", got \"xon\"",
            ),
            (
                "unknown variant `x`, expected one of `a`, `b`, `c`",
                "must be \"a\", \"b\" or \"c\", got \"x\"",
            ),
            (
                "invalid type: sequence, expected a boolean",
                "must be true or false, got a list",
            ),
            (
                "invalid type: floating point `1.5`, expected struct LinkTable",
                "must be a table, got 1.5",
            ),
            ("wanted string or table", "must be a text in quotes"),
            ("expected table, found integer", "must be a text in quotes"),
            ("missing field `reply_hex`", "`reply_hex` is missing in it"),
            (
                "string values must be quoted, expected literal string",
                "string values must be quoted",
            ),
            ("duplicate key", "duplicate key"),
        ] {
            assert_eq!(in_words(said), wanted);
        }
    }
}
