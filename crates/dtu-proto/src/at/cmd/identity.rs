//! Who the device is.

use alloc::format;
use alloc::string::ToString;

use super::super::call::Call;
use super::super::param::{Kind, Param};
use super::super::reply::Code;
use super::super::table::Command;
use super::Done;

pub(in super::super) const COMMANDS: &[Command] = &[
    Command::new(
        "I",
        "V.250 6.1.3",
        "Model and version",
        &[Param::new("PAGE", Kind::Number { min: 0, max: 9 }, "without effect").left_off_is("0")],
    )
    .asks(page),
    Command::new("+CGMI", "27.007 5.1", "Maker", &[]).asks(maker),
    Command::new("+CGMM", "27.007 5.2", "Model", &[]).asks(model),
    Command::new("+CGMR", "27.007 5.3", "Version", &[]).asks(revision),
    Command::new("+GMI", "V.250 6.1.4", "Maker", &[]).asks(maker),
    Command::new("+GMM", "V.250 6.1.5", "Model", &[]).asks(model),
    Command::new("+GMR", "V.250 6.1.6", "Version", &[]).asks(revision),
    Command::new("+CGSN", "2.8.6.2", "Serial number of the modem (IMEI)", &[]).asks(imei),
    Command::new("+CIMI", "2.8.6.3", "Subscriber number of the SIM (IMSI)", &[]).asks(imsi),
    Command::new("+CIVER", "2.8.6.49", "Version", &[]).reads(version),
];

fn page(call: &mut Call<'_, '_>) -> Done {
    call.say(MODEL.to_string());
    call.say(format!("Revision: {}", call.ctx.identity.version));
    Ok(())
}

fn maker(call: &mut Call<'_, '_>) -> Done {
    call.say(MAKER.to_string());
    Ok(())
}

fn model(call: &mut Call<'_, '_>) -> Done {
    call.say(MODEL.to_string());
    Ok(())
}

fn revision(call: &mut Call<'_, '_>) -> Done {
    call.say(call.ctx.identity.version.clone());
    Ok(())
}

fn version(call: &mut Call<'_, '_>) -> Done {
    call.say(format!("+CIVER:{}", call.ctx.identity.version));
    Ok(())
}

fn imei(call: &mut Call<'_, '_>) -> Done {
    if call.ctx.identity.imei.is_empty() {
        return Err(call.refuse(Code::NotAllowed, "there is no modem"));
    }
    call.say(call.ctx.identity.imei.clone());
    Ok(())
}

fn imsi(call: &mut Call<'_, '_>) -> Done {
    if call.ctx.identity.imsi.is_empty() {
        return Err(call.refuse(Code::NoSim, "there is no SIM"));
    }
    call.say(call.ctx.identity.imsi.clone());
    Ok(())
}

const MAKER: &str = "Software DTU";
const MODEL: &str = "GPRS232-DTU";
