//! `AT+CIROLE`: links that stand in for others (manual 2.1.1, 通讯备用服务器).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::command::{Command, TakesEffect};
use super::super::outcome::{Change, Lines, Outcome};
use super::super::param::{Kind, Param};
use super::super::reply::{Code, Error};
use super::super::values::Values;
use super::super::view::View;
use super::LINK_NUMBER;
use crate::config::{Config, Role};
use crate::ids::LinkId;

pub(in super::super) const COMMANDS: &[Command] =
    &[Command::new("+CIROLE", "own", "Whether a link always works, or stands in for another", &[
        LINK_NUMBER,
        Param::new("ROLE", Kind::Role, "backup:m = used only while link m is down").factory("always"),
    ])
    .example("AT+CIROLE=2,backup:1", "OK")
    .notes(
        "A link has one backup at most, and no link stands in, directly or through others, for itself. A role that the \
         settings file gives cannot be changed here; the read form shows the roles in force.",
    )
    .reads(read)
    .acts_on(set)
    .loads(load)
    .saved(saved, TakesEffect::Restart)];

fn read(_: &Values, view: &View<'_>) -> Result<Lines, Error> {
    let line = |link| format!("+CIROLE:{link},{}", text(in_force(link, view)));
    Ok(Lines::from_iter(LinkId::ALL.map(line)))
}

fn set(values: &Values, view: &View<'_>, outcome: &mut Outcome) -> Result<(), Error> {
    let (link, role) = (values.link(0)?, values.role(1)?);
    if view.options.links[link.index()].role.is_some() {
        return Err(values.refuse(
            Code::NotAllowed,
            &format!("the settings file fixes the role of link {link}"),
        ));
    }
    check(values, link, role, |link| in_force(link, view))?;
    let mut config = view.config.clone();
    // The set that is stored must load at the next start, which knows no settings file yet. A role that the file
    // overrules could stand against this one there; so the set takes over the file's.
    for other in LinkId::ALL {
        config.links[other.index()].role = in_force(other, view);
    }
    config.links[link.index()].role = role;
    outcome.change(Change::Config(config.into()));
    Ok(())
}

/// A stored line does not know what the settings file fixes.
fn load(values: &Values, config: &mut Config) -> Result<(), Error> {
    let (link, role) = (values.link(0)?, values.role(1)?);
    check(values, link, role, |link| config.links[link.index()].role)?;
    config.links[link.index()].role = role;
    Ok(())
}

/// Whether `link` may have this role, where the others have theirs.
fn check(
    values: &Values,
    link: LinkId,
    role: Role,
    role_of: impl Fn(LinkId) -> Role,
) -> Result<(), Error> {
    let Role::Backup(primary) = role else {
        return Ok(());
    };
    let wrong = |why: String| Err(values.refuse(Code::IncorrectParameters, &why));
    if link == primary {
        return wrong(format!("ROLE: link {link} cannot be its own backup"));
    }
    let rival = LinkId::ALL
        .into_iter()
        .find(|other| *other != link && role_of(*other) == Role::Backup(primary));
    if let Some(rival) = rival {
        return wrong(format!(
            "ROLE: link {primary} has link {rival} as its backup already"
        ));
    }
    if stands_in_for(primary, link, role_of) {
        return wrong(format!(
            "ROLE: link {primary} is itself a backup of link {link}, directly or through others"
        ));
    }
    Ok(())
}

/// Whether `link` is a backup of `of`, directly or through others.
fn stands_in_for(link: LinkId, of: LinkId, role_of: impl Fn(LinkId) -> Role) -> bool {
    let next = |link: &LinkId| match role_of(*link) {
        Role::Backup(primary) => Some(primary),
        Role::Always => None,
    };
    // No chain is longer than there are links, unless the settings file made a ring.
    core::iter::successors(next(&link), next)
        .take(LinkId::ALL.len())
        .any(|primary| primary == of)
}

fn in_force(link: LinkId, view: &View<'_>) -> Role {
    view.options.links[link.index()]
        .role
        .unwrap_or(view.config.links[link.index()].role)
}

fn saved(config: &Config) -> Vec<String> {
    LinkId::ALL
        .map(|link| format!("AT+CIROLE={link},{}", text(config.links[link.index()].role)))
        .to_vec()
}

fn text(role: Role) -> String {
    match role {
        Role::Always => "always".to_string(),
        Role::Backup(primary) => format!("backup:{primary}"),
    }
}
