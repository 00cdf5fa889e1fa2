//! Rules between keys. Each fault has the place of the value to be changed.

use std::ops::Range;

use dtu_proto::config::{DropPolicy, Role};
use dtu_proto::event::LinkId;

use super::raw::{ConsoleTable, DeviceTable, File, LinkTable, ModemTable, SerialTable};
use super::values::{FlowControl, human};

/// A broken rule.
pub(super) struct Fault {
    /// Bytes of the file.
    pub(super) at: Range<usize>,
    /// What is wrong, what is allowed.
    pub(super) text: String,
}

pub(super) fn check(file: &File) -> Result<(), Fault> {
    check_serial(&file.serial)?;
    check_numbers(&file.device)?;
    check_init(&file.modem)?;
    check_console(&file.console)?;
    LinkId::ALL
        .into_iter()
        .try_for_each(|link| check_block(&file.link, link))?;
    LinkId::ALL
        .into_iter()
        .try_for_each(|link| check_spool(&file.link, link))?;
    LinkId::ALL
        .into_iter()
        .try_for_each(|link| check_role(&file.link, link))
}

fn fault(at: Range<usize>, text: String) -> Result<(), Fault> {
    Err(Fault { at, text })
}

fn check_serial(serial: &SerialTable) -> Result<(), Fault> {
    match &serial.rs485 {
        Some(rs485) if *rs485.get_ref() && serial.flow_control == FlowControl::RtsCts => fault(
            rs485.span(),
            "RS-485 switches the transmitter by RTS, so it needs flow_control = \"none\""
                .to_owned(),
        ),
        Some(_) | None => Ok(()),
    }
}

fn check_numbers(device: &DeviceTable) -> Result<(), Fault> {
    match &device.sms_allow {
        Some(list) if list.get_ref().len() > MAX_NUMBERS => fault(
            list.span(),
            format!(
                "at most {MAX_NUMBERS} numbers, got {}",
                list.get_ref().len()
            ),
        ),
        Some(_) | None => Ok(()),
    }
}

fn check_init(modem: &ModemTable) -> Result<(), Fault> {
    match &modem.init {
        Some(list) if list.get_ref().len() > MAX_INIT => fault(
            list.span(),
            format!("at most {MAX_INIT} AT lines, got {}", list.get_ref().len()),
        ),
        Some(_) | None => Ok(()),
    }
}

fn check_console(console: &ConsoleTable) -> Result<(), Fault> {
    if let (Some(own), Some(_)) = (&console.tls, &console.certificate) {
        return fault(
            own.span(),
            "tls = \"self\" and certificate exclude each other".to_owned(),
        );
    }
    match (&console.certificate, &console.key) {
        (Some(alone), None) => fault(alone.span(), "certificate needs key, too".to_owned()),
        (None, Some(alone)) => fault(alone.span(), "key needs certificate, too".to_owned()),
        (Some(_), Some(_)) | (None, None) => Ok(()),
    }
}

/// A read and a frame must fit behind the point where reading stops.
fn check_block(table: &LinkTable, link: LinkId) -> Result<(), Fault> {
    let settled = table.settle(Some(table.one(link)));
    if settled.drop_policy != DropPolicy::Block || settled.cache >= BLOCK_CACHE_MIN {
        return Ok(());
    }
    let one = table.one(link);
    let caches = [&one.cache, &table.cache]
        .into_iter()
        .flatten()
        .map(toml::Spanned::span)
        .next();
    let cache = human(u64::try_from(settled.cache).unwrap_or(u64::MAX));
    fault(
        caches.unwrap_or(0..0),
        format!(
            "with drop_policy = \"block\" the cache of link {link} must be at least 10KiB, got {cache}"
        ),
    )
}

/// A full cache must fit into the spool.
fn check_spool(table: &LinkTable, link: LinkId) -> Result<(), Fault> {
    let settled = table.settle(Some(table.one(link)));
    let cache = u64::try_from(settled.cache).unwrap_or(u64::MAX);
    let Some(spool) = settled
        .spool
        .filter(|spool| spool.size < spool_needed(cache))
    else {
        return Ok(());
    };
    let one = table.one(link);
    let sizes = [&one.spool_size, &table.spool_size]
        .into_iter()
        .flatten()
        .map(toml::Spanned::span)
        .next();
    let caches = [&one.cache, &table.cache]
        .into_iter()
        .flatten()
        .map(toml::Spanned::span)
        .next();
    let [size, needed, cache] = [spool.size, spool_needed(cache), cache].map(human);
    fault(
        sizes.or(caches).unwrap_or(0..0),
        format!(
            "spool_size of link {link} must be at least {needed} for its cache of {cache}, got {size}"
        ),
    )
}

/// Frames of one byte are the worst case: each has a head in the file, and the core keeps so many at most. The space
/// of released frames comes back in whole segments; reads under way and one frame come on top.
fn spool_needed(cache: u64) -> u64 {
    let most = cache + cache.min(FRAMES_MAX) * FRAME_HEAD + HEADROOM;
    (most * 8).div_ceil(7).next_multiple_of(1024)
}

fn check_role(table: &LinkTable, link: LinkId) -> Result<(), Fault> {
    let Some((primary, at)) = primary(table, link) else {
        return Ok(());
    };
    if primary == link {
        return fault(at, format!("link {link} cannot be the backup of itself"));
    }
    let mut chain = primary;
    for _ in LinkId::ALL {
        let Some((next, _)) = self::primary(table, chain) else {
            break;
        };
        if next == link {
            return fault(
                at,
                format!("links {link} and {chain} are backups of each other in a circle"),
            );
        }
        chain = next;
    }
    let earlier = LinkId::ALL.into_iter().take_while(|other| *other < link);
    for other in earlier {
        if self::primary(table, other).is_some_and(|(of, _)| of == primary) {
            return fault(
                at,
                format!("link {primary} has link {other} as its backup, and may have one only"),
            );
        }
    }
    Ok(())
}

/// Whose backup the link is, and where that is written.
fn primary(table: &LinkTable, link: LinkId) -> Option<(LinkId, Range<usize>)> {
    let role = table.one(link).role.as_ref().or(table.role.as_ref())?;
    match role.get_ref().0 {
        Role::Always => None,
        Role::Backup(of) => Some((of, role.span())),
    }
}

/// Frames that a cache of the core holds at most.
const FRAMES_MAX: u64 = 65_536;
/// Bytes in front of each frame in a segment.
const FRAME_HEAD: u64 = 16;
const HEADROOM: u64 = 8 * 1024;
const MAX_INIT: usize = 16;
const MAX_NUMBERS: usize = 64;
/// A read of 4 KiB and a frame of 1 KiB, twice.
const BLOCK_CACHE_MIN: usize = 10 * 1024;
