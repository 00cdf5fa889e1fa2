//! Where the modem stores messages (27.005 3.2.2).

/// A storage of messages: `SM`, `ME`, `MT`, `SM_P`, …
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Storage([u8; 4]);

impl Storage {
    /// Every SIM has it.
    pub(crate) const SIM: Self = Self(*b"SM\0\0");

    pub(crate) fn new(text: &str) -> Option<Self> {
        let mut name = [0; 4];
        name.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        let is_name = text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        (is_name && !text.is_empty()).then_some(Self(name))
    }

    pub(crate) fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0)
            .unwrap_or_default()
            .trim_end_matches('\0')
    }
}

/// Where a message is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot {
    pub(crate) storage: Storage,
    pub(crate) index: u16,
}

#[cfg(test)]
mod tests {
    use std::string::String;

    use super::*;

    #[test]
    fn storages_are_known_by_their_names() {
        for name in ["SM", "ME", "MT", "SM_P", "SR"] {
            assert_eq!(
                Storage::new(name).map(|store| String::from(store.as_str())),
                Some(name.into())
            );
        }
        for wrong in ["", "SM,\"", "SM_PP", "S M"] {
            assert_eq!(Storage::new(wrong), None, "{wrong}");
        }
    }
}
