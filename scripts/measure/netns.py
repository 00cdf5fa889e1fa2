"""Two network namespaces with a wire between them, and the wire cut: a black hole, as a NAT that forgot."""

import itertools
import os
import shutil
import subprocess
import sys

DEVICE_SIDE, SERVER_SIDE = "10.99.7.1", "10.99.7.2"


def missing():
    """Why namespaces cannot be had here, or None."""
    for tool in ("ip", "nft"):
        if shutil.which(tool) is None:
            return f"`{tool}` is not installed"
    if os.geteuid() != 0:
        return "not root"
    name = f"dtud-try-{os.getpid()}-{next(NUMBERS)}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode:
        return "the kernel gives no network namespaces"
    subprocess.run(["ip", "netns", "del", name], check=True)
    return None


class Wire:
    """Removed with all that is in it."""

    def __init__(self):
        number = next(NUMBERS)
        self.device, self.server = (f"dtud-{side}-{os.getpid()}-{number}" for side in ("dev", "srv"))

    def __enter__(self):
        for name in (self.device, self.server):
            run("ip", "netns", "add", name)
        run("ip", "link", "add", "wire", "netns", self.device, "type", "veth", "peer", "wire", "netns", self.server)
        for name, address in ((self.device, DEVICE_SIDE), (self.server, SERVER_SIDE)):
            run("ip", "-n", name, "address", "add", f"{address}/30", "dev", "wire")
            for interface in ("lo", "wire"):
                run("ip", "-n", name, "link", "set", interface, "up")
        return self

    def __exit__(self, *_):
        for name in (self.device, self.server):
            subprocess.run(["ip", "netns", "del", name], capture_output=True)

    def cut(self, ports, what=""):
        """What leaves one end for or from these ports of the server never reaches the other; nobody is told."""
        for name, end in ((self.device, "sport"), (self.server, "dport")):
            rule = f"iifname wire tcp {end} {ports[0]}-{ports[-1]} {what} drop"
            run(*inside(name), "nft", f"table inet hole {{ chain in {{ type filter hook input priority 0; {rule}; }}; }}")

    def mend(self):
        for name in (self.device, self.server):
            run(*inside(name), "nft", "delete table inet hole")


def inside(name):
    return ["ip", "netns", "exec", name]


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")


def connections(pid, port):
    """Own addresses of the TCP connections to that port in the namespace of a process: the kernel's word, not a log's."""
    with open(f"/proc/{pid}/net/tcp") as table:
        next(table)
        rows = [line.split() for line in table]
    return {row[1] for row in rows if row[3] == ESTABLISHED and int(row[2].split(":")[1], 16) == port}


class Sink:
    """A server in a namespace: accepts on every port, reads, says nothing."""

    def __init__(self, namespace, ports):
        command = [*inside(namespace), sys.executable, "-c", SINK, SERVER_SIDE, *map(str, ports)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        self.process.stdout.readline()

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


ESTABLISHED = "01"
NUMBERS = itertools.count()
SINK = """
import selectors, socket, sys
chosen = selectors.DefaultSelector()
for port in sys.argv[2:]:
    listener = socket.create_server((sys.argv[1], int(port)))
    chosen.register(listener, selectors.EVENT_READ, True)
print("ready", flush=True)
while True:
    for key, _ in chosen.select():
        try:
            if key.data:
                chosen.register(key.fileobj.accept()[0], selectors.EVENT_READ, False)
            elif not key.fileobj.recv(4096):
                chosen.unregister(key.fileobj)
                key.fileobj.close()
        except OSError:
            chosen.unregister(key.fileobj)
            key.fileobj.close()
"""
