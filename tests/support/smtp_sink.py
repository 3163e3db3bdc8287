#!/usr/bin/env python3
"""support/smtp_sink.py - an SMTP server (RFC 5321) that keeps what it is given, for tests.

  smtp_sink.py --dir DIR [--host 127.0.0.1] [--port 0] [--tls | --implicit-tls]
               [--cert FILE --key FILE] [--user U --password P] [--reply ADDRESS=CODE ...]
               [--until-eof]

Prints "port=N", with TLS also "ca=FILE" (the certificate to trust, for "localhost" and 127.0.0.1,
made with openssl unless --cert and --key name one), then "ready".

The Nth message becomes DIR/0001.eml (as received, dots unstuffed) and DIR/0001.json:
{"from", "to": [...], "helo", "tls": bool, "user": who signed in or null, "connection": N,
"bare_line_ends": N}; the .json appears last, by rename.

  --tls           offers STARTTLS, and takes a sign-in only after it
  --implicit-tls  speaks TLS from the first byte (smtps)
  --user          AUTH PLAIN or LOGIN is asked for: 530 to MAIL without, 535 to a wrong password
  --reply A=CODE  answers CODE to RCPT TO:<A>
  --until-eof     ends when its standard input does, so that it never outlives a test

Without --reply, the local part of an address chooses the answer: reply-450@... and reply-550.x@...
get that code at RCPT (or MAIL, as a sender), data-451@... and data-554@... after the text,
drop@... a closed connection instead of an answer to the text, mute@... no answer at all.
"""

import argparse
import base64
import binascii
import hmac
import json
import os
import re
import socketserver
import ssl
import subprocess
import sys
import threading

LINE_MAX = 4096
MESSAGE_MAX = 64 << 20


class Drop(Exception):
    """The connection is to be closed now."""


class Store:
    """Numbers messages and keeps them as files."""

    def __init__(self, path):
        self.path = path
        self.lock = threading.Lock()
        os.makedirs(path, exist_ok=True)
        self.count = max([int(n[:-4]) for n in os.listdir(path) if re.fullmatch(r"\d+\.eml", n)], default=0)

    def keep(self, message, envelope):
        with self.lock:
            self.count += 1
            base = os.path.join(self.path, "%04d" % self.count)
            with open(base + ".eml", "wb") as file:
                file.write(message)
            with open(base + ".json.new", "w", encoding="utf-8") as file:
                json.dump(envelope, file)
            os.rename(base + ".json.new", base + ".json")


