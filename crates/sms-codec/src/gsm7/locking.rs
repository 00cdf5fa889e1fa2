//! Locking shift tables: 3GPP TS 23.038 6.2.1 (the default alphabet) and annex A.3.
//!
//! A table is written as runs, each with its first septet; what no run holds is undefined. 0x1B is the escape.
//! The tables of the Indian languages share [`INDIC`] and lie in the order of their Unicode blocks.

use super::Runs;

/// 6.2.1: the GSM 7-bit default alphabet.
pub(super) const DEFAULT: Runs = &[
    (0x00, "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ"),
    (
        0x1C,
        "ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghij",
    ),
    (0x6B, "klmnopqrstuvwxyzäöñüà"),
];

/// A.3.1.
pub(super) const TURKISH: Runs = &[
    (0x00, "@£$¥€éùıòÇ\nĞğ\rÅåΔ_ΦΓΛΩΠΨΣΘΞ"),
    (
        0x1C,
        "ŞşßÉ !\"#¤%&'()*+,-./0123456789:;<=>?İABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§çabcdefghij",
    ),
    (0x6B, "klmnopqrstuvwxyzäöñüà"),
];

/// A.3.3.
pub(super) const PORTUGUESE: Runs = &[
    (0x00, "@£$¥êéúíóç\nÔô\rÁáΔ_ªÇÀ∞^\\€Ó|"),
    (
        0x1C,
        "ÂâÊÉ !\"#º%&'()*+,-./0123456789:;<=>?ÍABCDEFGHIJKLMNOPQRSTUVWXYZÃÕÚÜ§~abcdefghij",
    ),
    (0x6B, "klmnopqrstuvwxyzãõ`üà"),
];

/// What A.3.4 to A.3.13 have in common.
pub(super) const INDIC: Runs = &[
    (0x0A, "\n"),
    (0x0D, "\r"),
    (0x20, " !"),
    (0x28, ")("),
    (0x2C, ","),
    (0x2E, "."),
    (0x30, "0123456789:;"),
    (0x3F, "?"),
    (0x61, "abcdefghijklmnopqrstuvwxyz"),
];

/// A.3.4, beside [`INDIC`].
pub(super) const BENGALI: Runs = &[
    (
        0x00,
        "\u{981}\u{982}\u{983}\u{985}\u{986}\u{987}\u{988}\u{989}\u{98a}\u{98b}",
    ),
    (0x0B, "\u{98c}"),
    (0x0F, "\u{98f}\u{990}"),
    (
        0x13,
        "\u{993}\u{994}\u{995}\u{996}\u{997}\u{998}\u{999}\u{99a}",
    ),
    (0x1C, "\u{99b}\u{99c}\u{99d}\u{99e}"),
    (0x22, "\u{99f}\u{9a0}\u{9a1}\u{9a2}\u{9a3}\u{9a4}"),
    (0x2A, "\u{9a5}\u{9a6}"),
    (0x2D, "\u{9a7}"),
    (0x2F, "\u{9a8}"),
    (0x3D, "\u{9aa}\u{9ab}"),
    (0x40, "\u{9ac}\u{9ad}\u{9ae}\u{9af}\u{9b0}"),
    (0x46, "\u{9b2}"),
    (
        0x4A,
        "\u{9b6}\u{9b7}\u{9b8}\u{9b9}\u{9bc}\u{9bd}\u{9be}\u{9bf}\u{9c0}\u{9c1}\u{9c2}",
    ),
    (0x55, "\u{9c3}\u{9c4}"),
    (0x59, "\u{9c7}\u{9c8}"),
    (0x5D, "\u{9cb}\u{9cc}\u{9cd}\u{9ce}"),
    (0x7B, "\u{9d7}\u{9dc}\u{9dd}\u{9f0}\u{9f1}"),
];

/// A.3.5, beside [`INDIC`].
pub(super) const GUJARATI: Runs = &[
    (
        0x00,
        "\u{a81}\u{a82}\u{a83}\u{a85}\u{a86}\u{a87}\u{a88}\u{a89}\u{a8a}\u{a8b}",
    ),
    (0x0B, "\u{a8c}\u{a8d}"),
    (0x0F, "\u{a8f}\u{a90}\u{a91}"),
    (
        0x13,
        "\u{a93}\u{a94}\u{a95}\u{a96}\u{a97}\u{a98}\u{a99}\u{a9a}",
    ),
    (0x1C, "\u{a9b}\u{a9c}\u{a9d}\u{a9e}"),
    (0x22, "\u{a9f}\u{aa0}\u{aa1}\u{aa2}\u{aa3}\u{aa4}"),
    (0x2A, "\u{aa5}\u{aa6}"),
    (0x2D, "\u{aa7}"),
    (0x2F, "\u{aa8}"),
    (0x3D, "\u{aaa}\u{aab}"),
    (0x40, "\u{aac}\u{aad}\u{aae}\u{aaf}\u{ab0}"),
    (0x46, "\u{ab2}\u{ab3}"),
    (
        0x49,
        "\u{ab5}\u{ab6}\u{ab7}\u{ab8}\u{ab9}\u{abc}\u{abd}\u{abe}\u{abf}\u{ac0}\u{ac1}",
    ),
    (0x54, "\u{ac2}\u{ac3}\u{ac4}\u{ac5}"),
    (0x59, "\u{ac7}\u{ac8}\u{ac9}"),
    (0x5D, "\u{acb}\u{acc}\u{acd}\u{ad0}"),
    (0x7B, "\u{ae0}\u{ae1}\u{ae2}\u{ae3}\u{af1}"),
];

