//! What can be set, for forms; and all commands, for help. Both come from the command table, in two languages.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use dtu_proto::{CommandDescription, ParameterKind, TakesEffect};
use dtu_setup::schema::{Field, SettingCommand};
use dtu_setup::{Schema, chinese};
use serde_json::{Value, json};

/// The groups of the page, as the manufacturer's tool has them.
const GROUPS: [(&str, &str, &str); 12] = [
    ("apn", "Access point", "接入点 APN"),
    ("serial", "Serial line", "串口"),
    ("mode", "Working mode", "工作模式"),
    ("links", "Links", "连接"),
    (
        "packets",
        "Registration and heartbeat packet",
        "注册包和心跳包",
    ),
    ("packing", "Packing and times", "打包和时间"),
    ("sms", "Messages", "短信"),
    ("httpd", "HTTPD client", "HTTPD Client"),
    ("cloud", "Cloud", "透传云"),
    ("passwords", "Password and gates", "密码和指令权限"),
    ("banner", "Banner", "启动信息"),
    (
        "other",
        "For programs that use it as a modem",
        "其他(供上位机程序)",
    ),
];

/// Where a setting stands on the page, and whether only in the full display (完整显示).
fn place(command: &SettingCommand) -> (&'static str, bool) {
    match (command.label.as_str(), command.group) {
        ("CSTT", _) => ("apn", false),
        ("CIPR" | "ICF", _) => ("serial", false),
        ("CIMOD", _) => ("mode", false),
        ("CISOCLINK", _) => ("mode", true),
        ("CIPSCONT", _) => ("links", false),
        ("CINETPT" | "CIROLE", _) => ("links", true),
        ("CIPPACK", _) => ("packets", false),
        ("CIPCFG", _) => ("packing", false),
        ("CIPNUM", _) => ("sms", false),
        ("HTPTP" | "HTPSV" | "HTPURL", _) => ("httpd", false),
        (_, "HTTPD") => ("httpd", true),
        ("CIPSW", _) => ("passwords", false),
        (_, "ACCESS") => ("passwords", true),
        ("CIMODID", _) => ("banner", true),
        (_, "MESSAGES") => ("sms", true),
        (_, "CLOUD") => ("cloud", false),
        _ => ("other", true),
    }
}

static SCHEMA: LazyLock<String> = LazyLock::new(|| {
    let schema = Schema::new();
    let groups = GROUPS.map(|(id, title, title_zh)| {
        let own = schema
            .commands()
            .iter()
            .filter(|command| place(command).0 == id);
        let commands: Vec<Value> = own.map(|command| describe(&schema, command)).collect();
        json!({ "id": id, "title": title, "title_zh": title_zh, "commands": commands })
    });
    json!({ "groups": groups }).to_string()
});

static COMMANDS: LazyLock<String> = LazyLock::new(|| {
    let commands: Vec<Value> = dtu_proto::commands()
        .map(|command| explain(&command))
        .collect();
    Value::from(commands).to_string()
});

pub(crate) async fn schema() -> Response {
    (
        [(header::CONTENT_TYPE, "application/json")],
        SCHEMA.as_str(),
    )
        .into_response()
}

pub(crate) async fn commands() -> Response {
    (
        [(header::CONTENT_TYPE, "application/json")],
        COMMANDS.as_str(),
    )
        .into_response()
}

fn describe(schema: &Schema, command: &SettingCommand) -> Value {
    let group = schema
        .groups()
        .find(|group| schema.command(group).name == command.name);
    let keys: Vec<String> = group
        .iter()
        .flat_map(|group| schema.keys(group))
        .map(|key| key.to_string())
        .collect();
    let fields: Vec<Value> = command
        .fields
        .iter()
        .zip(keys)
        .enumerate()
        .map(|(place, (field, key))| {
            let may_be_empty = group
                .as_ref()
                .is_some_and(|group| schema.may_be_empty(group, place));
            describe_field(command, field, &key, may_be_empty)
        })
        .collect();
    json!({
        "name": command.label,
        "label": format!("AT{}", command.name),
        "help": command.help,
        "help_zh": chinese::help(command),
        "indices": command.indices,
        "full": place(command).1,
        "fields": fields,
        "takes_effect": takes_effect(command.takes_effect),
        "readable": command.read.is_some(),
    })
}

fn describe_field(command: &SettingCommand, field: &Field, key: &str, may_be_empty: bool) -> Value {
    let range_zh = &chinese::range(&field.range);
    let mut choices = Vec::new();
    let (mut min, mut max) = (Value::Null, Value::Null);
    let kind = match &field.kind {
        ParameterKind::Number {
            min: low,
            max: high,
        } => {
            (min, max) = (Value::from(*low), Value::from(*high));
            "number"
        }
        ParameterKind::Choice(values) => {
            choices = values
                .iter()
                .map(|(value, word)| {
                    let word_zh = chinese::word_in(range_zh, value);
                    json!({ "value": value, "word": word, "word_zh": word_zh })
                })
                .collect();
            "choice"
        }
        ParameterKind::Text {
            min: low,
            max: high,
        } => {
            (min, max) = (Value::from(*low), Value::from(*high));
            "text"
        }
        ParameterKind::Hex { max: high } => {
            (min, max) = (Value::from(0), Value::from(*high));
            "packet"
        }
    };
    let tick = field
        .off_and_on()
        .map(|(off, on)| json!({ "off": off, "on": on }));
    json!({
        "name": field.name,
        "key": key,
        "range": field.range,
        "range_zh": range_zh,
        "help": field.help,
        "help_zh": chinese::help_of_field(command, field),
        "secret": field.secret,
        "kind": kind,
        "choices": choices,
        "min": min,
        "max": max,
        "unit": if command.label == "CIPR" { Some("Bd") } else { field.unit() },
        "tick": tick,
        "may_be_empty": may_be_empty,
    })
}

