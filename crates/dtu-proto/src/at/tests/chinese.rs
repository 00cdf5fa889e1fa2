//! docs/zh-CN/at-commands.md: forms, names, ranges and values from the table, sentences from `zh-cn.json`.

use std::collections::BTreeSet;
use std::string::String;
use std::vec::Vec;
use std::{env, fs};

use serde_json::{Map, Value};

use super::super::{CommandDescription, TakesEffect, commands, table};
use super::table::{escaped, value};

fn words() -> Value {
    serde_json::from_str(include_str!("zh-cn.json")).unwrap()
}

fn keys(object: &Value) -> BTreeSet<&str> {
    object
        .as_object()
        .into_iter()
        .flat_map(Map::keys)
        .map(String::as_str)
        .collect()
}

/// English words, not only names, figures and the letters of a time.
fn is_prose(range: &str) -> bool {
    let small = ["or", "yy", "dd", "hh", "mm", "ss", "zz"];
    range
        .split(|c: char| !c.is_ascii_lowercase())
        .any(|word| word.len() > 1 && !small.contains(&word))
}

fn range(range: &str, words: &Value) -> String {
    let said = words["ranges"][range].as_str();
    escaped(said.unwrap_or(&range.replace(" or ", " 或 ")))
}

#[test]
fn zh_cn_json_has_words_for_each_command_parameter_and_range_and_for_nothing_else() {
    let (words, table) = (words(), commands().collect::<Vec<_>>());
    let names: BTreeSet<&str> = table.iter().map(|command| command.name.as_str()).collect();
    assert_eq!(keys(&words["commands"]), names, "commands");
    let subjects: BTreeSet<&str> = table.iter().map(|command| command.group).collect();
    assert_eq!(keys(&words["subjects"]), subjects, "subjects");
    for command in &table {
        let said = &words["commands"][&command.name];
        let with_help = command
            .parameters
            .iter()
            .filter(|param| !param.help.is_empty());
        let named: BTreeSet<&str> = with_help.map(|param| param.name).collect();
        assert_eq!(
            keys(&said["parameters"]),
            named,
            "parameters of {}",
            command.name
        );
        assert!(
            said["notes"].is_null() || !command.notes.is_empty(),
            "{} has no notes",
            command.name
        );
    }
    let ranges = table
        .iter()
        .flat_map(|command| &command.parameters)
        .map(|param| param.range.as_str());
    let ranges: BTreeSet<&str> = ranges.filter(|range| is_prose(range)).collect();
    assert_eq!(keys(&words["ranges"]), ranges, "ranges");
}

/// `BLESS=1 cargo test -p dtu-proto the_chinese_page` writes the page anew.
#[test]
fn the_chinese_page_of_commands_is_what_the_table_says() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/zh-CN/at-commands.md"
    );
    let page = page();
    if env::var_os("BLESS").is_some() {
        fs::write(path, &page).unwrap();
    }
    let written = fs::read_to_string(path).unwrap();
    assert!(
        written == page,
        "docs/zh-CN/at-commands.md is not what the table says; write it with BLESS=1"
    );
}

fn page() -> String {
    let words = words();
    let mut page = String::from(HEAD);
    for (subject, _) in table::GROUPS {
        let title = text(&words["subjects"], subject);
        page += &std::format!(
            "\n{title}(`{subject}`)\n\n| 指令 | 功能 | 手册章节 | 保存 | 生效 |\n|---|---|---|---|---|\n"
        );
        let own = commands().filter(|command| command.group == *subject);
        page.extend(own.map(|command| overview_line(&command, &words)));
    }
    page.extend(commands().map(|command| chapter(&command, &words)));
    page
}

fn text<'w>(words: &'w Value, key: &str) -> &'w str {
    words[key].as_str().unwrap_or_default()
}

fn section(section: &str) -> String {
    section.replace("own", "本项目")
}

