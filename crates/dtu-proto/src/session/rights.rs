//! What an origin may do.

use crate::at::Rights;
use crate::config::{Config, FACTORY_PASSWORD, FactoryPassword, Options};
use crate::ids::Origin;

/// `None` = it is not heard.
pub(crate) fn rights(origin: Origin, config: &Config, options: &Options) -> Option<Rights> {
    let factory = config.password == FACTORY_PASSWORD;
    match (origin, options.factory_password) {
        // mutant: factory-password
        (Origin::Link(_) | Origin::Sms(_), FactoryPassword::Query) if factory => {
            Some(Rights::Query)
        }
        (Origin::Link(_) | Origin::Sms(_), FactoryPassword::Off) if factory => None,
        (
            Origin::Link(_)
            | Origin::Sms(_)
            | Origin::Serial
            | Origin::SerialFrame
            | Origin::Console,
            _,
        ) => Some(Rights::Full),
    }
}
