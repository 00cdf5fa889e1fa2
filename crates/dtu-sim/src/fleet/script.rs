//! What equipment says, step by step, and what the server is expected to answer to each.

use std::sync::Arc;

use super::template::{Template, Who};

/// Bytes of the server that are kept while an answer is looked for in them; more than the longest answer.
const HEARD_MAX: usize = 4096;

/// One frame, and the bytes that must occur in what comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is sent.
    pub send: Template,
    /// What is expected.
    pub expect: Template,
}

/// The steps; behind the last comes the first again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    steps: Arc<[Step]>,
}

impl Script {
    /// Of these steps; `None` where there are none.
    #[must_use]
    pub fn new(steps: Vec<Step>) -> Option<Self> {
        (!steps.is_empty()).then(|| Self {
            steps: steps.into(),
        })
    }

    fn step(&self, number: u32) -> Option<&Step> {
        self.steps.get(number as usize % self.steps.len().max(1))
    }

    pub(super) fn frame(&self, device: u32, number: u32) -> Vec<u8> {
        let render = |step: &Step| step.send.render_numbered(Who(device), number);
        self.step(number).map(render).unwrap_or_default()
    }

    pub(super) fn answer(&self, device: u32, number: u32) -> Vec<u8> {
        let render = |step: &Step| step.expect.render_numbered(Who(device), number);
        self.step(number).map(render).unwrap_or_default()
    }

    pub(super) fn longest(&self) -> usize {
        // Placeholders are longest with the largest numbers.
        let all = self.steps.iter();
        all.map(|step| step.send.render_numbered(Who(u32::MAX), u32::MAX).len())
            .max()
            .unwrap_or(1)
    }

    /// Looks for the first answer to one of these frames in what was heard, and takes it out with all that is before it.
    /// Says which frame it was of, and how many bytes before it were no answer.
    pub(super) fn find(
        &self,
        device: u32,
        frames: impl Iterator<Item = u32>,
        heard: &mut Vec<u8>,
    ) -> Option<(u32, usize)> {
        first_of(frames, |number| self.answer(device, number), heard)
    }

    /// The same for the frames themselves: what a server does.
    pub(super) fn find_frame(
        &self,
        device: u32,
        frames: impl Iterator<Item = u32>,
        heard: &mut Vec<u8>,
    ) -> Option<(u32, usize)> {
        first_of(frames, |number| self.frame(device, number), heard)
    }

    /// Forgets what is too old to belong to an answer; says how many bytes that were.
    pub(super) fn forget(heard: &mut Vec<u8>) -> usize {
        let surplus = heard.len().saturating_sub(HEARD_MAX);
        heard.drain(..surplus);
        surplus
    }
}

fn first_of(
    numbers: impl Iterator<Item = u32>,
    bytes: impl Fn(u32) -> Vec<u8>,
    heard: &mut Vec<u8>,
) -> Option<(u32, usize)> {
    let found = numbers.filter_map(|number| {
        let wanted = bytes(number);
        let at = heard
            .windows(wanted.len().max(1))
            .position(|part| part == wanted)?;
        Some((at, number, wanted.len()))
    });
    let (at, number, length) = found.min()?;
    heard.drain(..at + length);
    Some((number, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(steps: &[(&str, &str)]) -> Script {
        let template = |text: &str| Template::parse_numbered(text).unwrap();
        let steps = steps.iter().map(|(send, expect)| Step {
            send: template(send),
            expect: template(expect),
        });
        Script::new(steps.collect()).unwrap()
    }

    #[test]
    fn steps_come_in_their_order_and_again() {
        let script = script(&[
            ("HELLO {id}", "OK"),
            ("READ {number}\\n", "VALUE {number};"),
        ]);
        assert_eq!(script.frame(0, 0), b"HELLO 00000001");
        assert_eq!(script.frame(0, 3), b"READ 3\n");
        assert_eq!(script.frame(0, 2), script.frame(0, 0));
        assert_eq!(Script::new(Vec::new()), None);
    }

    #[test]
    fn the_first_answer_is_found_whatever_is_before_it() {
        let script = script(&[("A", "OK"), ("B", "VALUE {number};")]);
        let mut heard = b"welcome VALUE 1; OK".to_vec();
        assert_eq!(
            script.find(0, [0, 1, 2].into_iter(), &mut heard),
            Some((1, 8))
        );
        // Two frames expect the same: it answers the older one.
        assert_eq!(script.find(0, [0, 2].into_iter(), &mut heard), Some((0, 1)));
        assert_eq!(
            (script.find(0, [2].into_iter(), &mut heard), heard.len()),
            (None, 0)
        );
        let mut much = vec![b'x'; HEARD_MAX + 7];
        assert_eq!((Script::forget(&mut much), much.len()), (7, HEARD_MAX));
    }
}
