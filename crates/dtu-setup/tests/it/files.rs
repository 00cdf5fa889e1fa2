//! Settings in files.

use dtu_setup::{Schema, file};

use crate::device::key;

fn fault(text: &str) -> String {
    file::read(&Schema::new(), text.as_bytes())
        .unwrap_err()
        .to_string()
}

#[test]
fn faults_have_their_place() {
    let cases = [
        (
            "CIMOD = 0\nCIMOOD = 1\n",
            "2:1: CIMOOD is no setting; dtuctl names lists all of them",
        ),
        (
            "[CIPCFG]\nHEAT = 1\nHEET = 2\n",
            "3:1: CIPCFG.HEET is no setting; there are CIPCFG.AUTO, CIPCFG.HEAT, CIPCFG.RESERVED, CIPCFG.TIME, CIPCFG.LEN, CIPCFG.RTIME",
        ),
        (
            "[CIPCFG]\nHEAT = 70000\n",
            "2:1: CIPCFG: HEAT must be 0..=65535, got 70000",
        ),
        (
            "CIMOD = 1.5\n",
            "1:9: CIMOD must be a number or a text, got a fraction",
        ),
        (
            "CIMOD = \n",
            "1:9: string values must be quoted, expected literal string",
        ),
        (
            "{\"CIMOD\": 9}",
            "1:3: CIMOD: MOD must be 0 (transparent), 1 (serial command), 2 (AT command), 3 (HTTPD) or 4 (SMS), got 9",
        ),
        (
            "{\"CIPCFG\": {\"HEET\": 9}}",
            "1:13: CIPCFG.HEET is no setting; there are CIPCFG.AUTO, CIPCFG.HEAT, CIPCFG.RESERVED, CIPCFG.TIME, CIPCFG.LEN, CIPCFG.RTIME",
        ),
        (
            "AT+CIMOD=0\nAT+CSQ\n",
            "2:1: AT+CSQ sets nothing that is stored",
        ),
        (
            "AT+CIMOD=7\n",
            "1:1: CIMOD: MOD must be 0 (transparent), 1 (serial command), 2 (AT command), 3 (HTTPD) or 4 (SMS), got 7",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(fault(text), expected, "{text}");
    }
}

/// Files of Windows editors, and of Chinese ones.
#[test]
fn files_of_all_encodings_are_read() {
    let schema = Schema::new();
    let text = "CIMODID = \"水表\"\n";
    let utf16 = |bytes: fn(u16) -> [u8; 2], mark: &[u8]| -> Vec<u8> {
        mark.iter()
            .copied()
            .chain(text.encode_utf16().flat_map(bytes))
            .collect()
    };
    let files: [Vec<u8>; 5] = [
        text.into(),
        [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
        utf16(u16::to_le_bytes, b"\xFF\xFE"),
        utf16(u16::to_be_bytes, b"\xFE\xFF"),
        b"CIMODID = \"\xCB\xAE\xB1\xED\"\n".to_vec(),
    ];
    for bytes in files {
        let values = file::read(&schema, &bytes).unwrap();
        assert_eq!(values.get(&key("CIMODID")), Some("水表"));
    }
    let fault = file::read(&schema, b"CIMODID = \"\xFF\x20\"\n").unwrap_err();
    assert_eq!(
        fault.to_string(),
        "1:1: is neither UTF-8 nor GBK; save it as UTF-8"
    );
}
