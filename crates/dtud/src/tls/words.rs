//! What went wrong with TLS, in words: what it is, and where possible the cure.

use std::io;
use std::time::Duration;

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};

use crate::words::{Span, plain};

/// An error of this module, for a person.
pub(crate) fn in_words(error: &io::Error) -> String {
    let tls = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>());
    match (tls, error.kind()) {
        (Some(tls), _) => of_tls(tls),
        (None, io::ErrorKind::UnexpectedEof) => {
            "the server closed the connection in the middle".to_owned()
        }
        (None, io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => {
            "the server reset the connection".to_owned()
        }
        (None, _) => plain(error),
    }
}

fn of_tls(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(why) => of_certificate(why),
        Error::NoCertificatesPresented => "the server shows no certificate".to_owned(),
        Error::AlertReceived(alert) => of_alert(*alert),
        Error::InvalidMessage(_) => {
            "the server does not speak TLS (is it the right port?)".to_owned()
        }
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            "the server sent a message of TLS that does not belong there".to_owned()
        }
        Error::PeerIncompatible(why) => {
            let missing = of_incompatible(why);
            format!("the server has no TLS 1.2 or 1.3 in common with this device{missing}")
        }
        Error::PeerMisbehaved(_) => "the server breaks the rules of TLS".to_owned(),
        Error::General(text) => text.clone(),
        other => other.to_string(),
    }
}

fn of_certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::ExpiredContext { time, not_after } => {
            format!("the certificate expired {} ago{CLOCK}", between(*not_after, *time))
        }
        CertificateError::Expired => format!("the certificate has expired{CLOCK}"),
        CertificateError::NotValidYetContext { time, not_before } => {
            format!("the certificate becomes valid in {}{CLOCK}", between(*time, *not_before))
        }
        CertificateError::NotValidYet => format!("the certificate is not valid yet{CLOCK}"),
        CertificateError::UnknownIssuer => {
            "the certificate is of no authority that is trusted (extra_root in [http] names one more)"
                .to_owned()
        }
        CertificateError::Revoked => "the certificate is revoked".to_owned(),
        CertificateError::BadEncoding => "the certificate cannot be read".to_owned(),
        CertificateError::BadSignature => "the signature of the certificate is wrong".to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } => of_names(presented),
        CertificateError::NotValidForName => of_names(&[]),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the certificate is not one for servers".to_owned()
        }
        other => match other.to_string() {
            text if text.contains("CaUsedAsEndEntity") => {
                "the server shows the certificate of an authority as its own (it needs one with CA:FALSE)"
                    .to_owned()
            }
            text => format!("the certificate is not accepted: {text}"),
        },
    }
}

/// `presented`: as `DnsName("example.com")` or `IpAddress(1.2.3.4)`.
fn of_names(presented: &[String]) -> String {
    let bare = |name: &String| {
        let inner = name
            .split_once('(')
            .map_or(name.as_str(), |(_, inner)| inner);
        inner.trim_end_matches(')').trim_matches('"').to_owned()
    };
    let names: Vec<String> = presented.iter().map(bare).collect();
    if names.is_empty() {
        "the certificate is for another name".to_owned()
    } else {
        format!("the certificate is for another name: {}", names.join(", "))
    }
}

fn of_alert(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
            "the server wants a certificate of this device, which has none".to_owned()
        }
        AlertDescription::HandshakeFailure | AlertDescription::BadCertificate => format!(
            "the server ended the handshake: {} (it may want a certificate of this device, which has none)",
            if alert == AlertDescription::BadCertificate {
                "bad certificate"
            } else {
                "handshake failure"
            }
        ),
        AlertDescription::ProtocolVersion => "the server has neither TLS 1.2 nor 1.3".to_owned(),
        AlertDescription::UnrecognisedName => "the server does not know this name".to_owned(),
        other => format!("the server ended it: {}", name_of(other)),
    }
}

/// What is missing, where that helps anybody.
const fn of_incompatible(why: &PeerIncompatible) -> &'static str {
    match why {
        PeerIncompatible::NoCipherSuitesInCommon => " (no cipher in common)",
        PeerIncompatible::NoKxGroupsInCommon
        | PeerIncompatible::KeyShareExtensionRequired
        | PeerIncompatible::NamedGroupsExtensionRequired => " (no key exchange in common)",
        PeerIncompatible::NoSignatureSchemesInCommon
        | PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon
        | PeerIncompatible::SignatureAlgorithmsExtensionRequired => {
            " (no signature scheme in common)"
        }
        PeerIncompatible::ExtendedMasterSecretExtensionRequired => {
            " (it has no extended master secret)"
        }
        _ => "",
    }
}

