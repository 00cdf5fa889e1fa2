//! The packaged file and the pages name every key.

use super::*;

#[test]
fn the_packaged_file_is_all_comments_and_its_comments_are_the_defaults() {
    let packaged = include_str!("../../../../../packaging/dtud.toml");
    assert_eq!(read(packaged), Settings::default());
    let active: String = packaged
        .lines()
        .map(|line| {
            if line.starts_with("# ") {
                line
            } else {
                line.strip_prefix('#').unwrap_or(line)
            }
        })
        .fold(String::new(), |text, line| text + line + "\n");
    for number in ["[serial]", "[device]", "[packing]", "[modem]", "[link]"] {
        assert!(
            active.lines().any(|line| line == number),
            "{number} is not shown"
        );
    }
    let mut wanted = Settings::default();
    // Written out it fixes the role, where an empty file leaves it to AT+CIROLE: that line stays prose.
    wanted.links.iter_mut().for_each(|link| link.role = None);
    assert_eq!(read(&active), wanted);
}

#[test]
fn the_page_and_the_packaged_file_name_every_key() {
    let page = include_str!("../../../../../docs/settings.md");
    let packaged = include_str!("../../../../../packaging/dtud.toml");
    let keys = EVERY_KEY
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(key, _)| key);
    for key in keys.chain(["reply_hex", "within", "misses", "pass", "link.1"]) {
        assert!(
            page.contains(&format!("`{key}`")) || page.contains(&format!("`[{key}]`")),
            "page: {key}"
        );
        assert!(packaged.contains(key), "packaged file: {key}");
    }
}

/// The keys that stand in the tables of a page, in their order.
fn keys_of(page: &str) -> Vec<&str> {
    let is_key = |text: &&str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte == b'_' || byte.is_ascii_lowercase())
    };
    page.lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(is_key)
        .collect()
}

#[test]
fn the_chinese_page_has_every_key_of_the_english_one_in_its_order() {
    let english = keys_of(include_str!("../../../../../docs/settings.md"));
    assert!(
        english.len() > 40 && english.contains(&"escape_gap"),
        "{english:?}"
    );
    assert_eq!(
        keys_of(include_str!("../../../../../docs/zh-CN/settings.md")),
        english
    );
}