class Session(socketserver.StreamRequestHandler):
    """One connection; do_VERB answers VERB."""

    timeout = 60

    def setup(self):
        self.tls = self.server.options.implicit_tls
        if self.tls:
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()
        self.number = self.server.next_number()
        self.helo = None
        self.user = None
        self.reset()

    def reset(self):
        self.sender = None
        self.recipients = []

    def say(self, *lines):
        for i, line in enumerate(lines):
            if i + 1 < len(lines):
                line = line[:3] + "-" + line[4:]
            self.wfile.write(line.encode() + b"\r\n")
        self.wfile.flush()

    def line(self):
        """The next line with its end; readline splits at LF, which is also how a bare one is noticed."""
        line = self.rfile.readline(LINE_MAX)
        if not line.endswith(b"\n"):
            raise Drop
        return line

    def handle(self):
        try:
            self.say("220 sink ESMTP")
            while True:
                line = self.line().decode("latin-1").rstrip("\r\n")
                verb = line.split(" ", 1)[0].upper()
                do = getattr(self, "do_" + verb, None)
                if do is None:
                    self.say("500 5.5.2 what?")
                else:
                    do(line[len(verb):].strip())
        except (Drop, OSError):
            pass

    # --- Greeting, TLS, sign-in ---

    def do_EHLO(self, argument):
        options = self.server.options
        self.helo = argument
        self.reset()
        lines = ["250 sink", "250 SIZE %d" % MESSAGE_MAX]
        if options.tls and not self.tls:
            lines.append("250 STARTTLS")
        if options.user is not None and (self.tls or not options.tls):
            lines.append("250 AUTH PLAIN LOGIN")
        self.say(*lines)

    def do_HELO(self, argument):
        self.helo = argument
        self.reset()
        self.say("250 sink")

    def do_STARTTLS(self, _argument):
        if self.tls or not self.server.options.tls:
            self.say("503 5.5.1 not offered")
            return
        # What came in the clear behind STARTTLS must not be taken for text under TLS.
        self.connection.settimeout(0)
        early = self.rfile.peek(1)
        self.connection.settimeout(self.timeout)
        if early:
            self.say("503 5.5.1 nothing goes with STARTTLS")
            raise Drop
        self.say("220 2.0.0 go ahead")
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()
        self.tls = True
        self.helo = None
        self.user = None
        self.reset()

    def check_password(self, user, password):
        options = self.server.options
        right = hmac.compare_digest(user, options.user.encode()) and hmac.compare_digest(
            password, options.password.encode())
        if right:
            self.user = user.decode()
            self.say("235 2.7.0 welcome")
        else:
            self.say("535 5.7.8 wrong user or password")

    def challenge(self, prompt):
        self.say("334 " + base64.b64encode(prompt).decode())
        return base64.b64decode(self.line().strip(), validate=True)

    def do_AUTH(self, argument):
        words = argument.split(" ")
        if self.server.options.user is None or (self.server.options.tls and not self.tls):
            self.say("503 5.5.1 not offered")
            return
        try:
            initial = base64.b64decode(words[1], validate=True) if len(words) > 1 else None
            if words[0].upper() == "PLAIN":
                response = initial if initial is not None else self.challenge(b"")
                _identity, user, password = response.split(b"\0")
            elif words[0].upper() == "LOGIN":
                user = initial if initial is not None else self.challenge(b"Username:")
                password = self.challenge(b"Password:")
            else:
                self.say("504 5.5.4 PLAIN or LOGIN")
                return
        except (binascii.Error, ValueError):
            self.say("501 5.5.2 not base64, or not three parts")
            return
        self.check_password(user, password)

    # --- Envelope ---

    def answer_to(self, address, phase):
        """The code that the address asks for in this phase, or None."""
        if phase == "reply" and address in self.server.replies:
            return self.server.replies[address]
        match = re.match(r"(reply|data)-(\d{3})(\.|@)", address)
        return match.group(2) if match and match.group(1) == phase else None

    def refuse(self, code):
        if code is None:
            return False
        self.say("%s %s.0.0 as asked for" % (code, code[0]))
        return True

    def do_MAIL(self, argument):
        match = re.fullmatch(r"FROM:<([^<>\s]*)>((?: [A-Za-z0-9=-]+)*)", argument, re.IGNORECASE)
        if self.server.options.user is not None and self.user is None:
            self.say("530 5.7.0 sign in first")
        elif self.helo is None:
            self.say("503 5.5.1 EHLO first")
        elif match is None:
            self.say("501 5.5.4 MAIL FROM:<address>")
        elif not self.refuse(self.answer_to(match.group(1), "reply")):
            self.sender = match.group(1)
            self.recipients = []
            self.say("250 2.1.0 ok")

    def do_RCPT(self, argument):
        match = re.fullmatch(r"TO:<([^<>\s]+)>", argument, re.IGNORECASE)
        if self.sender is None:
            self.say("503 5.5.1 MAIL first")
        elif match is None:
            self.say("501 5.5.4 RCPT TO:<address>")
        elif not self.refuse(self.answer_to(match.group(1), "reply")):
            self.recipients.append(match.group(1))
            self.say("250 2.1.5 ok")

    def do_RSET(self, _argument):
        self.reset()
        self.say("250 2.0.0 ok")

    def do_NOOP(self, _argument):
        self.say("250 2.0.0 ok")

    def do_QUIT(self, _argument):
        self.say("221 2.0.0 bye")
        raise Drop

    # --- Text ---

    def read_text(self):
        """The text up to the line ".", and how many of its line ends were no CRLF."""
        lines = []
        bare = 0
        size = 0
        while True:
            line = self.line()
            if line == b".\r\n":
                return b"".join(lines), bare
            if line.startswith(b"."):
                line = line[1:]
            bare += (not line.endswith(b"\r\n")) + line[:-2].count(b"\r")
            size += len(line)
            if size > MESSAGE_MAX:
                raise Drop
            lines.append(line)

    def do_DATA(self, _argument):
        if not self.recipients:
            self.say("503 5.5.1 RCPT first")
            return
        self.say("354 go ahead")
        text, bare = self.read_text()
        for address in self.recipients:
            if address.startswith("drop@"):
                raise Drop
            if address.startswith("mute@"):
                self.rfile.read(1)
                raise Drop
            if self.refuse(self.answer_to(address, "data")):
                self.reset()
                return
        self.server.store.keep(text, {
            "from": self.sender, "to": self.recipients, "helo": self.helo, "tls": self.tls,
            "user": self.user, "connection": self.number, "bare_line_ends": bare})
        self.reset()
        self.say("250 2.0.0 kept")


class Server(socketserver.ThreadingTCPServer):
    """What all sessions share."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, options, context):
        super().__init__((options.host, options.port), Session)
        self.options = options
        self.context = context
        self.store = Store(options.dir)
        self.replies = dict(reply.rsplit("=", 1) for reply in options.reply)
        self.connections = 0
        self.lock = threading.Lock()

    def next_number(self):
        with self.lock:
            self.connections += 1
            return self.connections

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):  # a refused handshake is no fault of ours
            super().handle_error(request, client_address)


def make_certificate(path):
    """A new key and a certificate that signs itself; gives the paths of both."""
    os.makedirs(path, exist_ok=True)
    cert, key = os.path.join(path, "cert.pem"), os.path.join(path, "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", key, "-out", cert],
        check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return cert, key


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--dir", required=True)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--implicit-tls", action="store_true")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--user")
    parser.add_argument("--password", default="")
    parser.add_argument("--reply", action="append", default=[], metavar="ADDRESS=CODE")
    parser.add_argument("--until-eof", action="store_true")
    options = parser.parse_args()
    if any(not re.fullmatch(r".+=\d{3}", reply) for reply in options.reply):
        parser.error("--reply takes ADDRESS=CODE")
    if (options.cert is None) != (options.key is None):
        parser.error("--cert and --key go together")
    return options


def main():
    options = parse_options()
    context = None
    if options.tls or options.implicit_tls:
        if options.cert is None:
            options.cert, options.key = make_certificate(os.path.join(options.dir, "tls"))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.cert, options.key)
    with Server(options, context) as server:
        print("port=%d" % server.server_address[1])
        if context is not None:
            print("ca=%s" % os.path.abspath(options.cert))
        print("ready", flush=True)
        if options.until_eof:
            threading.Thread(target=lambda: (sys.stdin.buffer.read(), server.shutdown()), daemon=True).start()
        try:
            server.serve_forever(poll_interval=0.05)
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
