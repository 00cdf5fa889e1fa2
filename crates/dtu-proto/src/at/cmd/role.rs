//! `AT+CIROLE`: links that stand in for others (manual 2.1.1, 通讯备用服务器).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::Context;
use super::super::call::Call;
use super::super::param::{Kind, Param};
use super::super::reply::{Code, Error};
use super::super::table::{Command, TakesEffect};
use super::Done;
use super::link::NUMBER;
use crate::config::{Config, Role};
use crate::event::LinkId;

pub(in super::super) const COMMANDS: &[Command] =
    &[Command::new("+CIROLE", "own", "Whether a link always works, or stands in for another", &[
        NUMBER,
        Param::new("ROLE", Kind::Role, "backup:m = used only while link m is down").factory("always"),
    ])
    .example("AT+CIROLE=2,backup:1", "OK")
    .notes(
        "A link has one backup at most, and no link stands in, directly or through others, for itself. A role that the \
         settings file gives cannot be changed here; the read form shows the roles in force.",
    )
    .reads(read)
    .sets(set)
    .saved(saved, TakesEffect::Restart)];

fn read(call: &mut Call<'_, '_>) -> Done {
    let ctx = &*call.ctx;
    let lines = LinkId::ALL.map(|link| format!("+CIROLE:{link},{}", text(in_force(link, ctx))));
    call.say_all(lines);
    Ok(())
}

fn set(call: &mut Call<'_, '_>) -> Done {
    let (link, role) = (call.link(0)?, call.role(1)?);
    if call.ctx.options.links[link.index()].role.is_some() {
        return Err(call.refuse(
            Code::NotAllowed,
            &format!("the settings file fixes the role of link {link}"),
        ));
    }
    if let Role::Backup(primary) = role {
        check(call, link, primary)?;
    }
    call.ctx.config.links[link.index()].role = role;
    Ok(())
}

/// Whether `link` may become the backup of `primary`.
fn check(call: &Call<'_, '_>, link: LinkId, primary: LinkId) -> Result<(), Error> {
    let wrong = |why: String| Err(call.refuse(Code::IncorrectParameters, &why));
    if link == primary {
        return wrong(format!("ROLE: link {link} cannot be its own backup"));
    }
    let rival = LinkId::ALL
        .into_iter()
        .find(|other| *other != link && in_force(*other, call.ctx) == Role::Backup(primary));
    if let Some(rival) = rival {
        return wrong(format!(
            "ROLE: link {primary} has link {rival} as its backup already"
        ));
    }
    if stands_in_for(primary, link, call.ctx) {
        return wrong(format!(
            "ROLE: link {primary} is itself a backup of link {link}, directly or through others"
        ));
    }
    Ok(())
}

/// Whether `link` is a backup of `of`, directly or through others.
fn stands_in_for(link: LinkId, of: LinkId, ctx: &Context<'_>) -> bool {
    let next = |link: &LinkId| match in_force(*link, ctx) {
        Role::Backup(primary) => Some(primary),
        Role::Always => None,
    };
    // No chain is longer than there are links, unless the settings file made a ring.
    core::iter::successors(next(&link), next)
        .take(LinkId::ALL.len())
        .any(|primary| primary == of)
}

fn in_force(link: LinkId, ctx: &Context<'_>) -> Role {
    ctx.options.links[link.index()]
        .role
        .unwrap_or(ctx.config.links[link.index()].role)
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
