#!/usr/bin/env python3
"""support/http_peer.py - a web server that misbehaves on request, for tests of what we ask others.

  http_peer.py [--tls DIR]

Prints "port=N", with --tls also "ca=FILE" (a certificate made in DIR, for "localhost" and 127.0.0.1), then
"ready"; ends when its standard input does. Connections are kept open (HTTP/1.1).

  /echo         200, JSON: method, path, headers, body and the number of this connection
  /status/N     that status, Retry-After: 7, body "N"
  /redirect     302 to /echo
  /big/N        200 with N bytes
  /slow/MS      200 after MS milliseconds
  /cut          half an answer, then the connection is closed
  /drop         the connection is closed without a word
"""

import argparse
import http.server
import itertools
import json
import os
import ssl
import subprocess
import sys
import threading
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    numbers = itertools.count(1)

    def setup(self):
        super().setup()
        self.number = next(self.numbers)

    def log_message(self, *_):
        pass

    def answer(self, status, body, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        word, _, rest = self.path.partition("?")[0].strip("/").partition("/")
        if word == "echo":
            told = {"method": self.command, "path": self.path, "body": body.decode(), "connection": self.number,
                    "headers": {name.lower(): value for name, value in self.headers.items()}}
            self.answer(200, json.dumps(told).encode(), X_Told="  twice  ")
        elif word == "status":
            self.answer(int(rest), rest.encode(), Retry_After="7")
        elif word == "redirect":
            self.answer(302, b"", Location="/echo")
        elif word == "big":
            self.answer(200, b"x" * int(rest))
        elif word == "slow":
            time.sleep(int(rest) / 1000)
            self.answer(200, b"slow")
        elif word == "cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            self.close_connection = True
        else:
            self.close_connection = True

    do_GET = do_POST = do_DELETE = do


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):  # a refused handshake is no fault of ours
            super().handle_error(request, client_address)


def make_certificate(path):
    cert, key = os.path.join(path, "cert.pem"), os.path.join(path, "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", key, "-out", cert],
        check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return cert, key


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tls", metavar="DIR")
    options = parser.parse_args()
    server = Server(("127.0.0.1", 0), Handler)
    print("port=%d" % server.server_address[1])
    if options.tls is not None:
        cert, key = make_certificate(options.tls)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        print("ca=%s" % os.path.abspath(cert))
    print("ready", flush=True)
    threading.Thread(target=lambda: (sys.stdin.buffer.read(), server.shutdown()), daemon=True).start()
    server.serve_forever(poll_interval=0.05)


if __name__ == "__main__":
    main()
