//! What this crate says to people.

crate::sentences! {
    // The way to the device.
    port_failed(why) = "the port failed: {why}", "端口故障：{why}";
    silent() =
        "nothing answers: is this the right port, and are RX and TX (and GND) connected? \
         A box that is switched off answers nothing, too",
        "没有任何应答：端口是否正确？RX、TX（和 GND）是否已连接？设备断电时也没有应答";
    noise(baud) =
        "what answers makes no sense at {baud} Bd: the rate or the format is another one; \
         try --baud (115200 in a new device), or --baud auto",
        "在 {baud} Bd 下收到的应答是乱码：波特率或数据格式不同；请试 --baud（出厂为 115200）或 --baud auto";
    not_in_command_state() =
        "the device is not in its command state, and does not answer +++: \
         the way in is its set-up window, behind power-on (--enter window)",
        "设备不在指令模式，也不应答 +++：只能经上电后的设置窗口进入（--enter window）";
    no_ok() =
        "what comes is no OK to AT: the device is not in its command state, or the rate is another one; \
         without --enter none dtuctl leads it in by +++",
        "收到的内容不是对 AT 的 OK 应答：设备不在指令模式，或波特率不同；不加 --enter none 时 dtuctl 用 +++ 进入";
    nothing_came(seconds) =
        "nothing came within {seconds} s: the device was not switched on, or this is another port",
        "{seconds} 秒内没有收到任何内容：设备没有上电，或端口不对";
    no_escape() =
        "the device does not answer +++ behind its restart",
        "设备重启后不应答 +++";
    lost() =
        "the device carries data, or is not back from its restart: nothing more was sent to it, \
         for that could go to the data center",
        "设备正在传输数据，或重启后尚未恢复：未再向其发送任何内容，以免发到数据中心";
    not_heard() =
        "no answer to psw,AT: the password is another one, or CINETAT is 0, or this is no DTU in mode 0; \
         what it did not take for a command has gone to its serial line",
        "psw,AT 没有应答：密码不对，或 CINETAT 为 0，或对端不是透传模式的 DTU；未被当作指令的内容已发往其串口";
    no_reply(line, seconds) = "{line} was not answered within {seconds} s", "{line} 在 {seconds} 秒内没有应答";
    fell_silent(count) =
        "the device answers no more: {count} commands in a row had no reply; \
         it may be switched off, or the way to it is broken",
        "设备不再应答：连续 {count} 条指令没有应答；设备可能已断电，或通道已中断";
    no_restart(seconds) =
        "the device did not come back within {seconds} s of its restart",
        "设备重启后 {seconds} 秒内没有恢复";
    not_restarted(line) =
        "{line} was not answered, and no greeting of a restarted device came: it may not have restarted",
        "{line} 没有应答，也没有收到设备重启后的启动信息：设备可能没有重启";
    of_key(key, why) = "{key}: {why}", "{key}：{why}";
    not_in_charset(char, charset) =
        "{char} is not in {charset}, the charset of the line (--charset)",
        "{char} 不在串口字符集 {charset} 中（--charset）";

    // By short messages.
    no_number(text) = "{text} is no phone number", "{text} 不是电话号码";
    modem_silent(seconds) =
        "the modem does not answer within {seconds} s: is it the right port, and its AT port?",
        "模块在 {seconds} 秒内没有应答：端口是否正确，是否为其 AT 口？";
    modem_without_messages() = "this modem cannot send messages", "此模块不能发送短信";
    sim_wants_pin() =
        "the SIM of the modem waits for its PIN: unlock it first",
        "模块的 SIM 卡等待 PIN 码：请先解锁";
    sim_wants_puk() =
        "the SIM of the modem waits for its PUK: unlock it first",
        "模块的 SIM 卡等待 PUK 码：请先解锁";
    no_sim() = "the modem has no SIM, or a broken one", "模块没有 SIM 卡，或卡已损坏";
    not_registered(seconds) =
        "the modem has found no network within {seconds} s",
        "模块在 {seconds} 秒内没有找到网络";
    modem_is_full(count) =
        "the modem holds {count} texts of others, and an answer may find no room: delete some",
        "模块中已有 {count} 条其他短信，应答可能无处存放：请删除一些";
    text_not_sent(line, why) = "the text with {line} was not sent: {why}", "含 {line} 的短信未发出：{why}";
    no_text(line, seconds) =
        "{line} was not answered by a text within {seconds} s; the device may have carried it out. \
         The password may be another one, this number may not be in sms_allow, or the device has no network. \
         An answer that comes late would be taken for that of the next command: wait for it before you try again",
        "{line} 在 {seconds} 秒内没有短信应答；设备可能已经执行。密码可能不对、本机号码可能不在 sms_allow 中，\
         或设备没有网络。迟到的应答会被当成下一条指令的应答：请等它到达后再试";
    sms_in_doubt() =
        "no more texts are sent, for one was not answered",
        "有一条短信没有应答，不再发送";
    no_room_in_text(line, units, room) =
        "{line} does not fit into one text: with the password it has {units} characters, and a text takes {room}",
        "{line} 放不进一条短信：连同密码共 {units} 个字符，一条短信最多 {room} 个";

    // Values.
    unknown_near(name, near) = "{name} is no setting; there are {near}", "没有参数 {name}；有 {near}";
    unknown(name) = "{name} is no setting; dtuctl names lists all of them", "没有参数 {name}；dtuctl names 列出全部参数";
    not_known(key) =
        "{key} is not known: the device does not tell it, so it must be given",
        "{key} 的值未知：设备不返回，必须给出";
    would_shut(key) =
        "{key} = 0 would shut the way that is used here: set it over the serial line",
        "{key} = 0 会切断当前使用的通道：请从串口设置";
    no_counterpart(key, why) = "this device does not have {key}: {why}", "本设备没有 {key}：{why}";
    no_reply_tells() = "no reply tells it", "没有应答返回该值";
    told_no_text() =
        "what the device tells is no text in the charset of the line",
        "设备返回的内容不是串口字符集中的文本";
    did_not_tell() = "the device did not tell it", "设备未返回该值";
    not_told() = "the device does not tell it", "设备不返回该值";
    value_is_no_text(key) =
        "{key} is not known: what the device tells is no text in the charset of the line. \
         Give the right one with --charset, or leave {key} as it is",
        "{key} 的值未知：设备返回的内容不是串口字符集中的文本。请用 --charset 指定正确的字符集，或不更改 {key}";

    // Files.
    at_place(line, column, what) = "{line}:{column}: {what}", "{line}:{column}：{what}";
    too_many_keys(most) =
        "a file has at most {most} keys, and this one has more",
        "文件最多 {most} 个参数，此文件超出";
    utf32() = "is UTF-32; save it as UTF-8", "是 UTF-32；请另存为 UTF-8";
    no_utf16() = "begins as UTF-16 and is none; save it as UTF-8", "开头是 UTF-16 标记，内容却不是；请另存为 UTF-8";
    utf16_without_mark() =
        "is UTF-16 without its mark in front; save it as UTF-8, or as UTF-16 with the mark (BOM)",
        "是没有 BOM 标记的 UTF-16；请另存为 UTF-8 或带 BOM 的 UTF-16";
    holds_nul() =
        "holds a zero byte, which no text has; a file of settings is TOML, JSON or AT set commands",
        "含有零字节，不是文本；参数文件为 TOML、JSON 或 AT 设置指令";
    no_object() =
        "JSON of settings must be one object, as {{\"CIMOD\": 0}} and as dump --json writes it",
        "参数的 JSON 必须是一个对象，如 {{\"CIMOD\": 0}}，即 dump --json 写出的形式";
    given_twice(key) = "{key} is given twice; it has one value", "{key} 出现两次；它只有一个值";
    no_switch(key, range, got) = "{key} must be {range}, got {got}", "{key} 必须为 {range}，收到 {got}";
    no_charset() = "is neither UTF-8 nor GBK; save it as UTF-8", "既不是 UTF-8 也不是 GBK；请另存为 UTF-8";
    long_line(most, got) = "a line has at most {most} bytes, got {got}", "一行最多 {most} 字节，收到 {got}";
    sets_nothing(name) = "{name} sets nothing that is stored", "{name} 不设置任何可保存的参数";
    misspelled(name) =
        "{name}: what follows is not read; a line has one command, text in quotes ends with one, \
         and a comment has a line of its own",
        "{name}：后面的内容无法识别；一行只有一条指令，引号必须成对，注释须独占一行";
    no_set_command() =
        "is no AT set command; each line has one, as AT+CIMOD=0, or is a comment with # in front",
        "不是 AT 设置指令；每行一条，如 AT+CIMOD=0，或以 # 开头的注释";
    no_scalar(key, what) = "{key} must be a number or a text, got {what}", "{key} 必须是数字或文本，收到{what}";
    not_decimal() = "a number that is not decimal", "非十进制数";
    fraction() = "a fraction", "小数";
    date() = "a date", "日期";
    list() = "a list", "列表";
    table() = "a table", "表";

    // What goes on, and how it ended.
    reading(at, of) = "reading {at}/{of}", "读取 {at}/{of}";
    setting(at, of, line) = "setting {at}/{of}: {line}", "设置 {at}/{of}：{line}";
    saving() = "saving", "保存";
    trying(seconds) = "on trial for {seconds} s", "试用 {seconds} 秒";
    restarting() = "restarting", "重启";
    putting_back() = "putting the old values back", "恢复原值";
    refused(line, words) = "the device refused {line}: {words}", "设备拒绝 {line}：{words}";
    differs(keys) =
        "the device took it, and reads back otherwise: {keys}",
        "设备已接收，但读回的值不同：{keys}";
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_sentence_has_its_chinese() {
        for (id, english, chinese) in super::TABLE {
            let is_han = |char: char| ('\u{4E00}'..='\u{9FFF}').contains(&char);
            assert!(!english.contains(is_han), "{id}: {english}");
            assert!(
                chinese.contains(is_han) || ["at_place", "of_key"].contains(id),
                "{id}: {chinese}"
            );
        }
    }
}
