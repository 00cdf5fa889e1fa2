//! Sentences for people, in English and Chinese. A table holds them: an id, its values, the words of both languages.
//! What goes over the wire, into JSON and into logs is the English one.

use std::error::Error;
use std::fmt;
use std::io;

use crate::schema::{Group, Key};

/// What people read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// Everywhere else.
    #[default]
    English,
    /// 简体中文
    Chinese,
}

impl Language {
    /// Of a locale (POSIX 8.2): `zh_CN.UTF-8` is Chinese.
    #[must_use]
    pub fn of_locale(name: &str) -> Self {
        let language = name.split(['_', '.', '@', '-']).next().unwrap_or_default();
        if language.eq_ignore_ascii_case("zh") {
            Self::Chinese
        } else {
            Self::English
        }
    }
}

/// A sentence with its values, in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    english: String,
    chinese: String,
}

impl Sentence {
    /// As [`sentences!`](crate::sentences) builds it.
    #[must_use]
    pub const fn new(english: String, chinese: String) -> Self {
        Self { english, chinese }
    }

    /// Words of others, of which this program has no Chinese.
    #[must_use]
    pub fn as_it_came(words: impl Into<String>) -> Self {
        let english: String = words.into();
        Self {
            chinese: english.clone(),
            english,
        }
    }

    /// Of the wire.
    #[must_use]
    pub fn english(&self) -> &str {
        &self.english
    }

    /// 中文
    #[must_use]
    pub fn chinese(&self) -> &str {
        &self.chinese
    }

    /// 中文, where this program has it.
    #[must_use]
    pub fn chinese_if_any(&self) -> Option<&str> {
        (self.chinese != self.english).then_some(self.chinese.as_str())
    }

    /// For people.
    #[must_use]
    pub fn said_in(&self, language: Language) -> &str {
        match language {
            Language::English => &self.english,
            Language::Chinese => &self.chinese,
        }
    }

    /// The same with its words changed alike in both languages.
    #[must_use]
    pub fn map(&self, change: impl Fn(&str) -> String) -> Self {
        Self {
            english: change(&self.english),
            chinese: change(&self.chinese),
        }
    }
}

/// In English: the words of the wire.
impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.english)
    }
}

impl Error for Sentence {}

/// What stands in a sentence: itself a sentence, or the same in all languages.
pub trait Spoken {
    /// In both.
    fn spoken(&self) -> Sentence;
}

impl Spoken for Sentence {
    fn spoken(&self) -> Sentence {
        self.clone()
    }
}

impl<T: Spoken + ?Sized> Spoken for &T {
    fn spoken(&self) -> Sentence {
        (**self).spoken()
    }
}

macro_rules! the_same_in_all {
    ($($of:ty),+) => {
        $(impl Spoken for $of {
            fn spoken(&self) -> Sentence {
                Sentence::as_it_came(self.to_string())
            }
        })+
    };
}

the_same_in_all!(str, String, u8, u16, u32, u64, usize, i32, Key, Group);

/// What the operating system says, or what a port of this program told.
impl Spoken for io::Error {
    fn spoken(&self) -> Sentence {
        let own = self
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<Sentence>());
        if let Some(own) = own {
            return own.clone();
        }
        let english = self.to_string();
        // The words in front of ` (os error 2)` are the system's.
        let number = english.rfind(" (os error ").map(|at| &english[at..]);
        match (chinese(self.kind()), number) {
            (Some(words), Some(number)) => {
                let chinese = format!("{words}{number}");
                Sentence::new(english, chinese)
            }
            (Some(words), None) => Sentence::new(english, words.to_owned()),
            (None, _) => Sentence::as_it_came(english),
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "it has no end")]
const fn chinese(kind: io::ErrorKind) -> Option<&'static str> {
    use io::ErrorKind as Kind;
    Some(match kind {
        Kind::NotFound => "文件或设备不存在",
        Kind::PermissionDenied => "权限不足",
        Kind::ConnectionRefused => "连接被拒绝",
        Kind::ConnectionReset => "连接被对端复位",
        Kind::ConnectionAborted => "连接中断",
        Kind::NotConnected => "未连接",
        Kind::AddrInUse => "地址已被占用",
        Kind::AddrNotAvailable => "本机没有该地址",
        Kind::BrokenPipe => "对端已关闭",
        Kind::AlreadyExists => "已存在",
        Kind::TimedOut => "超时",
        Kind::HostUnreachable => "主机不可达",
        Kind::NetworkUnreachable => "网络不可达",
        Kind::NetworkDown => "网络未启用",
        Kind::IsADirectory => "是一个目录",
        Kind::NotADirectory => "不是目录",
        Kind::ReadOnlyFilesystem => "文件系统只读",
        Kind::StorageFull => "存储空间已满",
        Kind::Interrupted => "被中断",
        _ => return None,
    })
}

/// A table of sentences: `id(values) = "english {value}", "中文 {value}";`. Each becomes a function that gives a
/// [`Sentence`](crate::say::Sentence). One without its Chinese, or with a value that one language leaves out, does not
/// compile; `TABLE` has the words for tests.
#[macro_export]
macro_rules! sentences {
    ($($(#[$note:meta])* $id:ident($($value:ident),*) = $english:literal, $chinese:literal;)+) => {
        $(
            $(#[$note])*
            pub(crate) fn $id($($value: impl $crate::say::Spoken),*) -> $crate::say::Sentence {
                $(let $value = $value.spoken();)*
                $crate::say::Sentence::new(
                    format!($english, $($value = $value.english()),*),
                    format!($chinese, $($value = $value.chinese()),*),
                )
            }
        )+

        /// Id, English and Chinese of each.
        #[cfg(test)]
        const TABLE: &[(&str, &str, &str)] = &[$((stringify!($id), $english, $chinese)),+];
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_names_its_language() {
        for zh in ["zh_CN.UTF-8", "zh", "zh_TW", "zh-Hans", "ZH_cn"] {
            assert_eq!(Language::of_locale(zh), Language::Chinese, "{zh}");
        }
        for en in ["C", "POSIX", "en_US.UTF-8", "", "zha_CN", "de_CH@euro"] {
            assert_eq!(Language::of_locale(en), Language::English, "{en}");
        }
    }

    #[test]
    fn words_of_the_system_keep_their_number() {
        let of = |number| io::Error::from_raw_os_error(number).spoken();
        assert_eq!(of(2).chinese(), "文件或设备不存在 (os error 2)");
        assert!(of(2).english().ends_with(" (os error 2)"));
        // No words for this one.
        assert_eq!(of(37).chinese(), of(37).english());
        let own = Sentence::new("gone".to_owned(), "已移除".to_owned());
        assert_eq!(io::Error::other(own.clone()).spoken(), own);
    }
}
