//! What this program says to people. English alone are `--help` and faults of usage, both of clap, and `pdu`, which is for
//! programs.

use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use dtu_setup::Sentence;
use dtu_setup::door::DoorError;
use dtu_setup::file::Fault;
use dtu_setup::say::{Language, Spoken};
use dtu_setup::schema::UnknownKey;
use rustix::event::PollFlags;
use rustix::io::Errno;

use crate::show::plain_lines;

dtu_setup::sentences! {
    // What the page of `ui` cannot have.
    feed() = "feed: it is set up by AT alone", "实时数据：只能通过 AT 指令设置";
    messages_feed() = "feed of messages: AT+CMGL reads them", "短信列表：请用 AT+CMGL 读取";

    long_file(most) = "it has more than {most} bytes; a file of settings has a few thousand",
        "文件超过 {most} 字节；参数文件只有几千字节";

    // Which device.
    about(name, what) = "{name}: {what}", "{name}：{what}";
    which_way() = "which way? --via says it", "走哪条通道？用 --via 指定";
    which_line() =
        "which line? --port PATH says it: /dev/ttyUSB0, ./dtu0, tcp:HOST:PORT",
        "哪个串口？用 --port PATH 指定：/dev/ttyUSB0、./dtu0、tcp:HOST:PORT";
    which_device() =
        "which device? --port PATH says it: /dev/ttyUSB0, ./dtu0, tcp:HOST:PORT; or --via listen:ADDR:PORT",
        "哪台设备？用 --port PATH 指定：/dev/ttyUSB0、./dtu0、tcp:HOST:PORT；或 --via listen:ADDR:PORT";
    watch_finds_no_rate() =
        "watch sends nothing to find a rate: --baud N says it",
        "watch 不发送任何数据来探测波特率：请用 --baud N 指定";
    no_rate() = "no rate to try", "没有可试的波特率";
    rate_found(baud) = "{baud} Bd", "波特率 {baud} Bd";
    may_be_left_in(why) =
        "the device may still be in its command state: {why}",
        "设备可能仍在指令模式：{why}";
    may_be_left() = "the device may still be in its command state", "设备可能仍在指令模式";
    enter_none_is_for(why) =
        "{why}; --enter none is for one that was left in its command state",
        "{why}；若设备本来就停留在指令模式，请用 --enter none";
    switch_off_and_on() = "switch the device off and on now", "请现在将设备断电再上电";
    switch_or_end() =
        "switch the device off and on now (Ctrl-C ends this)",
        "请现在将设备断电再上电（Ctrl-C 结束）";

    // The password.
    password_wanted(variable) =
        "the device wants its password: --password-file FILE, or {variable}",
        "需要设备密码：--password-file FILE 或 {variable}";
    password_shape() =
        "a password has 1 to 5 characters without comma and blank",
        "密码为 1 到 5 个字符，不含逗号和空格";
    type_password() = "Password of the device: ", "设备密码：";

    long_answer(most) = "more than {most} bytes were typed", "输入超过 {most} 字节";
    no_utf8_answer() = "what was typed is no UTF-8", "输入的内容不是 UTF-8";
    type_value(name) = "{name}: ", "{name}：";
    names_no_file(name) =
        "{name}=@ names no file: write {name}=@FILE; @- is stdin",
        "{name}=@ 没有指定文件：请写 {name}=@文件；@- 为标准输入";
    stdin_once(name) =
        "{name}: stdin was read for another secret already: one of them comes from it",
        "{name}：标准输入已用于另一个密码：只能有一个来自标准输入";
    long_secret(most) = "it has more than {most} bytes; no secret has", "文件超过 {most} 字节；没有这么长的密码";
    several_lines(name, shape) =
        "{name} is one line, and more were given: {shape}",
        "{name} 只有一行，给出的却不止一行：{shape}";
    nothing_given(name) =
        "{name}: nothing was given; {name}= makes it empty",
        "{name}：没有给出内容；置空请写 {name}=";

    // Single commands.
    empty_command() = "a command is empty; AT alone asks whether the device is there", "指令为空；单独的 AT 可询问设备是否在线";
    secret_in_command(line) =
        "{line}: its secret stands in the list of processes, for every user of this machine; \
         dtuctl set NAME=@FILE keeps it out",
        "{line}：其中的密码会出现在进程列表中，本机所有用户可见；请改用 dtuctl set 名称=@文件";
    holds_line_end(line) =
        "{line} holds a line end; give each command alone",
        "{line} 含有换行；请逐条给出指令";
    all_would_be_lost() =
        "all settings of the device would be lost; --yes says that this is meant",
        "设备的全部参数将丢失；确认请加 --yes";
    all_is_lost_go_on() =
        "All settings of the device are lost, and it restarts. Go on? [y/N] ",
        "设备的全部参数将丢失，并且设备重启。继续吗？[y/N] ";

    // Settings.
    secret_as_argument(key) =
        "{key} is a secret, and arguments stand in the list of processes, for every user of this machine: \
         write {key}=@FILE; @- is stdin",
        "{key} 是密码，而命令行参数会出现在进程列表中，本机所有用户可见：请写 {key}=@文件；@- 为标准输入";
    name_and_value(pair) = "{pair}: write NAME=VALUE", "{pair}：请写成 名称=值";
    nothing_to_do() = "nothing to do", "无需更改";
    is_set() =
        "set; dtuctl save stores it, dtuctl restart lets all of it take effect",
        "已设置；dtuctl save 保存，dtuctl restart 使其全部生效";
    no_such_setting(key, why) = "{key}: the device has no such setting ({why})", "{key}：设备没有此参数（{why}）";
    new_secret() = "**** (new)", "****（新）";
    value_not_told() = "(not told)", "（未返回）";
    nothing_told() =
        "the device told none of its settings: is it a DTU?",
        "设备没有返回任何参数：它是 DTU 吗？";
    not_read(group, why) = "not read: {group}: {why}", "未读到：{group}：{why}";
    told_no_text() =
        "what the device tells is no text in the charset of the line; --charset says which it has",
        "设备返回的内容不是串口字符集中的文本；请用 --charset 指定字符集";
    may_be_utf8(key, value, meant) =
        "{key}: {value} would be {meant} in UTF-8; if that is meant, --charset utf-8 reads it",
        "{key}：{value} 按 UTF-8 为 {meant}；若应为后者，请用 --charset utf-8 读取";
    done() = "done: set, stored, read back", "完成：已设置、保存并读回";
    not_verifiable(key) = "not verifiable: {key} (no reply tells it)", "无法核对：{key}（没有应答返回该值）";
    is_done_untold(why) =
        "{why}; all of it is set, and only this result could not be written",
        "{why}；参数已全部设置，仅结果未能写出";
    old_values_back() = "the old values are back", "原值已恢复";
    not_back() = "these settings may have new values, and are not back:", "以下参数可能已是新值，未能恢复：";
    reads_back_otherwise() = "the device took it, and reads back otherwise:", "设备已接收，但读回的值不同：";
    is_not(key, has, wanted) = "{key} is {has}, not {wanted}", "{key} 为 {has}，应为 {wanted}";

    // Status.
    row_version() = "version", "版本";
    row_imei() = "imei", "IMEI 号";
    row_mode() = "mode", "工作模式";
    row_uptime() = "uptime", "运行时间";
    row_signal() = "signal", "信号";
    row_operator() = "operator", "运营商";
    row_address() = "address", "地址";
    row_link(number) = "link {number}", "连接 {number}";
    row_own() = "mode's own", "模式自用";
    status_not_told() = "not told", "未返回";
    status_unknown() = "unknown", "未知";
    status_seconds(number) = "{number} s", "{number} 秒";
    count_in(count) = ", in {count}", "，收自串口 {count}";
    count_out(count) = ", out {count}", "，发出 {count}";
    count_received(count) = ", received {count}", "，收自网络 {count}";
    count_waiting(count) = ", waiting {count}", "，等待 {count}";
    count_dropped(count) = ", dropped {count}", "，丢弃 {count}";
    count_reconnects(count) = ", reconnects {count}", "，重连 {count}";

    // Ports.
    no_address() = "the name has no address", "该名称没有地址";
    no_serial_port(name) = "{name} is not a serial port", "{name} 不是串口";
    in_use() = "in use", "正在被使用";
    in_use_by(process, program) =
        "in use by process {process} ({program})",
        "正在被进程 {process}（{program}）使用";
    in_use_by_another() =
        "in use by another process (of another user)",
        "正在被其他用户的进程使用";
    stopped() = "stopped by the user (Ctrl-C, or a signal)", "已被用户中止（Ctrl-C 或信号）";
    takes_no_bytes() = "the port takes no bytes (flow control?)", "端口不接收数据（流控？）";
    line_closed() = "the other end has closed the line", "对端已关闭连接";
    device_gone() = "the device is gone", "设备已移除";

    // Over a link.
    device_says(packet) = "the device says {packet}", "设备发来 {packet}";
    listening(address) =
        "listening on {address}; waits for a device to dial in (Ctrl-C ends this)",
        "正在监听 {address}；等待设备连入（Ctrl-C 结束）";
    dialled_in(address) = "{address} has dialled in", "{address} 已连入";
    nobody_dialled(seconds) = "no device dialled in within {seconds} s", "{seconds} 秒内没有设备连入";

    // By short messages.
    which_modem() =
        "which modem sends them? --modem at:DEVICE says it",
        "由哪个模块发送？用 --modem at:DEVICE 指定";
    texts_in_all(count, to, parts) =
        "texts to {to}: {count} at most ({parts}); the device answers each by one or more",
        "向 {to} 发送短信：最多 {count} 条（{parts}）；设备对每条以一条或多条短信应答";
    texts_if_it_fails(count) =
        "if it fails: {count} more at most, to put the old values back",
        "若失败，最多再发 {count} 条以恢复原值";
    texts_not_meant() = "nothing was sent; --yes says that this is meant", "未发送任何短信；确认请加 --yes";
    go_on() = "Go on? [y/N] ", "继续吗？[y/N] ";
    nothing_sent() = "nothing was sent", "未发送任何短信";
    texts_command(count) = "{count} for commands", "指令 {count} 条";
    texts_read(count) = "{count} to read", "读取 {count} 条";
    texts_set(count) = "{count} to set", "设置 {count} 条";
    texts_store(count) = "{count} to store", "保存 {count} 条";
    texts_restart(count) = "{count} to restart", "重启 {count} 条";
    texts_read_back(count) = "{count} to read back", "读回 {count} 条";
    texts_again(count) =
        "{count} for what there is only in the new mode",
        "新模式特有参数 {count} 条";
    texts_were(sent, received) = "texts sent: {sent}, received: {received}", "已发送 {sent} 条短信，收到 {received} 条";
    texts_left(others, unasked) =
        "texts left with the modem: {others} of others, {unasked} of the device that answer nothing",
        "留在模块中：其他号码 {others} 条，设备的非应答短信 {unasked} 条";
    no_ui_by_sms() =
        "the web console asks again and again: it is not for a way by SMS",
        "网页控制台会反复查询：不适用于短信通道";

    // The web console.
    beyond_this_host(address) =
        "{address} can be reached from beyond this host, and this console has no log-in: \
         use 127.0.0.1, and ssh -L 7200:127.0.0.1:7200 from elsewhere",
        "{address} 可从本机以外访问，而此控制台没有登录：请用 127.0.0.1，从别处用 ssh -L 7200:127.0.0.1:7200";
    link_in_use() = "the link is used already", "连接正在被使用";
    given_back() = "the way was given back", "通道已交还";

    // The terminal.
    escape_under_way() = "+++ is under way: wait for +ok", "+++ 进行中：请等待 +ok";
    port_gone_not_sent() = "not sent: the port is gone", "未发送：端口已断开";
    in_command_state() =
        "command state; AT+ENTM leaves it, and so does the end of this program",
        "已进入指令模式；AT+ENTM 或退出本程序即离开";
    no_answer_to_escape() = "the device does not answer +++", "设备不应答 +++";
    no_answer_to_a() = "the device does not answer a with +ok", "设备没有以 +ok 应答 a";
    port_is_gone(why) = "the port is gone: {why}", "端口已断开：{why}";
    port_is_back(seconds) = "the port is back; gap of {seconds} s", "端口已恢复；中断 {seconds} 秒";
    label_filter() = "filter: ", "过滤：";
    label_send() = "send: ", "发送：";
    line_end_none() = "none", "无";
    keys(line_end) =
        "F2 +++  F3 filter  F4 line end: {line_end}  Tab complete  PgUp/PgDn/End scroll  Esc end",
        "F2 +++  F3 过滤  F4 行尾：{line_end}  Tab 补全  PgUp/PgDn/End 滚动  Esc 退出";
    state_gone() = "gone, waiting for it", "已断开，等待恢复";
    state_command() = "command state", "指令模式";
    state_open() = "open", "已打开";
    counts(name, state, received, sent) =
        " {name} {state} | received {received} | sent {sent}",
        " {name} {state} | 接收 {received} | 发送 {sent}";
    older_forgotten(count) = " | {count} older rows forgotten", " | 已丢弃 {count} 条旧记录";
    filtered_by(filter) = " | filter {filter}", " | 过滤 {filter}";
    is_scrolled() = " | scrolled, End follows", " | 已滚动，按 End 跟随";
    two_hex_digits() = "behind \\x stand two hex digits: \\x02", "\\x 后面是两位十六进制数字：\\x02";
    escapes() = "\\ begins \\r \\n \\t \\\\ or \\x02", "\\ 开头的只有 \\r \\n \\t \\\\ 或 \\x02";
}