fn overview_line(command: &CommandDescription, words: &Value) -> String {
    let effect = match command.takes_effect {
        Some(TakesEffect::Now) => "立即",
        Some(TakesEffect::Restart) => "重启后",
        None => "",
    };
    let stored = if command.stored { "是" } else { "" };
    let missing = if command.missing.is_some() {
        "(本版本没有)"
    } else {
        ""
    };
    let does = escaped(text(&words["commands"][&command.name], "does"));
    let (name, section) = (&command.name, section(command.section));
    std::format!("| `{name}` | {does}{missing} | {section} | {stored} | {effect} |\n")
}

fn chapter(command: &CommandDescription, words: &Value) -> String {
    let said = &words["commands"][&command.name];
    let (name, does, section) = (&command.name, text(said, "does"), section(command.section));
    let mut page = std::format!("\n## {name}\n\n{does}({section})。\n\n");
    if command.missing.is_some() {
        page += "**本版本没有透传云**；各种形式都返回 `+CME ERROR`。\n\n";
    }
    let forms: Vec<String> = command
        .forms
        .iter()
        .map(|form| std::format!("`{form}`"))
        .collect();
    page += &std::format!("形式：{}\n", forms.join(" · "));
    let (line, answer) = command.example;
    page += &std::format!("\n示例：`{line}` 返回 `{}`\n", answer.replace('\n', "` `"));
    if !command.parameters.is_empty() {
        page += "\n| 参数 | 取值范围 | 出厂值 | 省略等于 | 说明 |\n|---|---|---|---|---|\n";
    }
    for param in &command.parameters {
        let range = range(&param.range, words);
        let help = text(&said["parameters"], param.name);
        let (factory, absent) = (value(param.factory), value(param.absent));
        page += &std::format!(
            "| {} | {range} | {factory} | {absent} | {help} |\n",
            param.name
        );
    }
    let notes = text(said, "notes");
    if !notes.is_empty() {
        page += &std::format!("\n{notes}\n");
    }
    page
}

const HEAD: &str = "\
# AT 指令

本页由 `crates/dtu-proto/src/at` 的指令表和 `tests/zh-cn.json` 生成，有测试核对(`BLESS=1` 重新生成)。[English](../at-commands.md)。\"手册章节\"为产品手册的章节，\
或指令所在的标准；\"本项目\"为本项目增加的指令。

- 一行以 CR、LF 或两者结束，最多 1024 字节。不区分大小写，值前后的空格被忽略。多条指令用 `;` 连接，基本指令可直接相连：`ATE0V1+CMEE=1;+CIPR?`。
- 引号可有可无；值中有逗号或分号时必须加引号，引号内 `\"\"` 表示一个引号。引号外的全角 `，` `；` `＝` `“` `”` 等同于半角，UTF-8 和 GBK 都可以，\
所以手册中的示例可以直接粘贴。
- 中文内容(短信)的字符集由设置文件的 `serial.charset` 决定，出厂为 GBK；UTF-8 终端请设为 `\"utf-8\"`([设置文件](settings.md))。
- `AT+X?` 查询，`AT+X=…` 设置，`AT+X=?` 返回取值范围。`AT+HELP` 按主题列出全部指令，`AT+HELP=LINKS` 列出一个主题，\
`AT+HELP=X` 给出一条指令及其参数和示例。
- 下面的形式中，`<VALUE>` 代表一个值，`[ ]` 内的可以省略。示例为 AT 模式、有模块的设备的回复。
- 回复为 `\\r\\n…\\r\\n`，然后 `\\r\\nOK\\r\\n`。被拒绝时给出指令、参数、允许的范围和收到的值：`+CME ERROR: CIPCFG: HEAT must be 0..=65535, got 99999`；\
什么都不改变，同一行后面的指令不执行。`AT+CMEE` 选择更短的形式。
- 设置的值保持到下次重启；`ATW` 保存。\"重启后\"生效的，在 `ATW` 后重启时生效，或用 `AT+CIAPPLY` 立即生效。在设置窗口内设置的，窗口结束时生效。
- 经网络和短信查询时，密码显示为 `****`。密码仍为出厂值时，网络和短信只能查询，不能设置。
";
