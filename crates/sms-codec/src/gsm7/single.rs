//! Single shift tables, reached by the escape septet: 3GPP TS 23.038 6.2.1.1 (the extension table) and annex A.2.
//!
//! A table is written as runs, each with its first septet; what no run holds is undefined.

use super::Runs;

/// 6.2.1.1: the extension of the default alphabet.
pub(super) const EXTENSION: Runs = &[
    (0x0A, "\u{c}"),
    (0x14, "^"),
    (0x28, "{}"),
    (0x2F, "\\"),
    (0x3C, "[~]"),
    (0x40, "|"),
    (0x65, "€"),
];

/// A.2.1, beside [`EXTENSION`].
pub(super) const TURKISH: Runs = &[
    (0x47, "Ğ"),
    (0x49, "İ"),
    (0x53, "Ş"),
    (0x63, "ç"),
    (0x67, "ğ"),
    (0x69, "ı"),
    (0x73, "ş"),
];

/// A.2.2, beside [`EXTENSION`].
pub(super) const SPANISH: Runs = &[
    (0x09, "ç"),
    (0x41, "Á"),
    (0x49, "Í"),
    (0x4F, "Ó"),
    (0x55, "Ú"),
    (0x61, "á"),
    (0x69, "í"),
    (0x6F, "ó"),
    (0x75, "ú"),
];

/// A.2.3, beside [`EXTENSION`].
pub(super) const PORTUGUESE: Runs = &[
    (0x05, "ê"),
    (0x09, "ç"),
    (0x0B, "Ôô"),
    (0x0E, "Áá"),
    (0x12, "ΦΓ"),
    (0x15, "ΩΠΨΣΘ"),
    (0x1F, "Ê"),
    (0x41, "À"),
    (0x49, "Í"),
    (0x4F, "Ó"),
    (0x55, "Ú"),
    (0x5B, "ÃÕ"),
    (0x61, "Â"),
    (0x69, "í"),
    (0x6F, "ó"),
    (0x75, "ú"),
    (0x7B, "ãõ"),
    (0x7F, "â"),
];