/// A.3.6, beside [`INDIC`].
pub(super) const HINDI: Runs = &[
    (
        0x00,
        "\u{901}\u{902}\u{903}\u{905}\u{906}\u{907}\u{908}\u{909}\u{90a}\u{90b}",
    ),
    (0x0B, "\u{90c}\u{90d}"),
    (
        0x0E,
        "\u{90e}\u{90f}\u{910}\u{911}\u{912}\u{913}\u{914}\u{915}\u{916}\u{917}\u{918}",
    ),
    (0x19, "\u{919}\u{91a}"),
    (0x1C, "\u{91b}\u{91c}\u{91d}\u{91e}"),
    (0x22, "\u{91f}\u{920}\u{921}\u{922}\u{923}\u{924}"),
    (0x2A, "\u{925}\u{926}"),
    (0x2D, "\u{927}"),
    (0x2F, "\u{928}"),
    (0x3C, "\u{929}\u{92a}\u{92b}"),
    (
        0x40,
        "\u{92c}\u{92d}\u{92e}\u{92f}\u{930}\u{931}\u{932}\u{933}\u{934}\u{935}\u{936}",
    ),
    (
        0x4B,
        "\u{937}\u{938}\u{939}\u{93c}\u{93d}\u{93e}\u{93f}\u{940}\u{941}\u{942}\u{943}",
    ),
    (
        0x56,
        "\u{944}\u{945}\u{946}\u{947}\u{948}\u{949}\u{94a}\u{94b}\u{94c}\u{94d}\u{950}",
    ),
    (0x7B, "\u{972}\u{97b}\u{97c}\u{97e}\u{97f}"),
];

/// A.3.7, beside [`INDIC`]. 0x24 is U+0CA1, as the order of the block wants: printed tables repeat U+0CAA there.
pub(super) const KANNADA: Runs = &[
    (
        0x01,
        "\u{c82}\u{c83}\u{c85}\u{c86}\u{c87}\u{c88}\u{c89}\u{c8a}\u{c8b}",
    ),
    (0x0B, "\u{c8c}"),
    (0x0E, "\u{c8e}\u{c8f}\u{c90}"),
    (
        0x12,
        "\u{c92}\u{c93}\u{c94}\u{c95}\u{c96}\u{c97}\u{c98}\u{c99}\u{c9a}",
    ),
    (0x1C, "\u{c9b}\u{c9c}\u{c9d}\u{c9e}"),
    (0x22, "\u{c9f}\u{ca0}\u{ca1}\u{ca2}\u{ca3}\u{ca4}"),
    (0x2A, "\u{ca5}\u{ca6}"),
    (0x2D, "\u{ca7}"),
    (0x2F, "\u{ca8}"),
    (0x3D, "\u{caa}\u{cab}"),
    (
        0x40,
        "\u{cac}\u{cad}\u{cae}\u{caf}\u{cb0}\u{cb1}\u{cb2}\u{cb3}",
    ),
    (
        0x49,
        "\u{cb5}\u{cb6}\u{cb7}\u{cb8}\u{cb9}\u{cbc}\u{cbd}\u{cbe}\u{cbf}\u{cc0}\u{cc1}",
    ),
    (0x54, "\u{cc2}\u{cc3}\u{cc4}"),
    (0x58, "\u{cc6}\u{cc7}\u{cc8}"),
    (0x5C, "\u{cca}\u{ccb}\u{ccc}\u{ccd}\u{cd5}"),
    (0x7B, "\u{cd6}\u{ce0}\u{ce1}\u{ce2}\u{ce3}"),
];

