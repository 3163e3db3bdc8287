#!/usr/bin/env python3
"""idle_program.py BUILD - memory of the whole program while nothing happens: on the demo's 500 events, and with 10,000 connections that were answered once.

Resident memory, as the kernel counts it. Exit status 1: more than the limits.
"""
import os
import pathlib
import resource
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time

CONNECTIONS = 10000
PER_ADDRESS = 5000  # one address has 28,000 ports only
IDLE_MIB_MAX = 50
CONNECTED_MIB_MAX = 150
QUIET_S = 3
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"


def resident_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the server is gone")


def is_answered(connection):
    connection.sendall(REQUEST)
    return connection.recv(65536).startswith(b"HTTP/1.1 200")


def connect(port):
    """All of them, each answered once."""
    connections = []
    for number in range(CONNECTIONS):
        connection = socket.socket()
        connection.bind((f"127.0.0.{2 + number // PER_ADDRESS}", 0))
        connection.connect(("127.0.0.1", port))
        if not is_answered(connection):
            raise RuntimeError("a connection was not answered")
        connections.append(connection)
    return connections


def closed(connections):
    """How many the server has closed meanwhile."""
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ)
        return len(selector.select(0))


def main():
    program = pathlib.Path(sys.argv[1]) / "src" / "boxoffice"
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as place:
        data = f"{place}/demo"
        subprocess.run([program, "demo", "--data", data], check=True, stdout=subprocess.DEVNULL)
        with subprocess.Popen([program, "serve", "--listen", "127.0.0.1:0", "--data", data], stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "BOXOFFICE_GATEWAY_RATE_LIMIT": "off"}) as server:
            try:
                port = int(server.stdout.readline().rsplit(":", 1)[1])
                time.sleep(QUIET_S)
                idle = resident_mib(server.pid)
                connections = connect(port)
                gone = closed(connections)
                connected = resident_mib(server.pid)
            finally:
                server.send_signal(signal.SIGTERM)
    print(f"idle {idle:.1f} MiB (at most {IDLE_MIB_MAX}); with {CONNECTIONS - gone} idle connections {connected:.1f} MiB (at most {CONNECTED_MIB_MAX})")
    return 1 if gone or idle > IDLE_MIB_MAX or connected > CONNECTED_MIB_MAX else 0


sys.exit(main())
