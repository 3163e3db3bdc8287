"""program.py - the program under test, somebody who asks it, and a look at what it has written."""
import hashlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile

try:
    import psycopg2
except ImportError:  # is needed on PostgreSQL alone
    psycopg2 = None

START_TIMEOUT_S = 60
POSTGRES = os.environ.pop("BOXOFFICE_TEST_DATABASE", None)  # of with_postgres; None: the program has files
ANSWER_TIMEOUT_S = 60


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def problem(self):
        """The problem document; {} of anything else."""
        return self.json if self.body and self.headers.get("Content-Type") == "application/problem+json" else {}

    @property
    def pointers(self):
        return [e["pointer"] for e in self.problem.get("errors", [])]


class Program:
    """A server on a data directory of its own, with a clock that can be moved."""

    def __init__(self, binary, **environment):
        self.binary = binary
        self.data = pathlib.Path(tempfile.mkdtemp(prefix="boxoffice-contract-"))
        self.process = None
        self.port = 0
        self.connection = None
        self.requests = 0
        self.environment = {**os.environ, "BOXOFFICE_GATEWAY_RATE_LIMIT": "off", "BOXOFFICE_IDENTITY_ARGON2_MEMORY_KIB": "64", **environment}
        if POSTGRES:
            self.environment["BOXOFFICE_DATABASE_URL"] = POSTGRES
            self.command("migrate")

    def command(self, *words, text=""):
        done = subprocess.run([self.binary, *words, "--data", str(self.data)], input=text, capture_output=True, text=True,
                              env=self.environment, timeout=START_TIMEOUT_S, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"boxoffice {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def start(self, stderr=None):
        # What it says on stderr is the log of the test, unless somebody wants it.
        self.process = subprocess.Popen([self.binary, "serve", "--listen", "127.0.0.1:0", "--data", str(self.data), "--test-clock"],
                                        stdout=subprocess.PIPE, stderr=stderr, text=True, env=self.environment)
        line = self.process.stdout.readline()
        match = re.search(r"http://[\d.]+:(\d+)", line)
        if not match:
            raise RuntimeError(f"the server said {line!r} and ended with {self.process.wait()}")
        self.port = int(match[1])

    def stop(self):
        """Its exit status; 0 is wanted."""
        if self.connection:
            self.connection.close()
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process else 0
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(START_TIMEOUT_S)

    def remove(self):
        shutil.rmtree(self.data, ignore_errors=True)

    def send(self, method, target, headers=(), body=None):
        """One request as it is, on a connection that is kept."""
        self.requests += 1
        for last_try in (False, True):
            fresh = self.connection is None
            if fresh:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_TIMEOUT_S)
            try:
                return self.try_send(method, target, headers, body)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                # A kept connection may have been closed meanwhile; a new one must answer.
                self.connection.close()
                self.connection = None
                if fresh or last_try:
                    raise
        raise AssertionError("not reached")

    def try_send(self, method, target, headers, body):
        connection = self.connection
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        elif method in ("POST", "PUT"):
            connection.putheader("Content-Length", "0")
        try:
            connection.endheaders(body)
        except (BrokenPipeError, ConnectionResetError):
            if not body or len(body) < 1 << 20:
                raise
            # It has answered before it took all of a body that is too large.
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        if response.will_close:
            connection.close()
            self.connection = None
        return answer

    def send_bytes(self, data):
        """Sends what may be no request at all; gives all that comes back until the server closes."""
        self.requests += 1
        with socket.create_connection(("127.0.0.1", self.port), ANSWER_TIMEOUT_S) as connection:
            connection.sendall(data)
            got = b""
            while piece := connection.recv(65536):
                got += piece
        return got

    def advance(self, seconds):
        """Moves the server's time on, does what is due then, and gives the time as text."""
        answer = self.send("POST", "/_test/clock", [("Content-Type", "application/json")], b'{"advance_s":%d}' % seconds)
        if answer.status != 200:
            raise RuntimeError(f"the clock answers {answer.status}: {answer.text}")
        return answer.json["now"]


class Sqlite:
    """One database in a file, seen from outside."""

    def __init__(self, path):
        self.name = path.stem
        self.connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)

    def version(self):
        return self.connection.execute("PRAGMA data_version").fetchone()[0]

    def digests(self, left_out):
        """Of each table how many rows it has, and a sum over them."""
        tables = [row[0] for row in self.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
        result = {}
        for table in set(tables) - left_out:
            rows = sorted(repr(row) for row in self.connection.execute(f'SELECT * FROM "{table}"'))
            result[table] = (len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest())
        return result

    @classmethod
    def all(cls, data):
        return [cls(path) for path in sorted(data.glob("*.db"))]


class Postgres:
    """One database on a server. Its version is the server's, so it changes more often than what is in it."""

    def __init__(self, name):
        self.name = name.removeprefix("boxoffice_")
        self.connection = psycopg2.connect(POSTGRES, dbname=name)
        self.connection.autocommit = True

    def rows(self, sql):
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def version(self):
        return self.rows("SELECT pg_current_snapshot()::text")[0][0]

    def digests(self, left_out):
        tables = [row[0] for row in self.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        each = [f"SELECT '{t}', count(*), md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM \"{t}\" t" for t in tables if t not in left_out]
        return {table: (count, digest) for table, count, digest in self.rows(" UNION ALL ".join(each))}

    @classmethod
    def all(cls):
        server = cls("postgres")
        names = [row[0] for row in server.rows("SELECT datname FROM pg_database WHERE datname LIKE 'boxoffice\\_%' ORDER BY datname")]
        server.connection.close()
        return [cls(name) for name in names]


class Databases:
    """What all the databases hold, seen from outside: did a request write anything?"""

    # The node's own book-keeping, which goes on by itself.
    NOT_OURS = {"feed_cursor", "feed_reader", "job", "ledger_seal", "ledger_pending", "ledger_head", "ledger_balance", "sales_day", "sales_event", "sales_date"}

    def __init__(self, data):
        self.databases = Postgres.all() if POSTGRES else Sqlite.all(data)
        self.versions = {}
        self.contents = {}
        self.look()

    def close(self):
        for database in self.databases:
            database.connection.close()

    def look(self):
        """Takes note of how things stand; gives the tables that have changed since the last look."""
        changed = []
        for database in self.databases:
            name = database.name
            version = database.version()
            if version == self.versions.get(name):
                continue
            self.versions[name] = version
            before = self.contents.get(name, {})
            self.contents[name] = database.digests(self.NOT_OURS)
            changed += [f"{name}.{table}" for table, digest in self.contents[name].items() if before.get(table) != digest]
        return changed
