#!/usr/bin/env python3
"""What the console does at its borders, with the program itself: behind nginx below a path, with a reader that is gone
without a word, with guesses of another user of this host, with 200 log-ins at once, and at its end.

scripts/console-access.py target/debug/dtud
"""

import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

PASSWORD = "correct horse"


class Device:
    """A dtud of its own folder. As a context it is gone behind it, whatever failed there."""

    def __init__(self, dtud, settings="", listen="127.0.0.1:0"):
        self.process = None
        self.folder = Path(tempfile.mkdtemp())
        try:
            self.start(dtud, settings, listen)
        except BaseException:
            self.kill()
            raise

    def start(self, dtud, settings, listen):
        (self.folder / "s.toml").write_text(settings)
        state = self.folder / "state"
        subprocess.run([dtud, "console-password", "--state", state], input=PASSWORD + "\n", text=True,
                       check=True, capture_output=True)
        self.errors = open(self.folder / "err", "w")
        self.process = subprocess.Popen(
            [dtud, "--serial", f"pty:{self.folder}/line", "--state", state, "--settings", self.folder / "s.toml",
             "--setup-window", "0", "--console", listen],
            stdout=subprocess.PIPE, stderr=self.errors, text=True)
        ready = self.process.stdout.readline()
        found = re.search(r"console=http://([^ :]+):(\d+)", ready)
        assert found, ready + (self.folder / "err").read_text()
        self.host, self.port = found[1], int(found[2])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def memory(self, name):
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{name}:\s+(\d+)", text)[1]) * 1024

    def end(self):
        """Seconds that it takes to end."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0
        self.process.stdout.close()
        self.errors.close()
        shutil.rmtree(self.folder)
        return time.monotonic() - began


def ask(url, body=None, **headers):
    """Status, head and text."""
    data = None if body is None else json.dumps(body).encode()
    if data is not None:
        headers["Content-Type"] = "application/json"
    request = urllib.request.Request(url, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read().decode(errors="replace")


def stream(port, path="/api/events", more=""):
    """A connection that has got the first event."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{more}\r\n".encode())
    got = b""
    while b"event: hello" not in got and b"event:hello" not in got:
        more_bytes = connection.recv(65536)
        assert more_bytes, got
        got += more_bytes
    return connection


def behind_nginx(dtud):
    nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    if nginx is None:
        sys.exit("nginx is missing (apt-get install nginx-light)")
    with Device(dtud, '[console]\nbase = "/dtu"\ntrusted_proxies = ["127.0.0.1"]\n') as device:
        pages_of(device, nginx)
        device.end()
    print("behind nginx, below a path that is passed on or taken off: works")


def pages_of(device, nginx):
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        ports = [one.getsockname()[1], other.getsockname()[1]]
    folder = Path(tempfile.mkdtemp())
    # One passes the path on, one takes it off; both buffer answers, as nginx does unless it is told otherwise.
    servers = "".join(
        f"""server {{ listen 127.0.0.1:{port}; location /dtu/ {{
            proxy_pass http://127.0.0.1:{device.port}{path}; proxy_http_version 1.1; proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme; }} }}
        """ for port, path in zip(ports, ["/dtu/", "/"]))
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/err;\nevents {{}}\n"
        f"http {{ access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;\n"
        f"fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;\n{servers} }}\n")
    proxy = subprocess.Popen([nginx, "-p", folder, "-e", folder / "err", "-c", folder / "nginx.conf"])
    try:
        for port in ports:
            page = f"http://127.0.0.1:{port}/dtu/"
            for _ in range(100):
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                time.sleep(0.05)
            status, _, html = ask(page)
            assert status == 200, (status, html)
            parts = re.findall(r'(?:src|href)="([^"]+)"', html)
            assert parts and not any(part.startswith("/") for part in parts), parts
            for part in parts:
                assert ask(page + part)[0] == 200, part
            assert json.loads(ask(page + "api/session")[2])["who"] is None
            assert ask(page + "api/status")[0] == 401
            origin = f"http://127.0.0.1:{port}"
            status, head, text = ask(page + "api/login", {"password": PASSWORD}, Origin=origin)
            assert status == 200, text
            cookie = head["Set-Cookie"]
            assert "Path=/dtu" in cookie, cookie
            name = cookie.split(";")[0]
            csrf = json.loads(text)["csrf"]
            status, _, text = ask(page + "api/at", {"line": "AT+CIPR?"}, Origin=origin, Cookie=name, **{"X-CSRF": csrf})
            assert status == 200 and "115200" in text, text
            status, _, text = ask(page + "api/at", {"line": "AT"}, Origin="http://elsewhere", Cookie=name,
                                  **{"X-CSRF": csrf})
            assert status == 403, text
            # What comes is not kept back by the proxy.
            watching = stream(port, "/dtu/api/events", f"Cookie: {name}\r\n")
            ask(page + "api/inject", {"to": "line", "from": "dte", "data_hex": "41"}, Origin=origin, Cookie=name,
                **{"X-CSRF": csrf})
            got = b""
            while b"injected" not in got:
                part = watching.recv(65536)
                assert part, got
                got += part
            watching.close()
    finally:
        proxy.terminate()
        proxy.wait(10)
        shutil.rmtree(folder)


