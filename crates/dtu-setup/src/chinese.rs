//! The command table in Chinese: what commands and values mean, what is allowed, and the device's sentences about that.
//! The wire stays English; what is not known here is shown as it came.

use std::sync::LazyLock;

use dtu_proto::CommandDescription;
use serde_json::Value;

use crate::Schema;
use crate::say::Sentence;
use crate::schema::{Field, SettingCommand};

/// The words of the table's Chinese pages.
static WORDS: LazyLock<Value> = LazyLock::new(|| {
    let words = include_str!("../../dtu-proto/src/at/tests/zh-cn.json");
    serde_json::from_str(words).unwrap_or_default()
});

static SCHEMA: LazyLock<Schema> = LazyLock::new(Schema::new);

fn of_command(name: &str) -> &'static Value {
    &WORDS["commands"][name]
}

/// What a setting does.
#[must_use]
pub fn help(command: &SettingCommand) -> &'static str {
    let words = of_command(&format!("AT{}", command.name));
    words["does"].as_str().unwrap_or_default()
}

/// What a value of a setting means.
#[must_use]
pub fn help_of_field(command: &SettingCommand, field: &Field) -> &'static str {
    parameter(&format!("AT{}", command.name), field.name)
}

/// What a command does, and what is to be known of it.
#[must_use]
pub fn explained(command: &CommandDescription) -> (&'static str, &'static str) {
    let words = of_command(&command.name);
    let text = |name: &str| words[name].as_str().unwrap_or_default();
    (text("does"), text("notes"))
}

/// The subject of commands, as `AT+HELP` lists them: `LINKS`.
#[must_use]
pub fn subject(name: &str) -> &'static str {
    WORDS["subjects"][name].as_str().unwrap_or_default()
}

/// What a value of a command means: `AT+CIPCFG`, `HEAT`.
#[must_use]
pub fn parameter(command: &str, name: &str) -> &'static str {
    let words = &of_command(command)["parameters"][name];
    words.as_str().unwrap_or_default()
}

/// What is allowed.
#[must_use]
pub fn range(english: &str) -> String {
    let said = WORDS["ranges"][english].as_str();
    said.map_or_else(|| english.replace(" or ", " 或 "), str::to_owned)
}

/// `0(不启用)或 1(启用)`: the word in the brackets behind the value.
#[must_use]
pub fn word_in<'a>(range: &'a str, value: &str) -> &'a str {
    let mut from = 0;
    while let Some(at) = range[from..].find(value).map(|at| from + at) {
        let stands_alone = !range[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
        if let Some(rest) = range[at + value.len()..].strip_prefix('(')
            && stands_alone
        {
            return rest.split(')').next().unwrap_or_default();
        }
        from = at + value.len();
    }
    ""
}

/// The device's own words, with their Chinese where that is known.
#[must_use]
pub fn words_of_device(english: &str) -> Sentence {
    match refusal(english).or_else(|| in_table(english)) {
        Some(chinese) => Sentence::new(english.to_owned(), chinese),
        None => Sentence::as_it_came(english),
    }
}

/// `CIPCFG: HEAT must be 0..=65535, got 99999`, in Chinese; none for other sentences.
fn refusal(english: &str) -> Option<String> {
    let (head, rest) = english.split_once(" must be ")?;
    let field = SCHEMA
        .commands()
        .iter()
        .flat_map(|command| &command.fields)
        .filter(|field| rest.starts_with(&field.range))
        .max_by_key(|field| field.range.len())?;
    let rest = rest.strip_prefix(field.range.as_str())?;
    let range = range(&field.range);
    if let Some(head) = head.strip_suffix(" is missing; it") {
        let empty = match rest.strip_prefix("; write , for ") {
            Some("an empty one") => "；留空请写 ,".to_owned(),
            Some(value) => format!("；取 {value} 请写 ,"),
            None if rest.is_empty() => String::new(),
            None => return None,
        };
        let head = head.replace(": ", ":");
        return Some(format!("{head} 未给出，必须为 {range}{empty}"));
    }
    let head = head.replace(": ", ":");
    let got = rest.strip_prefix(", got ")?;
    // What was typed may hold such a sign, too.
    let cured = got
        .match_indices("; ")
        .find_map(|(at, sign)| Some((&got[..at], cure(&got[at + sign.len()..])?)));
    let (got, cure) = cured.unwrap_or((got, String::new()));
    let got = got
        .strip_suffix(" bytes")
        .map_or_else(|| got.to_owned(), |count| format!("{count} 字节"));
    Some(format!("{head} 必须为 {range}，收到 {got}{cure}"))
}

