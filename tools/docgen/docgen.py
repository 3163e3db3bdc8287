#!/usr/bin/python3
"""docgen.py ROWS OPENAPI DIR [--check]: writes DIR/configuration.md and DIR/routes.md of the program's own tables.

ROWS is the program that prints them (docgen.c); what a route does is said by its summary in the contract. With --check nothing is written:
exits 1 and names the page that is not what it would be.
"""
import pathlib
import subprocess
import sys

import yaml

UNITS = {"seconds": " s", "ms": " ms", "bytes": " B", "count": ""}
AUTHS = {"none": "anybody", "optional": "anybody; more for who is signed in", "user": "signed in", "customer": "customer",
         "vendor": "vendor, admin", "admin": "admin"}


def cell(text):
    return text.replace("|", "\\|")


def standard_of(kind, number, text):
    if kind == "switch":
        return "on" if number == "1" else "off"
    if kind in ("text", "choice"):
        return f"`{text}`" if text else "none"
    return number + UNITS[kind]


def values_of(kind, low, high, choices):
    if kind == "switch":
        return "`on`, `off`"
    if kind == "choice":
        return ", ".join(f"`{choice}`" for choice in choices.split())
    if kind == "text":
        return "text"
    return f"{low} to {high}{UNITS[kind]}"


def configuration(settings):
    lines = ["# Configuration", "",
             "Made of the program's own tables by `make docs`. A setting comes from its default, then from the file that `--config` names",
             "(`[section]`, `key = value`), then from the environment (`BOXOFFICE_<SECTION>_<KEY>`), then from a flag. One that is unknown or out of",
             "bounds stops the start."]
    section = None
    for name, kind, low, high, number, text, choices, sentence in sorted(settings):
        if name.split(".")[0] != section:
            section = name.split(".")[0]
            lines += ["", f"## {section}", "", "| Setting | Values | Default | |", "|---|---|---|---|"]
        lines.append(f"| `{name}` | {cell(values_of(kind, low, high, choices))} | {cell(standard_of(kind, number, text))} | {cell(sentence)} |")
    return "\n".join(lines) + "\n"


def routes(rows, document):
    lines = ["# Routes", "",
             "Made of the program's own tables by `make docs`. Bodies, answers and refusals are in [api/openapi.yaml](../api/openapi.yaml). *Key*: the",
             "`Idempotency-Key` header is required. *On*: the event loop answers from memory, a worker may ask the database. A `GET` serves `HEAD` too,",
             "unless that has a row of its own."]
    services = []
    for row in rows:
        if row[0] not in services:
            services.append(row[0])
    for service in services:
        lines += ["", f"## {service}", "", "| | | For | Body | Key | On | |", "|---|---|---|---|---|---|---|"]
        for owner, method, path, auth, body, keyed, where in rows:
            if owner != service:
                continue
            summary = document["paths"][path][method.lower()]["summary"]
            size = "" if body == "0" else f"{int(body) // 1024} KiB" if int(body) >= 1024 else f"{body} B"
            lines.append(f"| {method} | `{path}` | {AUTHS[auth]} | {size} | {'yes' if keyed == '1' else ''} | {where} | {cell(summary)} |")
    return "\n".join(lines) + "\n"


def main():
    program, openapi, folder = sys.argv[1:4]
    printed = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    rows = [line.split("\t") for line in printed.splitlines()]
    with open(openapi, encoding="utf-8") as source:
        document = yaml.safe_load(source)
    pages = {"configuration.md": configuration([row[1:] for row in rows if row[0] == "setting"]),
             "routes.md": routes([row[1:] for row in rows if row[0] == "route"], document)}
    stale = 0
    print(f"1..{len(pages)}")
    for number, (name, text) in enumerate(pages.items(), 1):
        path = pathlib.Path(folder) / name
        if sys.argv[4:] != ["--check"]:
            path.write_text(text, encoding="utf-8")
        same = path.exists() and path.read_text(encoding="utf-8") == text
        stale += not same
        print(f"{'ok' if same else 'not ok'} {number} - docs/{name} says what the tables say{'' if same else ' (make docs)'}")
    return 1 if stale else 0


sys.exit(main())