/// Wrong usage that only this program finds, and no parser of arguments.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) Sentence);

impl Spoken for Usage {
    fn spoken(&self) -> Sentence {
        self.0.clone()
    }
}

macro_rules! errors {
    ($($kind:ty),+) => {
        $(impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.spoken().fmt(f)
            }
        }

        impl std::error::Error for $kind {})+
    };
}

errors!(Usage, BadFile, MayBeLeft);

/// A file with a fault, with its place.
#[derive(Debug)]
pub(crate) struct BadFile(pub(crate) Sentence);

/// A device that did not come into its command state, and may have been left there.
#[derive(Debug)]
pub(crate) struct MayBeLeft(pub(crate) DoorError);

impl Spoken for BadFile {
    fn spoken(&self) -> Sentence {
        self.0.clone()
    }
}

impl Spoken for MayBeLeft {
    fn spoken(&self) -> Sentence {
        enter_none_is_for(self.0.spoken())
    }
}

/// `--lang`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    /// English
    En,
    /// 中文
    Zh,
}

static LANGUAGE: OnceLock<Language> = OnceLock::new();

/// The chosen one; else that of the environment (POSIX 8.2).
pub(crate) fn choose(wanted: Option<Lang>) {
    let language = match wanted {
        Some(Lang::En) => Language::English,
        Some(Lang::Zh) => Language::Chinese,
        None => of_environment(|name| std::env::var(name).ok()),
    };
    let _ = LANGUAGE.set(language);
}

fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Language {
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .filter_map(variable)
        .find(|value| !value.is_empty())
        .map_or(Language::English, |value| Language::of_locale(&value))
}

/// What people read.
pub(crate) fn language() -> Language {
    LANGUAGE.get().copied().unwrap_or_default()
}

/// A sentence in the language of this program.
pub(crate) fn said(what: impl Spoken) -> String {
    what.spoken().said_in(language()).to_owned()
}

/// To whoever sits there, on stderr. Whatever it repeats does not drive the terminal.
pub(crate) fn tell(what: impl Spoken) {
    to_stderr(&format!("dtuctl: {}\n", plain_lines(&said(what))));
}

/// A question to whoever sits there, and whether the answer is yes. The error is `nobody` where stdin is no terminal.
pub(crate) fn agrees<E: Into<anyhow::Error>>(
    question: impl Spoken,
    nobody: E,
) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        return Err(nobody.into());
    }
    crate::port::stop_cleanly()?;
    let answer = answer(question)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// The line that is typed at a terminal; nothing at its end. Ctrl-C is an error, as anywhere.
pub(crate) fn answer(question: impl Spoken) -> anyhow::Result<String> {
    to_stderr(&said(question));
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        // A read would go on behind a signal.
        while !crate::port::wait(io::stdin(), PollFlags::IN, LOOKS_FOR_STOP)? {}
        // A terminal gives a line at a time: what is behind it is for the next question.
        let mut buffer = [0; 4096];
        match rustix::io::read(io::stdin(), &mut buffer) {
            Ok(0) => break,
            Ok(count) => line.extend_from_slice(&buffer[..count]),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(error) => return Err(error.into()),
        }
        if line.len() > LINE {
            bail!(Usage(long_answer(LINE)));
        }
    }
    String::from_utf8(line).map_err(|_| Usage(no_utf8_answer()).into())
}

