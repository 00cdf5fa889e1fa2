//! As much Modbus RTU as reading holding registers takes (Modbus Application Protocol 1.1b3, 6.3).

/// "Read holding registers 0..=5 of slave 1".
pub(super) fn request() -> Vec<u8> {
    sealed(vec![SLAVE, READ_HOLDING, 0, 0, 0, REGISTERS as u8])
}

/// Length of every request that the meter understands.
pub(super) const REQUEST: usize = 8;
/// Length of the answer to [`request`].
pub(super) const ANSWER: usize = 5 + 2 * REGISTERS;
/// Registers that the meter has.
pub(super) const REGISTERS: usize = 6;

/// The meter's answer; `None` where a slave keeps silent (other address, bad sum).
pub(super) fn answer(request: &[u8], registers: [u16; REGISTERS]) -> Option<Vec<u8>> {
    let [slave, function, first_high, first_low, count_high, count_low, ..] = *request else { return None };
    if request.len() != REQUEST || crc(request) != 0 || slave != SLAVE {
        return None;
    }
    let exception = |code| Some(sealed(vec![SLAVE, function | 0x80, code]));
    if function != READ_HOLDING {
        return exception(1);
    }
    let first = usize::from(u16::from_be_bytes([first_high, first_low]));
    let count = usize::from(u16::from_be_bytes([count_high, count_low]));
    match registers.get(first..first.saturating_add(count)) {
        Some(values) if count > 0 => {
            let mut answer = vec![SLAVE, READ_HOLDING, (2 * count) as u8];
            answer.extend(values.iter().flat_map(|value| value.to_be_bytes()));
            Some(sealed(answer))
        }
        Some(_) | None => exception(2),
    }
}

/// The registers in an answer; `None` where it is damaged or an exception.
pub(super) fn registers(answer: &[u8]) -> Option<[u16; REGISTERS]> {
    if answer.len() != ANSWER || crc(answer) != 0 || answer.get(..3) != Some(&[SLAVE, READ_HOLDING, 12]) {
        return None;
    }
    let mut values = [0; REGISTERS];
    for (value, bytes) in values.iter_mut().zip(answer.get(3..)?.chunks_exact(2)) {
        *value = u16::from_be_bytes([*bytes.first()?, *bytes.get(1)?]);
    }
    Some(values)
}

fn sealed(mut frame: Vec<u8>) -> Vec<u8> {
    let sum = crc(&frame);
    frame.extend(sum.to_le_bytes());
    frame
}

/// CRC-16/MODBUS; zero over a frame with its sum.
fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |sum, byte| {
        (0..8)
            .fold(sum ^ u16::from(*byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xa001 } else { sum >> 1 })
    })
}

const SLAVE: u8 = 1;
const READ_HOLDING: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_that_of_the_specification() {
        // The check value of CRC-16/MODBUS.
        assert_eq!(crc(b"123456789"), 0x4b37);
    }

    #[test]
    fn what_the_meter_answers_the_center_reads() {
        let values = [2301, 512, 1178, 5000, 0, 65535];
        let answer = answer(&request(), values).unwrap();
        assert_eq!(answer.len(), ANSWER);
        assert_eq!(registers(&answer), Some(values));
    }

    #[test]
    fn damage_is_seen_on_both_ways() {
        let mut question = request();
        question[3] ^= 1;
        assert_eq!(answer(&question, [0; REGISTERS]), None);
        let mut reply = answer(&request(), [7; REGISTERS]).unwrap();
        reply[5] ^= 0x40;
        assert_eq!(registers(&reply), None);
    }

    #[test]
    fn a_register_that_is_not_there_is_an_exception() {
        let question = sealed(vec![SLAVE, READ_HOLDING, 0, 6, 0, 1]);
        assert_eq!(answer(&question, [0; REGISTERS]).unwrap().get(..3), Some(&[1, 0x83, 2][..]));
    }
}
