//! What the console says to people when it refuses.

dtu_setup::sentences! {
    busy() = "somebody else reads or sets this device now; try again", "其他用户正在读取或设置本设备，请稍后再试";
    guessing(seconds) = "too many log-ins: try again in {seconds} s", "登录过于频繁，请在 {seconds} 秒后重试";
    broken(what) = "the console has a fault: {what}", "控制台出现故障：{what}";

    // Who may do what.
    foreign_page(got) =
        "a page of {got} may not do this; behind a proxy, let it pass Host on",
        "{got}的页面不允许此操作；如有代理，请让其转发 Host";
    twice(name) = "a request has one {name}", "一个请求只能有一个 {name}";
    another_site() = "another site", "其他网站";
    unknown_host(name) =
        "this console is not known as {name}: put that name into console.hosts",
        "本控制台没有名称 {name}：请将其加入 console.hosts";
    viewers_only_look() =
        "the viewer's password shows states and counts, and changes nothing",
        "只读密码只能查看状态和计数，不能更改";
    no_password_here() =
        "only programs of the user of dtud, on this host, may come without a password; \
         `dtud console-password` sets one",
        "只有本机上运行 dtud 的用户可以不用密码；用 `dtud console-password` 设置密码";
    log_in_first() = "log in first", "请先登录";
    wrong_csrf() =
        "the header X-CSRF must say the csrf of api/session, which a new session and a restart change",
        "X-CSRF 头必须是 api/session 给出的 csrf，重新登录或重启后会改变";
    no_password_set() = "no password is set: `dtud console-password` sets one", "未设置密码：用 `dtud console-password` 设置";
    wrong_password() = "this is not the password", "密码错误";
    password_changed() = "the password was changed just now", "密码刚刚被更改";

    // What came.
    long_body(most) = "this body has at most {most} bytes", "请求内容最多 {most} 字节";
    body_broke_off() = "the body broke off", "请求内容中断";
    slow_body(seconds) = "the body took more than {seconds} s", "请求内容超过 {seconds} 秒未收完";
    no_json() = "the body must be application/json", "请求内容必须是 application/json";
    not_taken(why) = "the body is not what is taken here: {why}", "请求内容不符合要求：{why}";
    no_number(name) = "{name} must be a number", "{name} 必须是数字";
    no_line(most) = "line must be one line of 1..={most} bytes", "line 必须是一行，1..={most} 字节";
    no_hex(most) = "data_hex must be 1..={most} bytes in hex digits", "data_hex 必须是 1..={most} 字节的十六进制";
    no_direction() =
        "to must be line with from dte, or link1 to link4 with from peer",
        "to 为 line 时 from 必须是 dte，为 link1 到 link4 时 from 必须是 peer";
    long_text(most) = "text must be 1..={most} characters", "文本长度必须为 1..={most} 个字符";
    no_phone_number() = "a number is 1..=20 digits, + in front allowed", "号码为 1..=20 位数字，前面可加 +";
    no_file() = "there is no such file", "没有此文件";
    no_path() = "there is no such path", "没有此路径";
    wrong_method() =
        "this path is read by GET or written by POST, not as asked",
        "此路径用 GET 读取或用 POST 写入，不支持所用的方法";
    many_streams(most) =
        "{most} streams of events are open, and more are not served",
        "已打开 {most} 个事件流，不再接受更多";

    // Settings.
    many_values(most, got) = "at most {most} values at a time, got {got}", "一次最多 {most} 个参数，收到 {got} 个";
    no_value(name) = "{name} must be a text or a number", "{name} 必须是文本或数字";
    trial_time(min, max, got) = "confirm must be {min}..={max} s, got {got}", "confirm 必须为 {min}..={max} 秒，收到 {got}";
    no_trial_here() =
        "this device has no AT+CIAPPLY=<s>: nothing would bring the old settings back; apply without confirm",
        "本设备没有 AT+CIAPPLY=<s>，无法自动恢复原参数；请不带 confirm 应用";
    own_line() =
        "CIPR and ICF are the line that is used here, which a trial would cut: apply them without confirm",
        "CIPR 和 ICF 是当前使用的串口参数，试用会切断它；请不带 confirm 应用";
    on_trial(by, seconds) =
        "settings of {by} are on trial, {seconds} s left: keep them or take them back first",
        "{by} 的参数正在试用，还剩 {seconds} 秒：请先保留或恢复";
    none_on_trial() =
        "no settings are on trial: the old ones are back, or somebody has kept the new ones",
        "没有正在试用的参数：已恢复原参数，或新参数已被保留";
    changed_meanwhile() =
        "the settings were changed meanwhile: look at both, and apply again",
        "参数在此期间已被更改：请比较后重新应用";

    // The device.
    silent(seconds) = "the device does not answer within {seconds} s", "设备在 {seconds} 秒内没有应答";
    goes_on(seconds) =
        "the device takes more than {seconds} s over this, and goes on: its log tells the end",
        "设备处理时间超过 {seconds} 秒，仍在继续：结果见日志";
    is_done() = "it is done", "已完成";
    is_on_trial() = "the settings are on trial", "参数正在试用";
    was_put_back(why) = "it failed, and the old values are back: {why}", "操作失败，已恢复原值：{why}";
    is_mixed(why) = "it failed, and not all old values are back: {why}", "操作失败，部分原值未恢复：{why}";
    missing(what) = "this device has no {what}", "本设备没有{what}";
    record() = "record of its traffic", "数据记录";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    /// Values are of any name.
    fn shape(text: &str) -> String {
        let mut parts = text.split('{');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |shape, part| {
            let (_, behind) = part.split_once('}').unwrap();
            shape + "{}" + behind
        })
    }

    /// Taken from the source, so that none is forgotten.
    fn log_lines() -> Vec<String> {
        let folder = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/web")).unwrap();
        let texts = folder.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
        let lines = |text: String| -> Vec<String> {
            let calls = ["tracing::info!(", "tracing::warn!(", "tracing::error!("];
            let behind = calls.iter().flat_map(|call| text.split(call).skip(1));
            let literal = |behind: &str| behind.split('"').nth(1).unwrap().to_owned();
            behind.map(literal).collect()
        };
        texts.flat_map(lines).collect()
    }

    #[test]
    fn each_line_of_the_log_has_its_chinese_on_the_page() {
        let table = include_str!("../assets/sentences-zh.js");
        let english = table.lines().filter_map(|line| {
            let (english, _) = line.trim().strip_prefix("[\"")?.split_once("\", \"")?;
            Some(shape(english))
        });
        let known: BTreeSet<_> = english.collect();
        let said = log_lines();
        assert!(said.len() > 9, "{said:#?}");
        let is_bare = |line: &String| {
            let own = line.trim_start_matches("console: ");
            !own.contains(|sign: char| sign.is_alphabetic())
        };
        let lines = said.iter().map(|line| shape(line));
        let missing: Vec<_> = lines
            .filter(|line| !known.contains(line) && !is_bare(line))
            .collect();
        assert!(missing.is_empty(), "no Chinese for {missing:#?}");
    }

    #[test]
    fn each_refusal_has_its_chinese() {
        for (id, english, chinese) in super::TABLE {
            let is_han = |char: char| ('\u{4E00}'..='\u{9FFF}').contains(&char);
            assert!(!english.contains(is_han), "{id}: {english}");
            assert!(chinese.contains(is_han), "{id}: {chinese}");
        }
    }
}