/// A signal that came just in front of a wait is seen at its end.
const LOOKS_FOR_STOP: Duration = Duration::from_millis(200);
/// As a line discipline keeps at most (N_TTY_BUF_SIZE of Linux).
const LINE: usize = 4096;

/// A stderr that takes nothing ends nothing: a device may still have to be led out of its command state.
pub(crate) fn to_stderr(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// The result. That nobody reads it any more (`| head`) ends nothing that was begun; a full disk is a failure.
pub(crate) fn to_stdout(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("stdout"),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// An error and its causes: `listen:0.0.0.0:80: Permission denied`.
pub(crate) fn of_error(error: &anyhow::Error) -> Sentence {
    error
        .chain()
        .map(of_cause)
        .reduce(about)
        .unwrap_or_else(|| Sentence::as_it_came(""))
        .map(plain_lines)
}

fn of_cause(cause: &(dyn std::error::Error + 'static)) -> Sentence {
    macro_rules! known {
        ($($kind:ty),+) => {
            $(if let Some(known) = cause.downcast_ref::<$kind>() {
                return known.spoken();
            })+
        };
    }
    known!(
        Sentence,
        DoorError,
        Fault,
        UnknownKey,
        Usage,
        BadFile,
        MayBeLeft,
        io::Error
    );
    if let Some(number) = cause.downcast_ref::<rustix::io::Errno>() {
        return io::Error::from(*number).spoken();
    }
    Sentence::as_it_came(cause.to_string())
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn each_sentence_has_its_chinese() {
        for (id, english, chinese) in TABLE {
            let is_han = |char: char| ('\u{4E00}'..='\u{9FFF}').contains(&char);
            assert!(!english.contains(is_han), "{id}: {english}");
            let is_said =
                chinese.contains(is_han) || ["about", "new_secret", "type_value"].contains(id);
            assert!(is_said, "{id}: {chinese}");
        }
    }

    /// What is printed, or returned to be printed, comes from the tables: a sentence that is typed elsewhere has no
    /// Chinese.
    #[test]
    fn no_sentence_is_typed_outside_the_tables() {
        let own = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
        let library = concat!(env!("CARGO_MANIFEST_DIR"), "/../dtu-setup/src");
        let mut found = Vec::new();
        for folder in [own, library] {
            look_through(folder.as_ref(), &mut found);
        }
        assert!(found.is_empty(), "no Chinese for {found:#?}");
        // It does see one.
        assert!(is_sentence(r#"        bail!("the port is {what}");"#));
        assert!(is_sentence(r#"    rows.note("not sent", now);"#));
    }

    /// Texts that stand where they are.
    const ENGLISH: [&str; 11] = [
        // For programs, in JSON.
        "dry run",
        "nothing to do",
        "failed, old values not back",
        // Faults of usage, told by clap.
        "must be listen:ADDR:PORT, tcp:HOST:PORT or sms:NUMBER",
        "must be at:DEVICE, as at:/dev/ttyUSB2",
        "must be a number of Bd or auto",
        "must be the path of a device, or tcp:HOST:PORT",
        // For the page, which has other places for both.
        "feed: it is set up by AT alone",
        "feed of messages: AT+CMGL reads them",
        // In the device's words, which have their Chinese as those do.
        "{}: {} must be {}, got {value}",
        "{group} is not stored",
    ];

    fn look_through(folder: &std::path::Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).expect("the sources") {
            let path = entry.expect("an entry").path();
            // For programs, and the tables themselves.
            let is_exempt = ["pdu", "say.rs", "words.rs", "chinese.rs"]
                .iter()
                .any(|name| path.ends_with(name));
            if path.is_dir() && !is_exempt {
                look_through(&path, found);
            } else if path.is_file() && !is_exempt {
                let text = std::fs::read_to_string(&path).expect("a source");
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                let odd = code.lines().filter(|line| is_sentence(line));
                found.extend(odd.map(|line| format!("{}: {}", path.display(), line.trim())));
            }
        }
    }

    /// A text of two words or more that goes into something people see.
    fn is_sentence(line: &str) -> bool {
        let line = line.trim();
        let is_code =
            !line.starts_with("//") && !line.starts_with("#[") && !line.starts_with("reason");
        let mut texts = line.split('"').skip(1).step_by(2);
        let has_words = |text: &str| {
            let words = text.split_whitespace().filter(|word| {
                word.len() > 1
                    && word
                        .chars()
                        .all(|c| c.is_ascii_lowercase() || ",;:.'".contains(c))
            });
            words.count() > 1
        };
        is_code && texts.any(|text| has_words(text) && !ENGLISH.contains(&text))
    }

    #[test]
    fn the_environment_names_the_language() {
        let with = |set: &'static [(&str, &str)]| {
            of_environment(move |name| {
                let of = set.iter().find(|(own, _)| *own == name)?;
                Some(of.1.to_owned())
            })
        };
        assert_eq!(with(&[("LANG", "zh_CN.UTF-8")]), Language::Chinese);
        assert_eq!(
            with(&[("LC_ALL", ""), ("LANG", "zh_CN.UTF-8")]),
            Language::Chinese
        );
        assert_eq!(
            with(&[("LC_ALL", "C"), ("LANG", "zh_CN.UTF-8")]),
            Language::English
        );
        assert_eq!(
            with(&[("LC_MESSAGES", "zh_CN"), ("LANG", "en_US.UTF-8")]),
            Language::Chinese
        );
        assert_eq!(with(&[]), Language::English);
    }

    #[test]
    fn an_error_is_told_with_its_causes_in_both_languages() {
        let cause = io::Error::from_raw_os_error(13);
        let error = Err::<(), _>(DoorError::Port(cause)).context("listen:a:1");
        let said = of_error(&error.expect_err("it is one"));
        assert_eq!(
            said.english(),
            "listen:a:1: the port failed: Permission denied (os error 13)"
        );
        assert_eq!(
            said.chinese(),
            "listen:a:1：端口故障：权限不足 (os error 13)"
        );
    }
}