/// A.3.8, beside [`INDIC`].
pub(super) const MALAYALAM: Runs = &[
    (
        0x01,
        "\u{d02}\u{d03}\u{d05}\u{d06}\u{d07}\u{d08}\u{d09}\u{d0a}\u{d0b}",
    ),
    (0x0B, "\u{d0c}"),
    (0x0E, "\u{d0e}\u{d0f}\u{d10}"),
    (
        0x12,
        "\u{d12}\u{d13}\u{d14}\u{d15}\u{d16}\u{d17}\u{d18}\u{d19}\u{d1a}",
    ),
    (0x1C, "\u{d1b}\u{d1c}\u{d1d}\u{d1e}"),
    (0x22, "\u{d1f}\u{d20}\u{d21}\u{d22}\u{d23}\u{d24}"),
    (0x2A, "\u{d25}\u{d26}"),
    (0x2D, "\u{d27}"),
    (0x2F, "\u{d28}"),
    (0x3D, "\u{d2a}\u{d2b}"),
    (
        0x40,
        "\u{d2c}\u{d2d}\u{d2e}\u{d2f}\u{d30}\u{d31}\u{d32}\u{d33}\u{d34}\u{d35}\u{d36}",
    ),
    (0x4B, "\u{d37}\u{d38}\u{d39}"),
    (
        0x4F,
        "\u{d3d}\u{d3e}\u{d3f}\u{d40}\u{d41}\u{d42}\u{d43}\u{d44}",
    ),
    (0x58, "\u{d46}\u{d47}\u{d48}"),
    (0x5C, "\u{d4a}\u{d4b}\u{d4c}\u{d4d}\u{d57}"),
    (0x7B, "\u{d60}\u{d61}\u{d62}\u{d63}\u{d79}"),
];

/// A.3.9, beside [`INDIC`].
pub(super) const ORIYA: Runs = &[
    (
        0x00,
        "\u{b01}\u{b02}\u{b03}\u{b05}\u{b06}\u{b07}\u{b08}\u{b09}\u{b0a}\u{b0b}",
    ),
    (0x0B, "\u{b0c}"),
    (0x0F, "\u{b0f}\u{b10}"),
    (
        0x13,
        "\u{b13}\u{b14}\u{b15}\u{b16}\u{b17}\u{b18}\u{b19}\u{b1a}",
    ),
    (0x1C, "\u{b1b}\u{b1c}\u{b1d}\u{b1e}"),
    (0x22, "\u{b1f}\u{b20}\u{b21}\u{b22}\u{b23}\u{b24}"),
    (0x2A, "\u{b25}\u{b26}"),
    (0x2D, "\u{b27}"),
    (0x2F, "\u{b28}"),
    (0x3D, "\u{b2a}\u{b2b}"),
    (0x40, "\u{b2c}\u{b2d}\u{b2e}\u{b2f}\u{b30}"),
    (0x46, "\u{b32}\u{b33}"),
    (
        0x49,
        "\u{b35}\u{b36}\u{b37}\u{b38}\u{b39}\u{b3c}\u{b3d}\u{b3e}\u{b3f}\u{b40}\u{b41}",
    ),
    (0x54, "\u{b42}\u{b43}\u{b44}"),
    (0x59, "\u{b47}\u{b48}"),
    (0x5D, "\u{b4b}\u{b4c}\u{b4d}\u{b56}"),
    (0x7B, "\u{b57}\u{b60}\u{b61}\u{b62}\u{b63}"),
];

/// A.3.10, beside [`INDIC`].
pub(super) const PUNJABI: Runs = &[
    (
        0x00,
        "\u{a01}\u{a02}\u{a03}\u{a05}\u{a06}\u{a07}\u{a08}\u{a09}\u{a0a}",
    ),
    (0x0F, "\u{a0f}\u{a10}"),
    (
        0x13,
        "\u{a13}\u{a14}\u{a15}\u{a16}\u{a17}\u{a18}\u{a19}\u{a1a}",
    ),
    (0x1C, "\u{a1b}\u{a1c}\u{a1d}\u{a1e}"),
    (0x22, "\u{a1f}\u{a20}\u{a21}\u{a22}\u{a23}\u{a24}"),
    (0x2A, "\u{a25}\u{a26}"),
    (0x2D, "\u{a27}"),
    (0x2F, "\u{a28}"),
    (0x3D, "\u{a2a}\u{a2b}"),
    (0x40, "\u{a2c}\u{a2d}\u{a2e}\u{a2f}\u{a30}"),
    (0x46, "\u{a32}\u{a33}"),
    (0x49, "\u{a35}\u{a36}"),
    (0x4C, "\u{a38}\u{a39}\u{a3c}"),
    (0x50, "\u{a3e}\u{a3f}\u{a40}\u{a41}\u{a42}"),
    (0x59, "\u{a47}\u{a48}"),
    (0x5D, "\u{a4b}\u{a4c}\u{a4d}\u{a51}"),
    (0x7B, "\u{a70}\u{a71}\u{a72}\u{a73}\u{a74}"),
];