def drop_all(connection):
    """From now on the kernel takes nothing in for this socket, so the other end hears nothing more."""
    code = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    program = struct.pack("HxxxxxxP" if struct.calcsize("P") == 8 else "HxxP", 1, ctypes.addressof(code))
    connection.setsockopt(socket.SOL_SOCKET, 26, program)  # SO_ATTACH_FILTER


def is_open(own, other):
    """Whether the console's end of the connection is one that it still has."""
    wanted = (f"0100007F:{own:04X}", f"0100007F:{other:04X}")
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if (words[1], words[2]) == wanted:
            return words[3] == "01"
    return False


def half_open(device):
    """One that says nothing, and one whose last request waits for an answer."""
    watching = stream(device.port)
    own = watching.getsockname()[1]
    assert is_open(device.port, own)
    drop_all(watching)
    began = time.monotonic()
    while is_open(device.port, own):
        took = time.monotonic() - began
        assert took <= 30, "a stream whose reader is gone is kept"
        time.sleep(0.2)
    took = time.monotonic() - began
    assert took > 5, f"it ended after {took:.1f} s: this tests something else"
    watching.close()
    print(f"a stream whose reader is gone: ended after {took:.0f} s")


def guesses(device):
    if os.geteuid() != 0:
        print("guesses of another user: not tried, for that needs root")
        return
    login = f"http://127.0.0.1:{device.port}/api/login"

    def tries(user, password):
        done = subprocess.run(
            ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Content-Type: application/json",
             "-d", json.dumps({"password": password}), login],
            user=user, group=user, extra_groups=[], capture_output=True, text=True, check=True)
        return int(done.stdout)

    def reads(user):
        done = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", login.replace("login", "status")],
                              user=user, group=user, extra_groups=[], capture_output=True, text=True, check=True)
        return int(done.stdout)

    assert (reads(0), reads(65533)) == (200, 401), "who runs dtud comes without a log-in, and nobody else does"
    said = [tries(65533, "wrong guess") for _ in range(6)]
    assert said == [403] * 5 + [429], said
    assert tries(65533, PASSWORD) == 429
    assert tries(65532, PASSWORD) == 200, "another user pays for the guesses of the first"
    status, _, text = ask(f"http://127.0.0.1:{device.port}/api/session")
    assert status == 200 and json.loads(text)["who"] == "local", text
    print("guesses of one user shut out nobody else of this host")


def log_ins(device):
    url = f"http://127.0.0.1:{device.port}/api/login"
    before = device.memory("VmRSS")
    Path(f"/proc/{device.process.pid}/clear_refs").write_text("5")
    said = []

    def one():
        try:
            said.append(ask(url, {"password": PASSWORD})[0])
        except OSError:
            said.append(0)

    threads = [threading.Thread(target=one) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 200 in said and 429 in said, said
    more = device.memory("VmHWM") - before
    assert more < 24 << 20, f"200 log-ins at once: {more >> 10} KiB more"
    print(f"200 log-ins at once: {said.count(200)} in, {more >> 10} KiB more at most")


def end(device):
    streams = [stream(device.port) for _ in range(50)]
    took = device.end()
    for connection in streams:
        connection.close()
    assert took <= 1, f"{took:.2f} s to end with 50 streams"
    print(f"the end with 50 streams: {took:.2f} s")


def main():
    dtud = str(Path(sys.argv[1] if len(sys.argv) > 1 else "target/debug/dtud").resolve())
    behind_nginx(dtud)
    with Device(dtud) as device:
        log_ins(device)
        guesses(device)
        half_open(device)
        end(device)


if __name__ == "__main__":
    main()
