//! Calls in any order of happenings.

use super::*;

/// What can happen around a call.
#[derive(Clone, Debug)]
enum Step {
    Command(&'static str),
    News(CallNews),
    Modem(bool),
    Wait(u64),
    Escape,
}

fn step() -> impl Strategy<Value = Step> {
    let commands = [
        "ATD10086;",
        "ATD10010;D10086;",
        "ATDL",
        "ATA",
        "ATH",
        "AT+CHUP",
        "ATS0=0",
        "ATS0=1",
        "ATS0=2",
        "AT+CIRINGSTA=1",
        "AT+CIRINGSTA=0",
        "AT+ENTM",
        "AT+CIRESET",
        "ATW",
    ];
    let news = [
        CallNews::Incoming { from: None },
        CallNews::Incoming {
            from: PhoneNumber::new("10086"),
        },
        CallNews::Alerting,
        CallNews::Answered,
        CallNews::Ended(CallEnd::HungUp),
        CallNews::Ended(CallEnd::Busy),
        CallNews::Ended(CallEnd::NoAnswer),
        CallNews::Ended(CallEnd::NoCarrier),
    ];
    prop_oneof![
        4 => prop::sample::select(commands.to_vec()).prop_map(Step::Command),
        4 => prop::sample::select(news.to_vec()).prop_map(Step::News),
        1 => any::<bool>().prop_map(Step::Modem),
        2 => prop::sample::select([1, 299, 300, 4999, 5000, 10_000, 30_000, 200_000].to_vec()).prop_map(Step::Wait),
        1 => Just(Step::Escape),
    ]
}

fn take(dev: &mut Bench, step: &Step) {
    match step {
        Step::Command(line) => drop(dev.serial(format!("{line}\r"))),
        Step::News(news) => call(dev, *news),
        Step::Modem(true) => tell(dev, modem()),
        Step::Modem(false) => tell(dev, ModemInput::Gone),
        Step::Wait(millis) => drop(dev.wait(*millis)),
        Step::Escape => drop(dev.wait(300).serial("+++").wait(21).serial("a").wait(21)),
    }
}

/// The modem's side: what the orders and news say about its call.
#[derive(Debug, Default)]
struct Line {
    open: bool,
    rings: bool,
}

impl Line {
    fn step(&mut self, step: &Step) {
        match step {
            Step::News(news) => {
                self.open = !matches!(news, CallNews::Ended(_));
                self.rings = match news {
                    CallNews::Incoming { .. } => true,
                    CallNews::Alerting => self.rings,
                    CallNews::Answered | CallNews::Ended(_) => false,
                };
            }
            Step::Modem(_) => *self = Self::default(),
            Step::Command(_) | Step::Wait(_) | Step::Escape => {}
        }
    }

    /// Whether the order fits what the modem is doing.
    fn takes(&mut self, order: &ModemOutput) -> bool {
        match order {
            ModemOutput::Dial(_) => !std::mem::replace(&mut self.open, true),
            ModemOutput::Answer => std::mem::take(&mut self.rings) && self.open,
            ModemOutput::HangUp => {
                self.rings = false;
                self.open
            }
            ModemOutput::Reset
            | ModemOutput::UseApn(_)
            | ModemOutput::Submit { .. }
            | ModemOutput::Taken(_) => true,
        }
    }
}

/// Waits in pieces, in each of which one deadline of a call passes at most.
fn pieces(step: Step) -> Vec<Step> {
    let Step::Wait(millis) = step else {
        return vec![step];
    };
    let piece = |from: u64| Step::Wait((millis - from).min(4000));
    (0..millis).step_by(4000).map(piece).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_there_is_one_call_and_every_wait_ends(
        steps in prop::collection::vec(step(), 1..60),
        transparent in any::<bool>(),
    ) {
        let mut dev = if transparent { field() } else { desk() };
        let mut line = Line::default();
        let mut unconfirmed = 0;
        for step in steps.into_iter().flat_map(pieces) {
            line.step(&step);
            take(&mut dev, &step);
            let status = dev.dtu.status(dev.now).call;
            line.open &= std::mem::replace(&mut unconfirmed, status.counters.unconfirmed) == unconfirmed;
            for order in ordered(&mut dev) {
                prop_assert!(line.takes(&order), "{:?} after {:?}, {:?}", order, step, line);
            }
            let waits = status.current.is_some_and(|call| call.state != CallState::Active);
            let deadline = dev.dtu.poll_timeout().map(|deadline| deadline.at);
            prop_assert!(!waits || deadline.is_some_and(|at| at <= dev.now + Duration::from_secs(180)));
        }
        dev.wait(400_000);
        let call = dev.dtu.status(dev.now).call.current;
        prop_assert!(call.is_none_or(|call| call.state == CallState::Active), "{:?}", call);
        // Whatever was before, a call works.
        tell(&mut dev, ModemInput::Gone);
        tell(&mut dev, modem());
        tell(&mut dev, ModemInput::Registration(Registration::Home));
        dev.input(Input::Console("AT+CIRINGSTA=0;S0=0")).wait(1000);
        let state = |dev: &Bench| dev.dtu.status(dev.now).call.current.map(|call| call.state);
        prop_assert_eq!(state(&dev), None);
        incoming(&mut dev);
        prop_assert_eq!(state(&dev), Some(CallState::Incoming));
        self::call(&mut dev, CallNews::Answered);
        prop_assert_eq!(state(&dev), Some(CallState::Active));
        self::call(&mut dev, CallNews::Ended(CallEnd::HungUp));
        prop_assert_eq!(state(&dev), None);
    }
}
