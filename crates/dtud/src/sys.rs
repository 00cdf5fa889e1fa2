//! The few system calls that no safe wrapper offers.

use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

pub(crate) use link_socket::unsent;

/// How long the peer of a TCP connection takes to acknowledge, as the kernel smooths it.
pub(crate) fn round_trip(fd: impl AsFd) -> Option<Duration> {
    // SAFETY: any bytes are a valid tcp_info, zero ones as well.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    let mut len = size_of_val(&info) as libc::socklen_t;
    // SAFETY: TCP_INFO stores at most `len` bytes through the first pointer and their number through the second; both are
    // valid for the call.
    let answer = unsafe {
        libc::getsockopt(
            fd.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut info).cast(),
            &raw mut len,
        )
    };
    let micros = Duration::from_micros(info.tcpi_rtt.into());
    (answer == 0 && !micros.is_zero()).then_some(micros)
}

/// Datagrams that this socket had no room for, as the kernel counts them (`sk_drops`, which `SO_RXQ_OVFL` also shows).
pub(crate) fn dropped_datagrams(fd: impl AsFd) -> io::Result<u32> {
    // linux/sock_diag.h: SK_MEMINFO_DROPS is the last of nine.
    const SK_MEMINFO_VARS: usize = 9;
    let mut figures = [0_u32; SK_MEMINFO_VARS];
    let mut len = size_of_val(&figures) as libc::socklen_t;
    // SAFETY: SO_MEMINFO stores at most `len` bytes through the first pointer and their number through the second; both
    // are valid for the call, and any bytes are valid as u32.
    let answer = unsafe {
        libc::getsockopt(
            fd.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            figures.as_mut_ptr().cast(),
            &raw mut len,
        )
    };
    if answer == 0 {
        Ok(figures[SK_MEMINFO_VARS - 1])
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Whether the shift register of a UART is empty; an error where the driver cannot tell.
pub(crate) fn transmitter_empty(fd: impl AsFd) -> io::Result<bool> {
    const TIOCSER_TEMT: libc::c_uint = 1;
    let mut line: libc::c_uint = 0;
    // SAFETY: TIOCSERGETLSR stores one unsigned int through the pointer, which is valid for the call.
    let answer = unsafe { libc::ioctl(fd.as_fd().as_raw_fd(), libc::TIOCSERGETLSR, &raw mut line) };
    if answer == 0 {
        Ok(line & TIOCSER_TEMT != 0)
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Lets the driver switch the direction of an RS-485 transceiver with RTS.
pub(crate) fn enable_rs485(fd: impl AsFd) -> io::Result<()> {
    const SER_RS485_ENABLED: u32 = 1;
    const SER_RS485_RTS_ON_SEND: u32 = 1 << 1;
    // `struct serial_rs485` of linux/serial.h: flags, two delays in ms, five words of padding.
    let mut setting: [u32; 8] = [
        SER_RS485_ENABLED | SER_RS485_RTS_ON_SEND,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
    ];
    // SAFETY: TIOCSRS485 reads one serial_rs485, 32 bytes, and writes what the driver made of it to the same place; the
    // pointer is valid for both for the call.
    let answer = unsafe {
        libc::ioctl(
            fd.as_fd().as_raw_fd(),
            libc::TIOCSRS485,
            setting.as_mut_ptr(),
        )
    };
    if answer < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Runs `edit` over the arguments of this process as `/proc/PID/cmdline` shows them, where they can be found. What it
/// writes stands there from now on, and in what `std::env::args` gives.
///
/// Only for the start of the program: nobody may look at the arguments meanwhile.
pub(crate) fn edit_arguments(edit: impl FnOnce(&mut [u8])) {
    let Some((start, end)) = argument_range() else {
        return;
    };
    let shown = std::env::args_os()
        .flat_map(|arg| [arg.as_encoded_bytes(), &[0]].concat())
        .collect::<Vec<u8>>();
    if end.checked_sub(start) != Some(shown.len()) {
        return;
    }
    // SAFETY: the kernel names this range as that of the arguments of this process. It laid them out in the writable
    // memory of the stack, where they stay, and its length is that of the arguments as the standard library knows them.
    // No reference to them is kept by the standard library, which copies them, and no other thread runs yet.
    let arguments = unsafe { std::slice::from_raw_parts_mut(start as *mut u8, shown.len()) };
    if arguments == shown {
        edit(arguments);
    }
}

/// The addresses `arg_start` and `arg_end` of proc(5).
fn argument_range() -> Option<(usize, usize)> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the name, which may hold anything, comes field 3.
    let mut fields = stat
        .get(stat.rfind(')')? + 1..)?
        .split_ascii_whitespace()
        .skip(48 - 3);
    let (start, end) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    (start != 0).then_some((start, end))
}

/// Unmaps the pages of a mapping that is as its file has it, and that nobody may write; what is used again comes back
/// from there.
pub(crate) fn give_back_file_pages(range: &Range<usize>) -> io::Result<()> {
    // SAFETY: MADV_DONTNEED changes no byte that anybody sees: the caller names a private mapping of the program's own
    // file, which stays mapped as long as the program runs, and of which no page differs from the file.
    let answer = unsafe {
        libc::madvise(
            range.start as *mut libc::c_void,
            range.len(),
            libc::MADV_DONTNEED,
        )
    };
    if answer == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Characters that the driver of a tty has lost since it was opened, for want of room or of time.
pub(crate) fn overruns(fd: impl AsFd) -> io::Result<u32> {
    // `struct serial_icounter_struct` of linux/serial.h: eleven counters, nine words to come.
    const OVERRUN: usize = 7;
    const BUF_OVERRUN: usize = 10;
    let mut counters: [libc::c_int; 20] = [0; 20];
    // SAFETY: TIOCGICOUNT stores one serial_icounter_struct, 20 ints, through the pointer, which is valid for the call.
    let answer = unsafe {
        libc::ioctl(
            fd.as_fd().as_raw_fd(),
            libc::TIOCGICOUNT,
            counters.as_mut_ptr(),
        )
    };
    if answer < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(counters[OVERRUN]
        .cast_unsigned()
        .wrapping_add(counters[BUF_OVERRUN].cast_unsigned()))
}

/// The number of a group of this machine.
pub(crate) fn group_id(name: &str) -> Option<u32> {
    let name = std::ffi::CString::new(name).ok()?;
    let mut buf = vec![0; 16 * 1024];
    let mut entry = std::mem::MaybeUninit::<libc::group>::uninit();
    let mut found = std::ptr::null_mut();
    // SAFETY: the name ends with 0, the entry and its buffer of this length are writable, and all outlive the call.
    let answer = unsafe {
        libc::getgrnam_r(
            name.as_ptr(),
            entry.as_mut_ptr(),
            buf.as_mut_ptr(),
            buf.len(),
            &raw mut found,
        )
    };
    // SAFETY: where it succeeds and finds something, `found` points at the entry, which is whole then.
    (answer == 0 && !found.is_null()).then(|| unsafe { (*found).gr_gid })
}

/// Whether a tty is open for one program alone (`TIOCEXCL`).
pub(crate) fn is_exclusive(fd: impl AsFd) -> bool {
    let mut exclusive: libc::c_int = 0;
    // SAFETY: TIOCGEXCL stores one int through the pointer, which is valid for the call.
    let answer =
        unsafe { libc::ioctl(fd.as_fd().as_raw_fd(), libc::TIOCGEXCL, &raw mut exclusive) };
    answer == 0 && exclusive != 0
}