/// What A.2.4 to A.2.13 have in common.
pub(super) const INDIC: Runs = &[
    (0x00, "@£$¥¿\"¤%&'\u{c}*+"),
    (0x0E, "-/<=>¡^¡_#*"),
    (0x28, "{}"),
    (0x2F, "\\"),
    (0x3C, "[~]"),
    (0x40, "|ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
];

/// The euro sign, which only A.2.12 (Telugu) lacks.
pub(super) const EURO: Runs = &[(0x65, "€")];

/// A.2.4, beside [`INDIC`].
pub(super) const BENGALI: Runs = &[
    (0x19, "\u{9e6}\u{9e7}"),
    (
        0x1C,
        "\u{9e8}\u{9e9}\u{9ea}\u{9eb}\u{9ec}\u{9ed}\u{9ee}\u{9ef}\u{9df}\u{9e0}\u{9e1}",
    ),
    (0x27, "\u{9e2}"),
    (0x2A, "\u{9e3}\u{9f2}\u{9f3}\u{9f4}\u{9f5}"),
    (0x30, "\u{9f6}\u{9f7}\u{9f8}\u{9f9}\u{9fa}"),
];

/// A.2.5, beside [`INDIC`].
pub(super) const GUJARATI: Runs = &[
    (0x19, "\u{964}\u{965}"),
    (
        0x1C,
        "\u{ae6}\u{ae7}\u{ae8}\u{ae9}\u{aea}\u{aeb}\u{aec}\u{aed}\u{aee}\u{aef}",
    ),
];

/// A.2.6, beside [`INDIC`].
pub(super) const HINDI: Runs = &[
    (0x19, "\u{964}\u{965}"),
    (
        0x1C,
        "\u{966}\u{967}\u{968}\u{969}\u{96a}\u{96b}\u{96c}\u{96d}\u{96e}\u{96f}\u{951}",
    ),
    (0x27, "\u{952}"),
    (0x2A, "\u{953}\u{954}\u{958}\u{959}\u{95a}"),
    (
        0x30,
        "\u{95b}\u{95c}\u{95d}\u{95e}\u{95f}\u{960}\u{961}\u{962}\u{963}\u{970}\u{971}",
    ),
];

/// A.2.7, beside [`INDIC`].
pub(super) const KANNADA: Runs = &[
    (0x19, "\u{964}\u{965}"),
    (
        0x1C,
        "\u{ce6}\u{ce7}\u{ce8}\u{ce9}\u{cea}\u{ceb}\u{cec}\u{ced}\u{cee}\u{cef}\u{cde}",
    ),
    (0x27, "\u{cf1}"),
    (0x2A, "\u{cf2}"),
];

/// A.2.8, beside [`INDIC`].
pub(super) const MALAYALAM: Runs = &[
    (0x19, "\u{964}\u{965}"),
    (
        0x1C,
        "\u{d66}\u{d67}\u{d68}\u{d69}\u{d6a}\u{d6b}\u{d6c}\u{d6d}\u{d6e}\u{d6f}\u{d70}",
    ),
    (0x27, "\u{d71}"),
    (0x2A, "\u{d72}\u{d73}\u{d74}\u{d75}\u{d7a}"),
    (0x30, "\u{d7b}\u{d7c}\u{d7d}\u{d7e}\u{d7f}"),
];

/// A.2.9, beside [`INDIC`].
pub(super) const ORIYA: Runs = &[
    (0x19, "\u{964}\u{965}"),
    (
        0x1C,
        "\u{b66}\u{b67}\u{b68}\u{b69}\u{b6a}\u{b6b}\u{b6c}\u{b6d}\u{b6e}\u{b6f}\u{b5c}",
    ),
    (0x27, "\u{b5d}"),
    (0x2A, "\u{b5f}\u{b70}\u{b71}"),
];

/// A.2.10, beside [`INDIC`].
pub(super) const PUNJABI: Runs = &[
    (0x19, "\u{964}\u{965}"),
    (
        0x1C,
        "\u{a66}\u{a67}\u{a68}\u{a69}\u{a6a}\u{a6b}\u{a6c}\u{a6d}\u{a6e}\u{a6f}\u{a59}",
    ),
    (0x27, "\u{a5a}"),
    (0x2A, "\u{a5b}\u{a5c}\u{a5e}\u{a75}"),
];

/// A.2.11, beside [`INDIC`].
pub(super) const TAMIL: Runs = &[
    (0x19, "\u{964}\u{965}"),
    (
        0x1C,
        "\u{be6}\u{be7}\u{be8}\u{be9}\u{bea}\u{beb}\u{bec}\u{bed}\u{bee}\u{bef}\u{bf3}",
    ),
    (0x27, "\u{bf4}"),
    (0x2A, "\u{bf5}\u{bf6}\u{bf7}\u{bf8}\u{bfa}"),
];

/// A.2.12, beside [`INDIC`].
pub(super) const TELUGU: Runs = &[
    (
        0x1C,
        "\u{c66}\u{c67}\u{c68}\u{c69}\u{c6a}\u{c6b}\u{c6c}\u{c6d}\u{c6e}\u{c6f}\u{c58}",
    ),
    (0x27, "\u{c59}"),
    (0x2A, "\u{c78}\u{c79}\u{c7a}\u{c7b}\u{c7c}"),
    (0x30, "\u{c7d}\u{c7e}\u{c7f}"),
];

/// A.2.13, beside [`INDIC`].
pub(super) const URDU: Runs = &[
    (0x19, "\u{600}\u{601}"),
    (
        0x1C,
        "\u{6f0}\u{6f1}\u{6f2}\u{6f3}\u{6f4}\u{6f5}\u{6f6}\u{6f7}\u{6f8}\u{6f9}\u{60c}",
    ),
    (0x27, "\u{60d}"),
    (0x2A, "\u{60e}\u{60f}\u{610}\u{611}\u{612}"),
    (
        0x30,
        "\u{613}\u{614}\u{61b}\u{61f}\u{640}\u{652}\u{658}\u{66b}\u{66c}\u{672}\u{673}",
    ),
    (0x3B, "\u{6cd}"),
    (0x3F, "\u{6d4}"),
];