/// RFC 8446 6, in words.
const fn name_of(alert: AlertDescription) -> &'static str {
    match alert {
        AlertDescription::CloseNotify => "closed",
        AlertDescription::UnexpectedMessage => "unexpected message",
        AlertDescription::BadRecordMac => "a record was damaged",
        AlertDescription::RecordOverflow => "a record was too long",
        AlertDescription::UnsupportedCertificate => "unsupported certificate",
        AlertDescription::CertificateRevoked => "certificate revoked",
        AlertDescription::CertificateExpired => "certificate expired",
        AlertDescription::CertificateUnknown => "certificate not accepted",
        AlertDescription::UnknownCA => "unknown authority",
        AlertDescription::IllegalParameter => "illegal parameter",
        AlertDescription::AccessDenied => "access denied",
        AlertDescription::DecodeError | AlertDescription::DecryptError => {
            "it could not read a message"
        }
        AlertDescription::InsufficientSecurity => "it wants stronger ciphers",
        AlertDescription::InternalError => "internal error",
        AlertDescription::InappropriateFallback => "inappropriate fallback",
        AlertDescription::UserCanceled => "cancelled",
        AlertDescription::MissingExtension => "missing extension",
        AlertDescription::UnsupportedExtension => "unsupported extension",
        AlertDescription::NoApplicationProtocol => "no application protocol in common",
        _ => "without a reason that is known here",
    }
}

fn between(from: UnixTime, to: UnixTime) -> Span {
    Span(Duration::from_secs(
        to.as_secs().saturating_sub(from.as_secs()),
    ))
}

/// A device without a clock of its own begins in the past.
const CLOCK: &str = ", by the clock of this machine";

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::OtherError;

    use super::*;

    #[test]
    fn k9_an_expired_certificate_is_told_without_the_second_at_which_it_was_looked_at() {
        let days = |days: u64| UnixTime::since_unix_epoch(Duration::from_secs(days * 86_400));
        let expired = CertificateError::ExpiredContext {
            time: days(20_012),
            not_after: days(20_000),
        };
        assert_eq!(
            of_certificate(&expired),
            "the certificate expired 12 d ago, by the clock of this machine"
        );
        let early = CertificateError::NotValidYetContext {
            time: days(3),
            not_before: days(20_000),
        };
        assert_eq!(
            of_certificate(&early),
            "the certificate becomes valid in 19997 d, by the clock of this machine"
        );
    }

    #[test]
    fn k8_what_ends_a_handshake_is_told_in_words() {
        let said = |kind: io::ErrorKind| in_words(&kind.into());
        assert_eq!(
            said(io::ErrorKind::UnexpectedEof),
            "the server closed the connection in the middle"
        );
        assert_eq!(
            said(io::ErrorKind::ConnectionReset),
            "the server reset the connection"
        );
        let common = "the server has no TLS 1.2 or 1.3 in common with this device";
        for (why, more) in [
            (
                PeerIncompatible::NoCipherSuitesInCommon,
                " (no cipher in common)",
            ),
            (PeerIncompatible::ServerDoesNotSupportTls12Or13, ""),
        ] {
            assert_eq!(
                of_tls(&Error::PeerIncompatible(why)),
                format!("{common}{more}")
            );
        }
        assert_eq!(
            of_alert(AlertDescription::UnknownCA),
            "the server ended it: unknown authority"
        );
    }

    #[test]
    fn no_name_of_a_type_is_in_the_words() {
        #[derive(Debug)]
        struct CaUsedAsEndEntity;
        impl std::fmt::Display for CaUsedAsEndEntity {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{self:?}")
            }
        }
        impl std::error::Error for CaUsedAsEndEntity {}
        let authority = CertificateError::Other(OtherError(Arc::new(CaUsedAsEndEntity)));
        let said = of_tls(&Error::InvalidCertificate(authority));
        assert_eq!(
            said,
            "the server shows the certificate of an authority as its own (it needs one with CA:FALSE)"
        );
        let refused = of_tls(&Error::AlertReceived(AlertDescription::InternalError));
        assert_eq!(refused, "the server ended it: internal error");
        let wanted = of_tls(&Error::AlertReceived(AlertDescription::CertificateRequired));
        assert_eq!(
            wanted,
            "the server wants a certificate of this device, which has none"
        );
        let names = [
            r#"DnsName("example.com")"#.to_owned(),
            "IpAddress(1.2.3.4)".to_owned(),
        ];
        assert_eq!(
            of_names(&names),
            "the certificate is for another name: example.com, 1.2.3.4"
        );
    }
}
