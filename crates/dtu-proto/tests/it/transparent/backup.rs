//! Roles: failover and failback.

use super::*;

fn with_backup() -> Config {
    let mut config = one_link();
    config.links[1].enabled = true;
    config.links[1].role = Role::Backup(LINK1);
    config
}

#[test]
fn a_backup_stands_in_only_while_its_primary_is_down() {
    let mut dev = up(with_backup());
    dev.at(1000)
        .serial("one")
        .at(1100)
        .sends(LINK1, "one")
        .sends_nothing(LINK2);
    assert!(dev.peer(LINK2).connects.is_empty());
    dev.net(LINK1, Net::Refused);
    dev.lose(LINK1, CloseReason::Reset, 3)
        .at(3000)
        .serial("two")
        .at(3100)
        .sends(LINK2, "two");
    dev.net(LINK1, Net::Good);
    dev.at(30_000);
    let failed_back = Event::BackupActive {
        backup: LINK2,
        primary: LINK1,
        active: false,
    };
    assert!(!dev.events.contains(&failed_back));
    dev.at(65_000)
        .serial("three")
        .at(65_100)
        .sends(LINK1, "three")
        .sends_nothing(LINK2);
    assert!(dev.events.contains(&failed_back));
}

#[test]
fn a_backup_gets_what_its_primary_could_not_deliver() {
    let mut dev = up(with_backup());
    dev.net(LINK1, Net::Unacked);
    dev.at(1000).serial("one").at(1100).sends(LINK1, "one");
    dev.net(LINK1, Net::Refused);
    dev.lose(LINK1, CloseReason::Reset, 0)
        .wait(500)
        .sends(LINK2, "one");
    let [first, second, ..] = dev.dtu.status(dev.now).links;
    assert_eq!(
        (
            first.counters.moved_out_bytes,
            second.counters.moved_in_bytes
        ),
        (3, 3)
    );
    assert_eq!(second.counters.frames_out, 1);
}

/// They would come again after a crash: nobody releases what no spool of this link has to hold.
#[test]
fn frames_that_move_go_to_the_disk_only_where_the_link_has_a_spool() {
    for spools in [[true, false], [false, true], [true, true], [false, false]] {
        let mut options = Options {
            setup_window: Duration::ZERO,
            ..Options::default()
        };
        options
            .links
            .iter_mut()
            .zip(spools)
            .for_each(|(link, spool)| link.spool = spool);
        let mut dev = Bench::with(with_backup(), options);
        dev.at(200);
        dev.net(LINK1, Net::Unacked);
        dev.at(1000).serial("one").at(1100).sends(LINK1, "one");
        dev.net(LINK1, Net::Refused);
        dev.lose(LINK1, CloseReason::Reset, 0)
            .wait(500)
            .sends(LINK2, "one");
        let queue = |order: &StoreOutput| match order {
            StoreOutput::SpoolAppend(queue, _, frame) if frame == "one" => Some(*queue),
            StoreOutput::Save(_)
            | StoreOutput::Messages { .. }
            | StoreOutput::SpoolAppend(..)
            | StoreOutput::SpoolRelease(..)
            | StoreOutput::SpoolMove(..)
            | StoreOutput::SpoolSending(..) => None,
        };
        let kept: Vec<QueueId> = dev.store.spool.iter().filter_map(queue).collect();
        let wanted = [LINK1, LINK2]
            .into_iter()
            .zip(spools)
            .filter(|(_, spool)| *spool);
        assert_eq!(
            kept,
            wanted.map(|(link, _)| link.into()).collect::<Vec<_>>(),
            "{spools:?}"
        );
    }
}

#[test]
fn a_backup_that_never_came_up_gives_the_frames_back() {
    let mut dev = up(with_backup());
    dev.net(LINK1, Net::Refused).net(LINK2, Net::Refused);
    dev.lose(LINK1, CloseReason::Reset, 0)
        .at(1000)
        .serial("one")
        .at(5000);
    dev.net(LINK1, Net::Good);
    dev.at(40_000).sends(LINK1, "one").sends_nothing(LINK2);
}

#[test]
fn a_backup_that_hands_back_gives_only_what_was_not_acknowledged() {
    let mut dev = up(with_backup());
    dev.net(LINK1, Net::Refused);
    dev.lose(LINK1, CloseReason::Reset, 0)
        .at(2000)
        .serial("one")
        .at(2100)
        .sends(LINK2, "one");
    dev.net(LINK1, Net::Good).net(LINK2, Net::Unacked);
    dev.at(25_000).serial("two").at(25_100).sends(LINK2, "two");
    dev.net(LINK2, Net::Good); // acknowledged, but the device learns it only when it closes
    dev.at(60_000).sends_nothing(LINK1);
    let counters = dev.dtu.status(dev.now).links[1].counters;
    assert_eq!((counters.frames_out, counters.moved_out_frames), (2, 0));
}

#[test]
fn links_that_back_each_other_up_work_like_any_other() {
    let mut config = with_backup();
    config.links[2].enabled = true;
    config.links[2].role = Role::Backup(LINK2);
    let mut dev = booted(config, options_with_role(LINK1, Role::Backup(LINK2)));
    dev.net_of_links(Net::Refused);
    dev.lose(LINK1, CloseReason::Reset, 0)
        .lose(LINK2, CloseReason::Reset, 0)
        .at(1000)
        .serial("x");
    dev.net(LINK1, Net::Good).net(LINK2, Net::Good);
    dev.at(5000).net_of_links(Net::Good);
    dev.at(60_000).sends(LINK1, "x").sends_nothing(LINK3);
}

fn options_with_role(link: LinkId, role: Role) -> Options {
    let mut options = options(|_| ());
    options.links[link.index()].role = Some(role);
    options
}