/// What to type instead.
fn cure(english: &str) -> Option<String> {
    if let Some(value) = english.strip_prefix("write the name or address alone: ") {
        return Some(format!("；只写域名或地址：{value}"));
    }
    if let Some(value) = english.strip_prefix("the port is a value of its own: write ") {
        return Some(format!("；端口是单独的值：请写 {value}"));
    }
    if english == "each number of an address is 0..=255" {
        return Some("；地址的每个数字为 0..=255".to_owned());
    }
    if let Some(text) = english.strip_prefix("text ")
        && let Some((text, hex)) = text.split_once(" in hex is ")
    {
        return Some(format!("；文本 {text} 的十六进制为 {hex}"));
    }
    let value = english.strip_prefix("write ")?;
    Some(format!("；请写 {value}"))
}

/// Refusals that are no matter of a range; `{it}` is taken over as it came.
const REFUSALS: &[(&str, &str)] = &[
    (
        "CINETPT: PORT {port} is the local port of link {link}; links need different ports, or 0",
        "CINETPT:PORT {port} 是连接 {link} 的本地端口；各连接的端口必须不同，或为 0",
    ),
    (
        "CIROLE: ROLE: link {link} cannot be its own backup",
        "CIROLE:ROLE：连接 {link} 不能备份自己",
    ),
    (
        "CIROLE: ROLE: link {link} has link {rival} as its backup already",
        "CIROLE:ROLE：连接 {link} 已有备份连接 {rival}",
    ),
    (
        "CIROLE: ROLE: link {primary} is itself a backup of link {link}, directly or through others",
        "CIROLE:ROLE：连接 {primary} 直接或间接是连接 {link} 的备份",
    ),
    (
        "CIROLE: the settings file fixes the role of link {link}",
        "CIROLE：连接 {link} 的角色由设置文件固定",
    ),
    (
        "CIMODID: NAME must be 0..=64 printable characters",
        "CIMODID:NAME 必须为 0..=64 个可打印字符",
    ),
    (
        "HTPSV: SERVER must be {shape}, got {typed}; the path belongs to HTPURL",
        "HTPSV:SERVER 必须为域名或 IP 地址，前面可有 http:// 或 https://，收到 {typed}；路径属于 HTPURL",
    ),
    (
        "HTPSV: SERVER must be {shape}, got {typed}; the port is a value of its own",
        "HTPSV:SERVER 必须为域名或 IP 地址，前面可有 http:// 或 https://，收到 {typed}；端口是单独的值",
    ),
    (
        "HTPSV: SERVER must be a name {shape}, got {typed}",
        "HTPSV:SERVER 必须为域名或 IP 地址，前面可有 http:// 或 https://，收到 {typed}",
    ),
    (
        "HTPURL: URL must begin with /, got {typed}",
        "HTPURL:URL 必须以 / 开头，收到 {typed}",
    ),
    (
        "HTPURL: URL must have at most {most} bytes, got {got}",
        "HTPURL:URL 最多 {most} 字节，收到 {got}",
    ),
    (
        "HTPHD: HEAD line {line} must be name:value, there is no colon",
        "HTPHD:HEAD 第 {line} 行必须为 名称:值，缺少冒号",
    ),
    (
        "HTPHD: HEAD line {line} has the control character {which}",
        "HTPHD:HEAD 第 {line} 行含有控制字符 {which}",
    ),
    (
        "HTPHD: HEAD line {line} is a second {name}",
        "HTPHD:HEAD 第 {line} 行重复 {name}",
    ),
    (
        "HTPHD: HEAD line {line} {name} is not possible: it would change where requests end",
        "HTPHD:HEAD 第 {line} 行不能使用 {name}：它会改变请求的结束位置",
    ),
    (
        "{label}: factory password: set a new one at the serial line first (AT+CIPSW)",
        "{label}：仍为出厂密码：请先从串口设置新密码 (AT+CIPSW)",
    ),
    (
        "{label}: settings of {who} are on trial, {left}; AT+CIKEEP stores them, AT+CIKEEP=0 goes back",
        "{label}：{who} 的参数正在试用 ({left})；AT+CIKEEP 保存，AT+CIKEEP=0 恢复",
    ),
];

