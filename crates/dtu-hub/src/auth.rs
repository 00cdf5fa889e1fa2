//! Passwords of devices: a cheap check, for ten thousand devices return at once.

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::ids::DeviceId;

/// Makes and checks tags. It has the server's secret, which is not in the store: who reads the store knows no password.
#[derive(Clone)]
pub struct PasswordKey(Hmac<Sha256>);

/// What the store keeps of a password.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PasswordTag(pub [u8; 32]);

impl std::fmt::Debug for PasswordTag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordTag")
    }
}

impl std::fmt::Debug for PasswordKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordKey")
    }
}

impl PasswordKey {
    /// The key of this secret of the server.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        // Longer than a block it would have to be hashed; 32 bytes are a key as they are.
        let mut block = [0; 64];
        block[..secret.len()].copy_from_slice(secret);
        Self(Hmac::new(&block.into()))
    }

    /// The tag of a device's password.
    #[must_use]
    pub fn tag(&self, device: &DeviceId, password: &[u8]) -> PasswordTag {
        PasswordTag(self.mac(device, password).finalize().into_bytes().into())
    }

    /// Whether this is the password. Takes the same time whatever is wrong with it.
    #[must_use]
    pub fn check(&self, device: &DeviceId, password: &[u8], tag: &PasswordTag) -> bool {
        // mutant: hub-password
        self.mac(device, password).verify((&tag.0).into()).is_ok()
    }

    /// The id is in it: one password of two devices has two tags.
    fn mac(&self, device: &DeviceId, password: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(device.as_bytes());
        mac.update(password);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_fits_one_password_of_one_device_and_one_server() {
        let id = |n: &str| DeviceId::padded(n.as_bytes()).unwrap();
        let key = PasswordKey::new(&[7; 32]);
        let tag = key.tag(&id("1"), b"12345678");
        assert!(key.check(&id("1"), b"12345678", &tag));
        assert!(!key.check(&id("1"), b"12345679", &tag));
        assert!(!key.check(&id("1"), b"", &tag));
        assert!(!key.check(&id("2"), b"12345678", &tag));
        assert!(!PasswordKey::new(&[8; 32]).check(&id("1"), b"12345678", &tag));
        assert_eq!(format!("{key:?} {tag:?}"), "PasswordKey PasswordTag");
    }

    /// HMAC-SHA-256 as Python's `hmac` computes it: stored tags outlive a change of the library.
    #[test]
    fn the_tag_is_hmac_sha_256_of_id_and_password() {
        let key = PasswordKey::new(&[7; 32]);
        let tag = key.tag(&DeviceId::padded(b"1").unwrap(), b"12345678");
        let hex: String = tag.0.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "bf99d7d6fece1eb6e7fb3ed258ed05bcc745282df94f54f72817a680b80423c0"
        );
    }
}
