"""One running dtud: its folder, its line, its log; ended and cleaned up whatever happens."""

import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HOST = "127.0.0.1"
SOON = 20.0


def free_port():
    """A port that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def tcp_link(number, port, host=HOST):
    """The AT command that points a link to a server."""
    return f'CIPSCONT={number},"TCP","{host}",{port},1'


class Device:
    """A dtud of its own folder. `inside` is a command in front, such as `ip netns exec NAME`."""

    def __init__(self, binary, at=(), settings="", state=None, inside=()):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dtud-measure-"))
        self.state = self.folder / "state"
        if state is not None:
            shutil.copytree(state, self.state)
        (self.folder / "settings.toml").write_text(settings)
        self.log_path = self.folder / "log"
        command = [*inside, str(binary), "--modem", "none", "--console", "off", "--setup-window", "0",
                   "--serial", f"pty:{self.folder / 'line'}", "--state", str(self.state),
                   "--settings", str(self.folder / "settings.toml")]
        for line in at:
            command += ["--at", line]
        begin = time.monotonic()
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        try:
            self._await_ready()
        except Exception:
            self.close()
            raise
        self.ready_after = time.monotonic() - begin

    def _await_ready(self):
        readable, _, _ = select.select([self.process.stdout], [], [], SOON)
        first = self.process.stdout.readline().decode() if readable else ""
        if not first.startswith("ready "):
            raise RuntimeError(f"dtud did not start: {first!r}, log: {self.log()}")

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        return self.log_path.read_text(errors="replace")

    def line(self):
        return Line(self.folder / "line")

    def kill(self):
        """kill -9, as a crash."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def close(self):
        if self.process.poll() is None:
            self.kill()
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def statistics(self, link=1):
        """The figures of a link in AT+CISTAT, asked on the serial line: name -> number."""
        line = self.line()
        try:
            return line.statistics(link)
        finally:
            line.close()


class Line:
    """The DTE's end of the pty."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY)

    def close(self):
        os.close(self.fd)

    def send(self, data):
        """Blocks while the device does not read."""
        view = memoryview(data)
        while view:
            view = view[os.write(self.fd, view):]

    def read_until(self, end, seconds=SOON):
        got, deadline = b"", time.monotonic() + seconds
        while end not in got:
            readable, _, _ = select.select([self.fd], [], [], max(0, deadline - time.monotonic()))
            if not readable:
                raise TimeoutError(f"no {end!r} on the line, only {got!r}")
            got += os.read(self.fd, 4096)
        return got

    def statistics(self, link):
        time.sleep(0.4)
        self.send(b"+++")
        self.read_until(b"a")
        self.send(b"a")
        self.read_until(b"+ok\r\n")
        self.send(b"AT+CISTAT\r")
        reply = self.read_until(b"\r\nOK\r\n").decode(errors="replace")
        self.send(b"AT+ENTM\r")
        self.read_until(b"OK\r\n")
        text = next(line for line in reply.splitlines() if line.startswith(f"+CISTAT:{link},"))
        return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", text)}


def wait_for(what, condition, seconds=SOON):
    """Polls: for news that no file descriptor brings."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {what} within {seconds:.0f} s")
        time.sleep(0.02)
    return result