fn in_table(english: &str) -> Option<String> {
    REFUSALS
        .iter()
        .find_map(|(pattern, chinese)| fill(pattern, english, (*chinese).to_owned()))
}

/// The Chinese with the values of an English sentence, if it is of that pattern.
fn fill(pattern: &str, english: &str, chinese: String) -> Option<String> {
    let Some((before, rest)) = pattern.split_once('{') else {
        return (pattern == english).then_some(chinese);
    };
    let (name, behind) = rest.split_once('}')?;
    let english = english.strip_prefix(before)?;
    let next = behind.split('{').next().unwrap_or_default();
    // The last one takes what is there.
    if behind.is_empty() {
        return Some(chinese.replace(&format!("{{{name}}}"), english));
    }
    english.match_indices(next).find_map(|(at, _)| {
        let chinese = chinese.replace(&format!("{{{name}}}"), &english[..at]);
        fill(behind, &english[at..], chinese)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;

    #[test]
    fn words_are_taken_out_of_ranges() {
        assert_eq!(word_in("0(不启用)或 1(启用)", "1"), "启用");
        assert_eq!(word_in("10(甲)或 0(乙)", "0"), "乙");
        assert_eq!(word_in("0 或 1", "1"), "");
    }

    #[test]
    fn each_range_has_its_chinese_sentence() {
        let schema = Schema::new();
        let say = |key: &str, value: &str| {
            let key = schema.key(key).expect("a key");
            let refused = check::value(&schema, &key, value).expect_err("refused");
            refused.chinese().to_owned()
        };
        assert_eq!(
            say("CIPCFG.HEAT", "99999"),
            "CIPCFG:HEAT 必须为 0..=65535，收到 99999"
        );
        assert_eq!(
            say("CIPSCONT.1.START", "on"),
            "CIPSCONT:START 必须为 0(不启用)或 1(启用)，收到 on；请写 1"
        );
        assert!(say("CIPSCONT.1.ADDRESS", "a.example:80").contains("端口是单独的值"));
        assert!(say("CIPPACK.0.DATA", "HB").contains("的十六进制为 4842"));
        assert!(say("CIPSW", "toolong").contains("收到 7 字节"));
        assert!(say("CIPCFG.HEAT", "1; 2").ends_with("收到 1; 2"));
    }

    /// Whatever a value of each setting may be, the refusal of the check is in Chinese.
    #[test]
    fn each_refusal_of_each_value_has_its_chinese() {
        let schema = Schema::new();
        let long = "9".repeat(2000);
        let odd = [
            "",
            " ",
            "99999999999",
            "-1",
            "on",
            "x,y",
            "0x1F",
            "a b",
            "ä",
            "\u{1}",
            "\"",
            "http://a/b",
            "a:1",
            "1.2.3.400",
            "+",
            "backup:1",
            "backup:4",
            "backup:9",
            "zzz",
            "4; 5",
            &long,
        ];
        let keys = schema
            .groups()
            .flat_map(|group| schema.keys(&group).collect::<Vec<_>>());
        let mut refused = 0;
        let mut english: Vec<String> = Vec::new();
        for key in keys {
            for value in odd {
                if let Err(words) = check::value(&schema, &key, value) {
                    refused += 1;
                    let shown: String = words.english().chars().take(200).collect();
                    english.extend(
                        (words.english() == words.chinese()).then(|| format!("{key}: {shown}")),
                    );
                }
            }
        }
        assert!(refused > 1000, "{refused}");
        assert!(english.is_empty(), "no Chinese for {english:#?}");
    }
}