fn takes_effect(when: Option<TakesEffect>) -> &'static str {
    match when {
        Some(TakesEffect::Now) => "at once",
        Some(TakesEffect::Restart) | None => "restart",
    }
}

/// When a change of this takes effect, in the words of the schema.
pub(crate) fn when(command: &SettingCommand) -> &'static str {
    takes_effect(command.takes_effect)
}

fn explain(command: &CommandDescription) -> Value {
    let (help_zh, notes_zh) = chinese::explained(command);
    let parameters: Vec<Value> = command
        .parameters
        .iter()
        .map(|parameter| {
            json!({
                "name": parameter.name,
                "range": parameter.range,
                "help": parameter.help,
                "help_zh": chinese::parameter(&command.name, parameter.name),
            })
        })
        .collect();
    let (line, answer) = command.example;
    json!({
        "name": command.name,
        "forms": command.forms,
        "help": command.help,
        "help_zh": help_zh,
        "notes": command.notes,
        "notes_zh": notes_zh,
        "group": command.group,
        "group_zh": chinese::subject(command.group),
        "example": { "line": line, "answer": answer },
        "parameters": parameters,
        "missing": command.missing,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{GROUPS, SCHEMA};

    #[test]
    fn each_setting_stands_in_a_group_and_has_chinese_words() {
        let schema: serde_json::Value = serde_json::from_str(&SCHEMA).expect("it is JSON");
        let groups = schema["groups"].as_array().expect("groups");
        assert_eq!(groups.len(), GROUPS.len());
        let commands = groups
            .iter()
            .flat_map(|group| group["commands"].as_array().into_iter().flatten());
        let commands: Vec<_> = commands.collect();
        assert_eq!(commands.len(), dtu_setup::Schema::new().commands().len());
        for command in commands {
            assert_ne!(command["help_zh"], "", "{command}");
        }
    }

    /// The page reads no sentence: what it goes by is said in words of its own.
    #[test]
    fn what_a_field_is_is_told_beside_its_sentences() {
        let schema: serde_json::Value = serde_json::from_str(&SCHEMA).expect("it is JSON");
        let groups = schema["groups"].as_array().into_iter().flatten();
        let commands = groups.flat_map(|group| group["commands"].as_array().into_iter().flatten());
        let fields: Vec<_> = commands
            .flat_map(|command| command["fields"].as_array().into_iter().flatten())
            .collect();
        let named = |fits: &dyn Fn(&serde_json::Value) -> bool| -> Vec<&str> {
            let fits = fields.iter().filter(|field| fits(field));
            fits.filter_map(|field| field["key"].as_str()).collect()
        };
        let tick =
            |off: &str, on: &str| named(&|field| field["tick"] == json!({ "off": off, "on": on }));
        assert_eq!(tick("0", "1"), TICKS);
        assert_eq!(tick("OFF", "ON"), TICKS_IN_WORDS);
        let ticks = named(&|field| !field["tick"].is_null());
        assert_eq!(ticks.len(), TICKS.len() + TICKS_IN_WORDS.len(), "{ticks:?}");
        let emptied = named(&|field| field["secret"] == true && field["may_be_empty"] == true);
        assert_eq!(emptied, SECRETS_THAT_MAY_BE_EMPTY);
        let packet = named(&|field| field["kind"] == "packet" && field["max"] == 40);
        assert_eq!(packet, ["CIPPACK.0.DATA"]);
        let of_unit = |unit: &str| named(&|field| field["unit"] == unit).join(" ");
        let units = ["s", "ms", "bytes", "Bd"].map(of_unit);
        assert_eq!(units, UNITS);
        let all = named(&|field| !field["unit"].is_null());
        assert_eq!(all.len(), UNITS.join(" ").split(' ').count(), "{all:?}");
    }

    const TICKS: [&str; 8] = [
        "CIPSCONT.1.START",
        "CSDH",
        "CINETAT",
        "CICOMAT",
        "ATE",
        "CIRINGSTA",
        "CLIP",
        "CRC",
    ];
    const TICKS_IN_WORDS: [&str; 1] = ["HTPFLT"];
    /// Of s, ms, bytes and Bd.
    const UNITS: [&str; 4] = [
        "CIPCFG.HEAT CIPCFG.RTIME HTPTO",
        "CIPCFG.TIME",
        "CIPCFG.LEN",
        "CIPR",
    ];
    const SECRETS_THAT_MAY_BE_EMPTY: [&str; 2] = ["CSTT.PASSWORD", "HTPHD"];
}
