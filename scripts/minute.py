#!/usr/bin/env python3
"""Plays the minute of both READMEs: its settings file, a server that goes away and comes back, `+++` typed by hand.

    scripts/minute.py target/debug/dtud
"""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import tty
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOON = 20


def settings(readme, port):
    text = re.search(r"`minute.toml`:\n\n```toml\n(.*?)```", (ROOT / readme).read_text(), re.S).group(1)
    assert ",9000,1" in text, text
    return text.replace(",9000,1", f",{port},1")


def wait_for(what, wanted, read):
    got, end = b"", time.monotonic() + SOON
    while wanted not in got:
        assert time.monotonic() < end, f"{what}: {wanted!r} did not come, but {got!r}"
        got += read()
    return got


def listen(port=0):
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", port))
    server.listen()
    server.settimeout(SOON)
    return server


def accept(server):
    link, _ = server.accept()
    link.settimeout(SOON)
    return link, lambda: link.recv(4096)


def play(line, server):
    link, read = accept(server)
    wait_for("the registration packet", b"DTU0001", read)
    wait_for("a heartbeat", b"HB", read)
    os.write(line, b"hello\r\n")
    wait_for("what was typed", b"hello\r\n", read)
    link.sendall(b"answer\r\n")
    wait_for("the answer", b"answer\r\n", lambda: os.read(line, 4096))

    port = server.getsockname()[1]
    server.close()
    link.shutdown(socket.SHUT_WR)
    while link.recv(4096):
        pass
    link.close()
    lines = [b"line %d of the outage\r\n" % number for number in range(5)]
    for text in lines:
        os.write(line, text)
        time.sleep(0.3)  # as somebody types: frames of their own
    server = listen(port)
    link, read = accept(server)
    came = wait_for("the last line", lines[-1], read)
    assert came == b"DTU0001" + b"".join(lines), came

    time.sleep(0.5)
    for _ in range(3):
        os.write(line, b"+")
        time.sleep(0.15)  # fingers
    wait_for("the offer", b"a", lambda: os.read(line, 4096))
    os.write(line, b"a")
    wait_for("the command state", b"+ok", lambda: os.read(line, 4096))
    os.write(line, b"AT+CISTAT\r\n")
    state = wait_for("the counters", b"\r\nOK\r\n", lambda: os.read(line, 4096))
    assert re.search(rb"CISTAT:1,state=CONNECTED,.*,dropped=0,", state), state


def minute(dtud, readme):
    with tempfile.TemporaryDirectory() as folder:
        server = listen()
        Path(folder, "minute.toml").write_text(settings(readme, server.getsockname()[1]))
        command = [dtud, "--settings", "minute.toml"]
        environment = dict(os.environ, XDG_STATE_HOME=folder)
        device = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE)
        try:
            assert device.stdout.readline().startswith(b"ready serial="), "the device is not ready"
            line = os.open(Path(folder, "dtu0"), os.O_RDWR | os.O_NOCTTY)
            tty.setraw(line)
            play(line, server)
        finally:
            device.terminate()
        assert device.wait(SOON) == 0, "the device did not stop cleanly"
    print(f"the minute of {readme}: registration packet, heartbeat, an outage without loss, +++ by hand")


minute(Path(sys.argv[1]).resolve(), "README.md")
minute(Path(sys.argv[1]).resolve(), "README.zh-CN.md")
