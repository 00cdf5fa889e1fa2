#!/usr/bin/env python3
"""Frames over an upgrade of the package, for scripts/package-test.sh.

`before STATE` lets the installed device take frames for a server that is away, and kills it. `after STATE` starts the
device that is installed now, with that state and a server, and looks whether each frame comes, once.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

PORT = 47101
FRAMES = [b"reading %d" % number for number in range(20)]
SETTINGS = "/etc/dtud.toml"
PATIENCE = 30


def start(state, folder, *more):
    line = os.path.join(folder, "dtu0")
    command = ["/usr/bin/dtud", "--state", state, "--settings", SETTINGS, "--serial", f"pty:{line}", "--modem", "none", *more]
    device = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    ready = device.stdout.readline()
    if not ready.startswith("ready serial="):
        sys.exit(f"the device is not ready: {ready!r}")
    return device, line


def waiting(state):
    text = subprocess.run(["/usr/bin/dtud", "status", "--state", state, "--json"], capture_output=True, text=True, check=True).stdout
    return json.loads(text)["links"][0]["waiting_frames"]


def before(state, folder):
    device, line = start(state, folder, "--at", f'CIPSCONT=1,"TCP","127.0.0.1",{PORT},1', "--at", "CIPCFG=1,30,0,10,10,1800", "--at", "ATW")
    with open(line, "r+b", buffering=0) as dte:
        for number, frame in enumerate(FRAMES, 1):
            dte.write(frame)
            until(lambda: waiting(state) == number, f"frame {number} waits")
    # Once a second what waits is made durable (`spool_sync`); a kill alone loses nothing of what is written.
    device.send_signal(signal.SIGKILL)
    device.wait()


def after(state, folder):
    with socket.create_server(("127.0.0.1", PORT)) as server:
        server.settimeout(PATIENCE)
        device, _ = start(state, folder)
        peer, _ = server.accept()
        peer.settimeout(PATIENCE)
        wanted, got = b"".join(FRAMES), b""
        while len(got) < len(wanted):
            piece = peer.recv(4096)
            if not piece:
                break
            got += piece
        device.send_signal(signal.SIGTERM)
        device.wait(PATIENCE)
        got += peer.recv(4096)
    if got != wanted:
        sys.exit(f"behind the upgrade came {got!r}, not {wanted!r}")


def until(is_so, what):
    end = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > end:
            sys.exit(f"it never came to this: {what}")
        time.sleep(0.02)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        {"before": before, "after": after}[sys.argv[1]](sys.argv[2], folder)
