//! Why the device does not do what the page asks for.

use dtu_setup::Sentence;
use dtu_setup::say::Spoken;

use crate::modem::Undone;

dtu_setup::sentences! {
    many_questions() = "too many questions wait for the device", "等待设备处理的请求过多";
    many_lines() = "too many commands wait for the device: this one does not run", "等待设备执行的指令过多：本条不执行";
    waited(seconds) =
        "the device is still at another command: this one has waited {seconds} s, and does not run",
        "设备仍在执行另一条指令：本条已等待 {seconds} 秒，不再执行";
    restarts_not_told() = "the device does not tell how often it has started", "设备未返回重启次数";
    not_at_once(most, got) = "1 to {most} bytes can be put in at once, not {got}", "一次可注入 1 到 {most} 字节，不能是 {got} 字节";
    line_not_read() =
        "the serial line is not read at the moment: the device waits for room, or a command for its answer",
        "当前不读取串口：设备在等待缓存空间或指令应答";
    no_link(number) = "there is no link {number}, but links 1 to 4", "没有连接 {number}，只有连接 1 到 4";
    no_connection(number) = "link {number} has no connection", "连接 {number} 未建立";
    link_not_read(number) =
        "link {number} is not read at the moment: what it sent before waits for the serial line",
        "当前不读取连接 {number}：先前的数据正在等待串口";
    no_phones() = "only the simulated radio has phones of its own", "只有模拟无线网络才有自己的手机";
    no_phone_number(text) =
        "\"{text}\" is no phone number: 1 to 20 digits, with + in front or not",
        "“{text}”不是电话号码：1 到 20 位数字，前面可加 +";
    no_call() = "no phone has a call", "没有进行中的通话";
}

impl Spoken for Undone {
    fn spoken(&self) -> Sentence {
        match self {
            Self::NoPhones => no_phones(),
            Self::NoNumber(text) => no_phone_number(text),
            Self::NoCall => no_call(),
            Self::Network(why) => Sentence::as_it_came(why),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_reason_has_its_chinese() {
        for (id, english, chinese) in super::TABLE {
            let is_han = |char: char| ('\u{4E00}'..='\u{9FFF}').contains(&char);
            assert!(!english.contains(is_han), "{id}: {english}");
            assert!(chinese.contains(is_han), "{id}: {chinese}");
        }
    }
}
