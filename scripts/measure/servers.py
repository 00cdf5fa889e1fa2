"""Servers in threads: one that takes everything, one that reads slowly or not at all."""

import socket
import threading
import time

from .device import HOST


class Collector:
    """Takes one connection after the other; keeps, or only counts, what comes.

    `rate` in bytes a second, None for as fast as it comes, 0 for never."""

    def __init__(self, rate=None, keep=True):
        self.rate, self.keep = rate, keep
        self.listener = socket.socket()
        # A small buffer of the kernel: what is slow here is slow for the peer.
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        self.listener.bind((HOST, 0))
        self.listener.listen(16)
        self.port = self.listener.getsockname()[1]
        self.parts, self.count, self.last = [], 0, time.monotonic()
        self.connection = None
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        try:
            while True:
                self.connection, _ = self.listener.accept()
                self._read(self.connection)
        except OSError:
            pass

    def _read(self, connection):
        begin, count = time.monotonic(), 0
        if self.rate == 0:
            self.over.wait()
            return
        while got := connection.recv(16 * 1024):
            count += len(got)
            self.count += len(got)
            self.last = time.monotonic()
            if self.keep:
                self.parts.append(got)
            if self.rate:
                time.sleep(max(0, begin + count / self.rate - time.monotonic()))

    def content(self):
        return b"".join(self.parts)

    def await_silence(self, seconds, limit=120):
        """Until nothing came for so long."""
        deadline = time.monotonic() + limit
        while time.monotonic() - self.last < seconds and time.monotonic() < deadline:
            time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        for opened in (self.listener, self.connection):
            if opened is not None:
                try:
                    opened.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                opened.close()
        self.thread.join(5)