/// A.3.11, beside [`INDIC`].
pub(super) const TAMIL: Runs = &[
    (
        0x01,
        "\u{b82}\u{b83}\u{b85}\u{b86}\u{b87}\u{b88}\u{b89}\u{b8a}",
    ),
    (0x0E, "\u{b8e}\u{b8f}\u{b90}"),
    (0x12, "\u{b92}\u{b93}\u{b94}\u{b95}"),
    (0x19, "\u{b99}\u{b9a}"),
    (0x1D, "\u{b9c}"),
    (0x1F, "\u{b9e}"),
    (0x22, "\u{b9f}"),
    (0x26, "\u{ba3}\u{ba4}"),
    (0x2F, "\u{ba8}"),
    (0x3C, "\u{ba9}\u{baa}"),
    (
        0x42,
        "\u{bae}\u{baf}\u{bb0}\u{bb1}\u{bb2}\u{bb3}\u{bb4}\u{bb5}\u{bb6}\u{bb7}\u{bb8}",
    ),
    (0x4D, "\u{bb9}"),
    (0x50, "\u{bbe}\u{bbf}\u{bc0}\u{bc1}\u{bc2}"),
    (0x58, "\u{bc6}\u{bc7}\u{bc8}"),
    (0x5C, "\u{bca}\u{bcb}\u{bcc}\u{bcd}\u{bd0}"),
    (0x7B, "\u{bd7}\u{bf0}\u{bf1}\u{bf2}\u{bf9}"),
];

/// A.3.12, beside [`INDIC`].
pub(super) const TELUGU: Runs = &[
    (
        0x00,
        "\u{c01}\u{c02}\u{c03}\u{c05}\u{c06}\u{c07}\u{c08}\u{c09}\u{c0a}\u{c0b}",
    ),
    (0x0B, "\u{c0c}"),
    (0x0E, "\u{c0e}\u{c0f}\u{c10}"),
    (
        0x12,
        "\u{c12}\u{c13}\u{c14}\u{c15}\u{c16}\u{c17}\u{c18}\u{c19}\u{c1a}",
    ),
    (0x1C, "\u{c1b}\u{c1c}\u{c1d}\u{c1e}"),
    (0x22, "\u{c1f}\u{c20}\u{c21}\u{c22}\u{c23}\u{c24}"),
    (0x2A, "\u{c25}\u{c26}"),
    (0x2D, "\u{c27}"),
    (0x2F, "\u{c28}"),
    (0x3D, "\u{c2a}\u{c2b}"),
    (
        0x40,
        "\u{c2c}\u{c2d}\u{c2e}\u{c2f}\u{c30}\u{c31}\u{c32}\u{c33}",
    ),
    (0x49, "\u{c35}\u{c36}\u{c37}\u{c38}\u{c39}"),
    (
        0x4F,
        "\u{c3d}\u{c3e}\u{c3f}\u{c40}\u{c41}\u{c42}\u{c43}\u{c44}",
    ),
    (0x58, "\u{c46}\u{c47}\u{c48}"),
    (0x5C, "\u{c4a}\u{c4b}\u{c4c}\u{c4d}\u{c55}"),
    (0x7B, "\u{c56}\u{c60}\u{c61}\u{c62}\u{c63}"),
];

/// A.3.13, beside [`INDIC`].
pub(super) const URDU: Runs = &[
    (
        0x00,
        "\u{627}\u{622}\u{628}\u{67b}\u{680}\u{67e}\u{6a6}\u{62a}\u{6c2}\u{67f}",
    ),
    (0x0B, "\u{679}\u{67d}"),
    (
        0x0E,
        "\u{67a}\u{67c}\u{62b}\u{62c}\u{681}\u{684}\u{683}\u{685}\u{686}\u{687}\u{62d}",
    ),
    (0x19, "\u{62e}\u{62f}"),
    (0x1C, "\u{68c}\u{688}\u{689}\u{68a}"),
    (0x22, "\u{68f}\u{68d}\u{630}\u{631}\u{691}\u{693}"),
    (0x2A, "\u{699}\u{632}"),
    (0x2D, "\u{696}"),
    (0x2F, "\u{698}"),
    (0x3C, "\u{69a}\u{633}\u{634}"),
    (
        0x40,
        "\u{635}\u{636}\u{637}\u{638}\u{639}\u{641}\u{642}\u{6a9}\u{6aa}\u{6ab}\u{6af}",
    ),
    (
        0x4B,
        "\u{6b3}\u{6b1}\u{644}\u{645}\u{646}\u{6ba}\u{6bb}\u{6bc}\u{648}\u{6c4}\u{6d5}",
    ),
    (
        0x56,
        "\u{6c1}\u{6be}\u{621}\u{6cc}\u{6d0}\u{6d2}\u{64d}\u{650}\u{64f}\u{657}\u{654}",
    ),
    (0x7B, "\u{655}\u{651}\u{653}\u{656}\u{670}"),
];
