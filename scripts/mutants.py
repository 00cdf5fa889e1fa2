#!/usr/bin/env python3
"""Breaks the device core and the dialogue with the modem on purpose, one line at a time, and looks whether world or scripts notice.

    scripts/mutants.py [--seeds 1..120] [--only TEXT] [--list]

Each mutation is applied in a scratch copy (target/mutants), built there and run over some seeds. A mutation whose
text is not found exactly once is an error: it must be brought up to date with the code. Exit 0: all were caught.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRATCH = ROOT / "target" / "mutants"
CORE = "crates/dtu-proto/src/"

# rule of the checkers, what is broken, old text (exactly once in the core), new text
MUTANTS = [
    ("frames", "frames are let go when sent, not when acknowledged",
     "        if is_udp {\n            // Nobody acknowledges", "        if is_udp || up.sent > 0 {\n            // Nobody acknowledges"),
    ("frames", "after a lost connection nothing is sent again",
     "pub(crate) const fn rewind(&mut self) {\n        self.handed_over = 0;", "pub(crate) const fn rewind(&mut self) {"),
    ("frames", "the cache is a stack",
     "self.entries.push_back(Entry {", "self.entries.push_front(Entry {"),
    ("frames", "frames join over a silence of TIME",
     "then(|| self.last + packing.silence)", "then(|| self.last + packing.silence * 2)"),
    ("frames", "a late host merges frames",
     "    pub fn handle_input(&mut self, input: Input<'_>, now: Instant) {\n        self.handle_timeout(now);",
     "    pub fn handle_input(&mut self, input: Input<'_>, now: Instant) {"),
    ("frames", "a frame has 1025 bytes",
     "pub(crate) const FRAME_MAX: usize = 1024;", "pub(crate) const FRAME_MAX: usize = 1025;"),
    ("frames", "an escape that fails swallows its bytes",
     "State::Idle | State::Pluses { .. } | State::Offered { .. } => Fired::Released(self.reset()),",
     "State::Idle | State::Pluses { .. } | State::Offered { .. } => {\n                self.reset();\n                Fired::Released(Held::default())\n            }"),
    ("requests", "a request is not noted before it is sent",
     "        self.spool_sending(Some(number), cx);\n", ""),
    ("frames", "the spool forgets",
     "            && let Some(seq) = kept\n        {\n            self.spool_append(seq, frame, cx);",
     "            && frame.len() % 7 != 3\n            && let Some(seq) = kept\n        {\n            self.spool_append(seq, frame, cx);"),
    ("counters", "dropped frames are not counted",
     "        counters.dropped_frames += 1;\n        counters.dropped_bytes += frame.len() as u64;\n        let event = own_queue(socket)",
     "        counters.dropped_bytes += frame.len() as u64;\n        let event = own_queue(socket)"),
    ("counters", "the sums of drops miss some",
     "put(DropPlace::Link(link), counters.dropped_frames, counters.dropped_bytes);",
     "put(DropPlace::Link(link), counters.dropped_frames.min(3), counters.dropped_bytes);"),
    ("commands", "a command from afar that is refused is not said",
     "            self.event(Event::Command { door, line: line.text, outcome });",
     "            if outcome.is_ok() {\n                self.event(Event::Command { door, line: line.text, outcome });\n            }"),
    ("registration", "no registration after a reconnect",
     "Up::new(cx.now, registers)",
     "Up::new(cx.now, registers && self.counters.reconnects == 0)"),
    ("registration", "data goes without the registration packet",
     "RegistrationWhen::WithData => Bytes::copy_from_slice(&config.registration),",
     "RegistrationWhen::WithData => Bytes::new(),"),
    ("registration", "the registration packet comes behind the first frame",
     "        if up.registration_due {", "        if up.registration_due && up.sent > 0 {"),
    ("commands", "the gate of the serial line is ignored",
     "if self.config.serial_at && self.inline_command(", "if self.inline_command("),
    ("commands", "the gate of the network is ignored",
     "self.config.network_at && self.inline_command(", "self.inline_command("),
    ("commands", "any password will do",
     "let right = inline::same_password(found.password, &self.config.password);",
     "let right = inline::same_password(found.password, &self.config.password) || !found.password.is_empty();"),
    ("commands", "wrong passwords shut no door",
     "self.shut_until.is_some_and(|until| now < until)", "self.shut_until.is_some_and(|until| now > until)"),
    ("commands", "the factory password may do everything",
     "if factory => Some(Rights::Query)", "if factory => Some(Rights::Full)"),
    ("commands", "replies go to the next link",
     "self.with_link(link, |l, cx| l.reply(Bytes::from(reply), asker.connection, cx))",
     "self.with_link(crate::event::LinkId::ALL[(link.index() + 1) % 4], |l, cx| {\n                    let connection = l.connection();\n                    l.reply(Bytes::from(reply), connection, cx)\n                })"),
    ("commands", "an inline command goes to the links, too",
     "            self.serial_counters.command_bytes += frame.len() as u64;\n            return;",
     "            self.serial_counters.command_bytes += frame.len() as u64;"),
    ("heartbeat", "received bytes do not count as activity",
     "        self.last_received = now;\n", ""),
    ("heartbeat", "what is merely handed over counts as a sign of life",
     "        self.sent += len as u64;\n    }", "        self.sent += len as u64;\n        self.last_received = now;\n    }"),
    ("heartbeat", "a peer that acknowledges nothing is never given up",
     "        self.has_unacked().then_some(at)", "        (self.has_unacked() && self.acked > u64::MAX / 2).then_some(at)"),
    ("delivery", "bytes of a missing line wait for ever",
     "Some(since.max(self.port.gone_at) + self.options.line_hold)", "Some(since.max(self.port.gone_at) + self.options.line_hold * 9999)"),
    ("pace", "a server that takes bytes does not pace the line",
     "            if !link.has_enough(alone) {", "            if !link.has_enough(alone) || alone {"),
    ("delivery", "a server that takes nothing stops the line",
     "const MOVES_FOR: Duration = Duration::from_secs(5);", "const MOVES_FOR: Duration = Duration::from_secs(600);"),
    ("heartbeat", "no heartbeat ever",
     "            up.heartbeat_due = true;\n", ""),
    ("heartbeat", "a serial heartbeat cuts a frame",
     "            && self.framer.is_empty()\n", ""),
    ("heartbeat", "a serial heartbeat in spite of data from the DTE",
     "let last = self.last_from_dte.max(self.last_to_dte);", "let last = self.last_to_dte;"),
    ("downlink", "what waits for the end of the command state is turned round",
     "self.held.push_back(Parcel { bytes, purpose: Purpose::Data(source), since: now });",
     "self.held.push_front(Parcel { bytes, purpose: Purpose::Data(source), since: now });"),
    ("downlink", "network bytes are printed in the command state",
     "        if self.takes_network_data() && self.ending.is_none() {\n            self.port.write(",
     "        if self.ending.is_none() {\n            self.port.write("),
    ("downlink", "an expected reply goes on to the line",
     "let end = if expect.pass { begin }", "let end = if expect.pass || begin == 0 { begin }"),
    ("downlink", "bytes for a line that is there are dropped after two seconds",
     "let since = self.line_is_missing().then(|| self.port.oldest()).flatten()?;",
     "let since = self.ending.is_none().then(|| self.port.oldest()).flatten()?;"),
    ("downlink", "a byte is lost on the way to the DTE",
     "        let data = Bytes::copy_from_slice(data);\n        self.last_to_dte",
     "        let data = Bytes::copy_from_slice(&data[..data.len().min(2000)]);\n        self.last_to_dte"),
    ("bounds", "the cache has no bound",
     "cache.bytes + bytes.len() > cache.limit ||", "cache.bytes + bytes.len() > cache.limit * 64 ||"),
    ("delivery", "sockets are read while the DTE is not",
     "waiting < QUEUE_HIGH || self.makes_room", "waiting < QUEUE_HIGH * 64 || self.makes_room"),
    ("bounds", "two sends are outstanding",
     "        if up.sending.is_some() {\n            return;\n        }\n        let next", "        let next"),
    ("bounds", "two writes are outstanding",
     "        if self.outstanding.is_some() || self.discarding {\n            return;\n        }\n", ""),
    ("bounds", "a refused link tries again without a pause",
     "State::Retry { at: cx.now + self.backoff.next(cx.now, self.options.backoff_max, cx.rng) }",
     "State::Retry { at: cx.now }"),
    ("escape", "no silence is needed before +++",
     "self.last_byte.is_none_or(|last| at.since(last) > GUARD)", "self.last_byte.is_none_or(|last| at.since(last) >= Duration::ZERO)"),
    ("escape", "the gap of the settings is not heard",
     "State::Pluses { count: 2, until: at + self.gap }", "State::Pluses { count: 2, until: at + Duration::from_millis(50) }"),
    ("escape", "the handshake never completes",
     "State::Offered { written: true, .. } if byte | 0x20 == b'a' => {", "State::Offered { written: true, .. } if byte == 0 => {"),
    ("messages", "a message that is known is printed again",
     "let known = self.mailbox.seen.knows(digest);", "let known = digest == 0;"),
    ("messages", "messages to one receiver overtake each other",
     "message.safe && message.retry_at <= now && !waits_for_another", "message.safe && message.retry_at <= now && (!waits_for_another || place % 2 == 1)"),
    ("messages", "a repeat does not ask for copies to be refused",
     "used it up.\n                self.reference = reference;\n            }\n            return Some((message.number, part.clone()));", "used it up.\n                self.reference = reference;\n            }\n            return Some((message.number, numbered(part, reference, false)));"),
    ("messages", "a copy that the centre refused is tried again",
     "Ok(_) | Err(SubmitFailure::DUPLICATE) => {", "Ok(_) => {"),
    ("messages", "what waits for the line is not stored",
     "for (kind, bytes) in self.line.items() {", "for (kind, bytes) in self.line.items().skip(1) {"),
    ("texts", "a number in PDU mode is taken for a length",
     "Ok(call.is_quoted(0) || text.starts_with('+') || too_long)", "Ok(text.starts_with('+') && too_long)"),
    ("texts", "a name is taken for UTF-8, whatever the line speaks",
     "let text = sms::from_serial(&self.bytes(place)?, charset);", "let text = sms::from_serial(&self.bytes(place)?, if place == 0 { Charset::Utf8 } else { charset });"),
    ("texts", "the operator is shown plainly where the charset is UCS2",
     "Quoted(&in_charset(call, &name))", "Quoted(&name)"),
    ("sms_join", "a part that comes again with another stamp waits a day",
     "let is_ghost = self.is_of_finished(&key, place, &value);", "let is_ghost = place > 300 && self.is_of_finished(&key, place, &value);"),
    ("messages", "a message to a port is printed",
     "WorkingMode::Sms if deliver.data.ports().is_some() => Way::Storage,", "WorkingMode::Sms if deliver.data.ports().is_some_and(|ports| ports.to == 0) => Way::Storage,"),
    ("messages", "a message to a port is a command",
     "if let (true, None, Content::Text(text)) = (complete, ports, &content)", "if let (true, Content::Text(text)) = (complete, &content)"),
    ("texts", "a number that a repeat has used is given again",
     "(number, !self.is_known || number != counted)", "(counted, !self.is_known)"),
    ("texts", "the numbers used lately are forgotten at a restart",
     "if self.outbox.used().len() > 0 {", "if self.outbox.used().len() > 300 {"),
    ("texts", "a number that the disk does not have is taken for one of its own",
     "message.unsure |= failing && message.is_fresh;", ""),
    ("texts", "a try that failed leaves the modem's count as it was",
     "self.is_known &= !was_fresh || outcome.is_ok();", ""),
    ("texts", "a first try asks for copies to be refused",
     "Some((message.number, numbered(part, self.reference, false)))", "Some((message.number, numbered(part, self.reference, true)))"),
    ("texts", "the number that the modem tells is not heard",
     "(self.reference, self.is_known) = (reference, true);", "self.is_known = reference < 255;"),
    ("messages", "what is to be sent is not stored",
     "for message in self.outbox.messages() {", "for message in self.outbox.messages().skip(2) {"),
    ("messages", "the modem may forget a message before it is stored",
     "        self.mailbox.counters.turned_away += u64::from(!kept);", "        self.mailbox.counters.turned_away += u64::from(!kept);\n        self.message_is_safe(id);"),
    ("messages", "messages without room go unnoticed",
     "self.event(Event::MessageLost(MessageLoss::NoRoom(to)));", "let _ = MessageLoss::NoRoom(to);"),
    ("messages", "messages are printed in the command state",
     "LineState::Data if self.mode == WorkingMode::Sms => LineKind::Data,",
     "LineState::Data | LineState::Command if self.mode == WorkingMode::Sms => LineKind::Data,"),
    ("messages", "rings are printed into data",
     "        if self.line_state == LineState::Data {\n            self.unsolicited.clear();\n        }\n", ""),
    ("messages", "parts are printed as they come",
     ".and_then(Header::concat).filter(|concat| concat.total > 1);", ".and_then(Header::concat).filter(|concat| concat.total > 200);"),
    ("requests", "a frame is in the request target as it came",
     "        if escaped || may_stand(*byte) {", "        if escaped || *byte != b'#' {"),
    ("requests", "the next request does not wait for the answer to the last",
     "        if self.exchange.is_some() || self.cache.is_empty() {", "        if self.cache.is_empty() {"),
    ("requests", "a request that the server may have got is sent again",
     "            network && self.reused && down.acked <= self.begin", "            network && down.acked <= self.end"),
    ("requests", "a connection that the server closes carries another request",
     "        if self.spent || !exchange.lets_go_on() {", "        if self.spent {"),
    ("requests", "a server that says nothing is waited for all day",
     "            (true, None) => {\n                let next", "            (true, None) if !self.begun => None,\n            (true, None) => {\n                let next"),
    ("requests", "a request that a forgotten connection swallowed is lost",
     "self.sent && self.reused && !self.begun && acked <= self.begin", "self.sent && self.reused && !self.begun && acked > self.begin"),
    ("requests", "the filter is turned round",
     "                    if !self.filters {", "                    if self.filters {"),
    ("requests", "the spool has a byte less than the frame",
     "StoreOutput::SpoolAppend(QueueId::Httpd, seq, frame)", "StoreOutput::SpoolAppend(QueueId::Httpd, seq, frame.slice(1..))"),
    ("packets", "a packet with a wrong sum is good",
     "if should == is { Ok(body) }", "if should == is || is > 200 { Ok(body) }"),
    ("packets", "a packet goes by the connection of another destination",
     "position(|place| place.is_for(frame)) {", "position(|place| place.is_for(frame) || place.used_at == cx.now) {"),
    ("packets", "a full reply says OK to what was dropped",
     "        self.reply(packet, false);", "        self.reply(packet, true);"),
    ("serial_command", "behind a bad packet everything up to its end is passed over",
     "            Err(fault @ Fault::Sum { .. }) => bad(fault, MAGIC.len()),", "            Err(fault @ Fault::Sum { .. }) => bad(fault, whole),"),
    ("packets", "a packet that waits for a place loses its turn",
     "        self.lobby.push_back(id);", "        self.lobby.push_front(id);"),
    ("packets", "half a packet is joined with what comes a minute later",
     "const REST_PATIENCE: Duration = Duration::from_secs(1);", "const REST_PATIENCE: Duration = Duration::from_secs(60);"),
    ("dialogue", "a 1A at the end of a frame is stripped",
     "        (Typed::Text(frame), _) => Ok(Frame::Sent(Bytes::from(frame))),", "        (Typed::Text(mut frame), _) => {\n            if frame.last() == Some(&0x1A) {\n                frame.pop();\n            }\n            Ok(Frame::Sent(Bytes::from(frame)))\n        }"),
    ("dialogue", "SEND OK comes before the socket has it",
     "            self.at_connection.channel.send(payload, &mut self.outputs);", "            self.at_connection.channel.send(payload, &mut self.outputs);\n            self.send_ended(true);"),
    ("dialogue", "bytes of the peer are printed while a prompt waits",
     "                self.is_at_mode() && !self.answers_line() && !self.is_half_typed() && !self.port.holds_back()", "                self.is_at_mode()"),
    ("dialogue", "the end of a connection is not told",
     "        if down.reason != LinkDownReason::Ordered {\n            let code", "        if down.reason != LinkDownReason::Ordered && !down.was_up {\n            let code"),
    ("switches", "CIMOD is in force at once",
     "        match self.mode {\n            WorkingMode::Transparent => self.route_to_links(frame),", "        match self.config.mode {\n            WorkingMode::Transparent => self.route_to_links(frame),"),
    ("switches", "links work in the other modes, too",
     "                | WorkingMode::Sms => Some(WaitingFor::Mode),", "                | WorkingMode::Sms => None,"),
    ("switches", "the HTTPD client does not stop with its mode",
     "        self.settings = None;\n        self.retry_at = None;", "        self.retry_at = None;"),
    ("ends", "frames are spooled for a backup that has no spool",
     "other.cache.insert(entry.bytes, seq, sends, drop_it) && other.options.spool", "other.cache.insert(entry.bytes, seq, sends, drop_it) || other.options.spool"),
    ("ends", "a stop does not wait for connections",
     "        self.links.iter().any(Link::is_closing)\n            ||", "        self.links.iter().any(Link::is_closing)\n            &&"),
    ("ends", "what is being received when the device stops is lost",
     "        self.end_call();\n        self.flush_frame();", "        self.end_call();"),
    ("messages", "the modem is told twice of a message that it may forget",
     "        written || self.taken.contains(&id)", "        written || self.taken.contains(&id) || id > 0"),
    ("messages", "messages are told in spite of CNMI",
     "if what == \"+CDSI\" || self.config.messages.notify.messages != 0 {", "if what != \"+CDSI\" || self.config.messages.notify.messages != 0 {"),
    ("requests", "the HTTPD client never reads the line",
     "            WorkingMode::Httpd => self.httpd.pause(self.now),", "            WorkingMode::Httpd => Some(Pause::UntilRoom),"),
    ("window", "any letter before a t begins a command in the set-up window",
     "            State::Start if byte.eq_ignore_ascii_case(&b'a') => {", "            State::Start if byte != 0 => {"),
    ("liveness", "a lost link never comes back",
     "        self.state = State::Off;\n        self.rest(cx);", "        self.state = State::Idle(WaitingFor::Duty);"),
    ("liveness", "a pause is as long as the outage, which a world sees",
     "(now.since(since) / 2).min(longest)", "now.since(since).min(longest)"),
    ("liveness", "a link waits twice as long as it may, to the longest pause",
     "        rng.upper_half(limit).saturating_sub(spent)", "        (limit * 2).min(longest)"),
    ("requests", "the HTTPD client waits three times as long as it may",
     "self.retry_at = Some(cx.now + self.backoff.next(cx.now, self.options.backoff_max, cx.rng));",
     "self.retry_at = Some(cx.now + self.backoff.next(cx.now, self.options.backoff_max, cx.rng) * 3);"),
    ("packets", "destinations do not hear of backoff_max",
     "            spool: false,\n            expect_registration: None,",
     "            spool: false,\n            backoff_max: Duration::from_secs(600),\n            expect_registration: None,"),
    ("switches", "links wait three times as long as they may, where the mode changes",
     "State::Retry { at: cx.now + self.backoff.next(cx.now, self.options.backoff_max, cx.rng) }",
     "State::Retry {\n                at: cx.now + self.backoff.next(cx.now, self.options.backoff_max, cx.rng) * if self.port.is_destination() { 1 } else { 3 },\n            }"),
    ("liveness", "an attempt that hangs is left to the kernel, which a world sees",
     "        rng.upper_half(down.max(least).min(TRY_MOST))", "        TRY_MOST"),
    ("herd", "all come back in step",
     "        limit / 2 + self.up_to(limit / 2)", "        limit"),
    ("herd", "a pause is as long as the outage",
     "(now.since(since) / 2).min(longest)", "now.since(since).min(longest)"),
    ("herd", "good connections do not start the time anew",
     "good && age >= GOOD || up.heard && done", "up.heard && done"),
    ("herd", "an attempt that hangs is left to the kernel",
     "        rng.upper_half(down.max(least).min(TRY_MOST))", "        TRY_MOST"),
    ("herd", "an attempt that was given up is no part of the pause",
     "rng.upper_half(limit).saturating_sub(spent)", "rng.upper_half(limit).max(spent)"),
    ("herd", "an attempt that needed the kernel's repeats makes all later ones long",
     "took.min(usual.max(FIRST) * 2)", "took"),
    ("modem", "the storages are named by one value only",
     "if answer.failure().is_some() && !core::mem::replace(&mut self.mail.names_three, true) {",
     "if answer.is_ok() && !core::mem::replace(&mut self.mail.names_three, true) {"),
    ("modem", "PDU mode that was refused is not asked for again",
     "        self.agenda.later(now + pause(self.mail.mode_refused), Job::MessageMode);\n", ""),
    ("modem", "PDU mode is not asked for again after the PIN",
     "[Job::MessageService, Job::MessageMode, Job::Storages,", "[Job::MessageService, Job::Storages,"),
    ("modem", "PDU mode is not asked for again at SMS Ready",
     "if self.mail.mode_refused > 0 {", "if self.mail.mode_refused > 99 {"),
    ("modem", "silence counts as a yes to PDU mode",
     "        if !self.present {\n            self.identity.abilities.messages =", "        {\n            self.identity.abilities.messages ="),
    ("modem", "an OK to PDU mode is believed in front of a message",
     "PduMode::Taken => Job::IsPduMode,", "PduMode::Taken => return job,"),
    ("modem", "a modem in text mode sends",
     "Outcome::Ok if shown == Some(TEXT_MODE) =>", "Outcome::Ok if shown == Some(99) =>"),
    ("modem", "a text is not known by its head",
     "if announces && is_of_text_mode(line) {", "if announces && line.is_empty() && is_of_text_mode(line) {"),
    ("modem", "a message of a wrong length is taken, and deleted",
     ".ok().filter(|_| headed.fits)", ".ok().filter(|_| headed.fits || now > Instant::ZERO)"),
    ("modem", "a message is deleted before the device has it",
     "told_at: now, taken: false }", "told_at: now, taken: true }"),
    ("modem", "reports are never stored",
     "    \"AT+CNMI=2,1,0,2,0\",\n    \"AT+CNMI=2,1,0,1,1\",", "    \"AT+CNMI=2,1,0,1,0\",\n    \"AT+CNMI=2,1,0,1,1\","),
    ("modem", "CREG that shows 0 is a restart each time",
     "!core::mem::replace(&mut self.patience.doubted_watch, true)", "!self.patience.doubted_watch"),
    ("modem", "a registration that is not told is asked for as seldom as any",
     "let poll = if blind { BLIND_POLL } else", "let poll = if blind { REGISTRATION_POLL } else"),
    ("modem", "two refused messages reset the modem",
     "const MOST_REFUSED: u32 = 5;", "const MOST_REFUSED: u32 = 2;"),
    ("modem", "refusals of a moment reset the modem",
     "const REFUSED_LONG: Duration = Duration::from_secs(600);", "const REFUSED_LONG: Duration = Duration::from_secs(60);"),
    ("modem", "refused messages reset the modem again and again",
     "const BETWEEN_RESETS: Duration = Duration::from_secs(3600);", "const BETWEEN_RESETS: Duration = Duration::from_secs(60);"),
    ("modem", "a loop of starts does not back off",
     "        (pause(over), over == 0)", "        (pause(over.min(1)), over == 0)"),
    ("modem", "a device that comes and goes is started each time",
     "        self.alone_until = Some(now + pause(over));\n", ""),
    ("modem", "a refused question is asked as often as ever",
     "poll.max(pause(*refused))", "poll"),
    ("modem", "the PIN counts as unsent",
     "Self::Unsent => Self::Sent,", "Self::Unsent => Self::Unsent,"),
    ("modem", "an OK that opened nothing leaves a PIN as good as it was",
     "Self::SentAgain => Self::Sent,", "Self::SentAgain => Self::SentAgain,"),
    ("modem", "a PIN that was taken is not sent again when its answer was lost",
     "Self::SentAgain => matches!(tries, None | Some(ALL_TRIES..)),", "Self::SentAgain => false,"),
    ("modem", "a PIN of a modem without count is sent again and again",
     "Self::SentAgain if tries.is_none() => Self::SentTwice,", "Self::SentAgain if tries.is_none() => Self::SentAgain,"),
    ("modem", "a call being dialled is listed whatever that does",
     "ListEnds::Yes => true,", "ListEnds::Yes => false,"),
    ("modem", "what is missing is said at each question",
     "if self.lacks.said.insert(lack) {", "self.lacks.said.insert(lack);\n        {"),
]

# Rules of another core than the device's.
CORES = {"modem": "crates/modem-proto/src/", "sms_join": "crates/sms-codec/src/"}
# In which mode all worlds are (9: they go from mode to mode); those of the other rules are transparent or SMS.
# Timed scripts that guard what no world reaches: of which crate, and which of its modules (none: all tests).
SCRIPTS = {
    "delivery": ("dtu-proto", "delivery::"),
    "serial_command": ("dtu-proto", "serial_command::"),
    "sms_join": ("sms-codec", "join::"),
    "texts": ("dtu-proto", "messages::"),
    "modem": ("modem-proto", ""),
}
# Seconds; the worlds of an unbroken core take a twentieth of it.
HANGS_AFTER = 60
MODES = {"requests": "3", "packets": "1", "dialogue": "2", "switches": "9"}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seeds", default="1..120", help="seeds of each run (1..120)")
    arguments.add_argument("--only", default="", help="only mutations that have this text in rule or title")
    arguments.add_argument("--list", action="store_true", help="check that all apply, and run none")
    options = arguments.parse_args()
    chosen = [m for m in MUTANTS if options.only in f"{m[0]}: {m[1]}"]
    stale = [m for m in chosen if place(m, ROOT) is None]
    for mutant in stale:
        print(f"does not apply: {mutant[0]}: {mutant[1]}", file=sys.stderr)
    if stale:
        return 2
    if options.list:
        print(f"{len(chosen)} mutations apply")
        return 0
    copy_sources()
    rules = {m[0] for m in chosen}
    worlds = not rules or rules - SCRIPTS.keys()
    if worlds and not run(options.seeds)[0] or not all(run_scripts(*SCRIPTS[rule])[0] for rule in rules & SCRIPTS.keys()):
        print("worlds or scripts do not hold without any mutation", file=sys.stderr)
        return 2
    survived = [m for m in chosen if not try_mutant(m, options.seeds)]
    print(f"{len(chosen) - len(survived)} of {len(chosen)} caught")
    return 1 if survived else 0


def place(mutant, root):
    """The one file of the core that has the old text, or None."""
    files = [path for path in sorted((root / CORES.get(mutant[0], CORE)).rglob("*.rs")) if mutant[2] in path.read_text()]
    once = len(files) == 1 and files[0].read_text().count(mutant[2]) == 1
    return files[0] if once else None


def copy_sources():
    shutil.rmtree(SCRATCH / "crates", ignore_errors=True)
    SCRATCH.mkdir(parents=True, exist_ok=True)
    for name in ["Cargo.toml", "Cargo.lock", "clippy.toml"]:
        shutil.copy2(ROOT / name, SCRATCH / name)
    # Pages that tests compare.
    shutil.copytree(ROOT / "docs", SCRATCH / "docs", dirs_exist_ok=True)
    for crate in (ROOT / "crates").iterdir():
        shutil.copytree(crate, SCRATCH / "crates" / crate.name, copy_function=shutil.copy)  # new times: cargo must rebuild


def try_mutant(mutant, seeds):
    rule, title, old, new = mutant
    path = place(mutant, SCRATCH)
    original = path.read_text()
    path.write_text(original.replace(old, new))
    try:
        held, seen = run_scripts(*SCRIPTS[rule]) if rule in SCRIPTS else run(seeds, MODES.get(rule, "0"), herd=rule == "herd")
    finally:
        path.write_text(original)
    print(f"{'survived' if held else 'caught'}: {rule}: {title}{'' if held else ' -> ' + seen}", flush=True)
    return not held


def run_scripts(crate, module):
    """Whether the timed scripts of that module hold, for rules that no world reaches; and which broke first."""
    which = ["--test", "it", module] if module else ["--lib", "--test", "it"]
    tests = ["cargo", "test", "--quiet", "--offline", "--no-fail-fast", "-p", crate, *which]
    environment = dict(os.environ, CARGO_TARGET_DIR=str(SCRATCH / "target"))
    done = subprocess.run(tests, cwd=SCRATCH, env=environment, capture_output=True, text=True)
    broken = re.findall(r"thread '([\w:]+)'.* panicked", done.stdout + done.stderr)
    if done.returncode != 0 and not broken:
        sys.exit("a mutation does not compile:\n" + done.stderr[-3000:])
    return done.returncode == 0, f"{len(broken)} scripts, {broken[0]}" if broken else ""


def run(seeds, mode=None, herd=True):
    """Whether all worlds (and the herd) hold, and which rule was broken first."""
    forced = ["--mode", mode] if mode else []
    environment = dict(
        os.environ,
        CARGO_TARGET_DIR=str(SCRATCH / "target"),
        CARGO_PROFILE_RELEASE_LTO="off",
        CARGO_PROFILE_RELEASE_OPT_LEVEL="1",
        CARGO_PROFILE_RELEASE_CODEGEN_UNITS="64",
        # Each mutation changes one line.
        CARGO_INCREMENTAL="1",
    )
    build = ["cargo", "build", "--quiet", "--offline", "--release", "-p", "dtu-sim"]
    done = subprocess.run(build, cwd=SCRATCH, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit("a mutation does not compile:\n" + done.stderr[-3000:])
    program = SCRATCH / "target" / "release" / "dtu-sim"
    for arguments in ([["herd"]] if herd else []) + [["world", "--seeds", seeds, *forced]]:
        try:
            done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=HANGS_AFTER)
        except subprocess.TimeoutExpired:
            return False, "it hangs"
        if done.returncode != 0:
            lines = (done.stderr + done.stdout).strip().splitlines()
            named = [line for line in lines if re.match(r"seed \d+ at |herd: ", line)]
            return False, (named or lines or ["?"])[-1][:150]
    return True, ""


if __name__ == "__main__":
    sys.exit(main())
