//! The device's sentences about values, in Chinese. The wire stays English; what is not known here is shown as it came.

use dtu_setup::Schema;

use super::schema::range_zh;

/// `CIPCFG: HEAT must be 0..=65535, got 99999`, in Chinese; none for other sentences.
pub(crate) fn sentence(schema: &Schema, english: &str) -> Option<String> {
    let (head, rest) = english.split_once(" must be ")?;
    let field = schema
        .commands()
        .iter()
        .flat_map(|command| &command.fields)
        .filter(|field| rest.starts_with(&field.range))
        .max_by_key(|field| field.range.len())?;
    let rest = rest.strip_prefix(field.range.as_str())?;
    let range = range_zh(field);
    if head.ends_with(" is missing; it") {
        let head = head.trim_end_matches(" is missing; it").replace(": ", ":");
        return Some(format!("{head} 未给出,必须为 {range}"));
    }
    let head = head.replace(": ", ":");
    let got = rest.strip_prefix(", got ")?;
    let (got, cure) = match got.split_once("; ") {
        Some((got, text)) => (got, cure(text)?),
        None => (got, String::new()),
    };
    let got = got
        .strip_suffix(" bytes")
        .map_or_else(|| got.to_owned(), |count| format!("{count} 字节"));
    Some(format!("{head} 必须为 {range},收到 {got}{cure}"))
}

/// What to type instead.
fn cure(english: &str) -> Option<String> {
    if let Some(value) = english.strip_prefix("write the name or address alone: ") {
        return Some(format!(";只写域名或地址:{value}"));
    }
    if let Some(value) = english.strip_prefix("the port is a value of its own: write ") {
        return Some(format!(";端口是单独的值:请写 {value}"));
    }
    if english == "each number of an address is 0..=255" {
        return Some(";地址的每个数字为 0..=255".to_owned());
    }
    if let Some(text) = english.strip_prefix("text ")
        && let Some((text, hex)) = text.split_once(" in hex is ")
    {
        return Some(format!(";文本 {text} 的十六进制为 {hex}"));
    }
    let value = english.strip_prefix("write ")?;
    Some(format!(";请写 {value}"))
}

#[cfg(test)]
mod tests {
    use dtu_setup::{Schema, check};

    use super::sentence;

    #[test]
    fn each_range_has_its_chinese_sentence() {
        let schema = Schema::new();
        let say = |key: &str, value: &str| {
            let key = schema.key(key).expect("a key");
            let english = check::value(&schema, &key, value).expect_err("refused");
            sentence(&schema, &english).unwrap_or_else(|| panic!("{english}"))
        };
        assert_eq!(
            say("CIPCFG.HEAT", "99999"),
            "CIPCFG:HEAT 必须为 0..=65535,收到 99999"
        );
        assert_eq!(
            say("CIPSCONT.1.START", "on"),
            "CIPSCONT:START 必须为 0(不启用)或 1(启用),收到 on;请写 1"
        );
        assert!(say("CIPSCONT.1.ADDRESS", "a.example:80").contains("端口是单独的值"));
        assert!(say("CIPPACK.0.DATA", "HB").contains("的十六进制为 4842"));
        assert!(say("CIPSW", "toolong").contains("收到 7 字节"));
    }
}
