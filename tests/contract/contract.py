"""contract.py - api/openapi.yaml as something that requests and answers can be held against.

Schemas are expanded (every $ref replaced by what it names). Those of answers are closed too: a member that the contract does not
name is a mistake here, though clients are told to skip what they do not know.
"""
import copy
import datetime
import json
import re
import zoneinfo

import jsonschema
import yaml

METHODS = ("get", "head", "post", "put", "delete")
PROBLEM = "application/problem+json"

# --- Formats: what a pattern cannot say ---

formats = jsonschema.FormatChecker(formats=())
ZONES = zoneinfo.available_timezones()
NO_CURRENCIES = {"ZZZ", "EUX"}  # shaped like codes, and none


def is_text(check):
    return lambda value: not isinstance(value, str) or check(value)


def is_instant(value):
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d{1,9})?([Zz]|[+-](\d\d):(\d\d))", value, re.ASCII)
    if not match or not is_date(match[1]):
        return False
    hour, minute, second = (int(match[i]) for i in (2, 3, 4))
    zone_ok = match[7] is None or (int(match[7]) <= 23 and int(match[8]) <= 59)
    return hour <= 23 and minute <= 59 and second <= 59 and zone_ok


def is_date(value):
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        return False
    try:
        datetime.date.fromisoformat(value)
    except ValueError:
        return False
    return True


def is_email(value):
    atom = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
    label = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    match = re.fullmatch(rf"({atom}(?:\.{atom})*)@((?:{label}\.)+{label}|localhost)", value)
    return bool(match) and len(match[1]) <= 64 and not match[2].rpartition(".")[2].isdigit()


def has_no_controls(value):
    return not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", value)


CHECKS = {
    "date-time": is_instant,
    "date": is_date,
    "wall-time": lambda value: is_instant(value + "Z"),
    "timezone": lambda value: value in ZONES,
    "currency": lambda value: value not in NO_CURRENCIES,
    "email": is_email,
    "text": has_no_controls,
    "uri-reference": lambda value: re.fullmatch(r"(https?://[^/\s]+)?/[^\s]*", value) is not None,
}
for name, check in CHECKS.items():
    formats.checks(name)(is_text(check))


# --- Schemas ---

def merge(base, over):
    """What `$ref` names, with what stands beside it."""
    result = dict(base)
    for key, value in over.items():
        if key == "properties":
            result[key] = {**base.get(key, {}), **{name: merge(base.get(key, {}).get(name, {}), schema) for name, schema in value.items()}}
        elif key == "required":
            result[key] = base.get(key, []) + value
        else:
            result[key] = value
    return result


def close(schema):
    """The schema with no room for members that it does not name."""
    if isinstance(schema, list):
        return [close(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: value if key in ("enum", "const", "required", "examples") else close(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "type" in schema:
        closed["additionalProperties"] = False
    return closed


def validator(schema):
    return jsonschema.Draft202012Validator(schema, format_checker=formats)


def first_error(schema, value):
    """None, or what is wrong first, as one line."""
    error = jsonschema.exceptions.best_match(validator(schema).iter_errors(value))
    if error is None:
        return None
    return f"/{'/'.join(str(p) for p in error.absolute_path)}: {error.message[:200]}"


def loads(text):
    """JSON, without what Python would let through: doubled members, NaN."""
    def pairs(items):
        names = [name for name, _ in items]
        if len(set(names)) != len(names):
            raise ValueError(f"doubled member in {names}")
        return dict(items)

    def constant(name):
        raise ValueError(f"{name} is no JSON")
    return json.loads(text, object_pairs_hook=pairs, parse_constant=constant)


# --- Operations ---

class Operation:
    def __init__(self, contract, method, path, item):
        raw = item[method]
        self.method = method.upper()
        self.path = path
        self.id = raw["operationId"]
        self.tags = raw["tags"]
        self.parameters = [contract.expand(p) for p in item.get("parameters", []) + raw.get("parameters", [])]
        self.security = raw["security"]
        self.body = None
        self.body_max = 0
        is_signed = raw.get("x-signed", False)  # over the raw body: whatever is wrong with it, its signature tells
        if "requestBody" in raw and not is_signed:
            self.body = contract.expand(raw["requestBody"]["content"]["application/json"]["schema"])
            self.body_max = raw["requestBody"]["x-max-bytes"]
        self.answers = {int(status): contract.expand(answer) for status, answer in raw["responses"].items()}
        self.seen = set()

    @property
    def name(self):
        return f"{self.method} {self.path}"

    @property
    def wants_token(self):
        return bool(self.security) and {} not in self.security

    @property
    def takes_token(self):
        return bool(self.security)

    @property
    def roles(self):
        return self.security[0].get("bearer", []) if self.wants_token else []

    @property
    def is_keyed(self):
        return any(p["name"] == "Idempotency-Key" for p in self.parameters)

    @property
    def query(self):
        return [p for p in self.parameters if p["in"] == "query"]

    @property
    def path_names(self):
        return re.findall(r"\{(\w+)\}", self.path)


class Contract:
    def __init__(self, path):
        with open(path, encoding="utf-8") as source:
            self.document = yaml.safe_load(source)
        self.operations = {}
        for path_name, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    operation = Operation(self, method, path_name, item)
                    self.operations[operation.id] = operation
        self.problem = self.expand(self.document["components"]["schemas"]["Problem"])
        codes = self.document["components"]["schemas"]["ProblemCode"]["oneOf"]
        self.codes = {c["const"]: (int(c["description"]), c["title"]) for c in codes}

    def expand(self, value):
        if isinstance(value, list):
            return [self.expand(v) for v in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            target = self.document
            for part in value["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            beside = {k: self.expand(v) for k, v in value.items() if k != "$ref"}
            return merge(self.expand(copy.deepcopy(target)), beside)
        return {k: self.expand(v) for k, v in value.items()}

    def methods_of(self, path):
        """As the Allow header names them."""
        methods = {m.upper() for m in METHODS if m in self.document["paths"][path]}
        if "GET" in methods:
            methods.add("HEAD")
        return ", ".join(sorted(methods))

    def check(self, operation, answer):
        """What the contract has against this answer to an operation's request: a list of sentences."""
        wrong = []
        declared = operation.answers.get(answer.status)
        operation.seen.add(answer.status)
        if declared is None:
            return [f"{answer.status} is no answer of {operation.name}: {answer.text[:300]}"]
        for name, header in declared.get("headers", {}).items():
            wrong += self.check_header(name, header, answer.headers.get(name))
        if operation.method == "HEAD" or answer.status in (204, 303, 304):
            return wrong + ([f"a body where none may be: {answer.text[:100]}"] if answer.body else [])
        kinds = declared.get("content", {})
        kind = answer.headers.get("Content-Type", "").partition(";")[0]
        if kind not in kinds:
            return wrong + [f"{answer.status} is of type {kind}, not one of {list(kinds)}"]
        if kind.endswith("json"):
            wrong += self.check_json(kinds[kind]["schema"], answer)
        return wrong

    def check_json(self, schema, answer):
        try:
            value = loads(answer.body.decode("utf-8"))
        except ValueError as e:
            return [f"the body is no JSON: {e}: {answer.text[:200]}"]
        error = first_error(close(schema), value)
        wrong = [f"{answer.status} breaks its schema: {error}: {answer.text[:400]}"] if error else []
        return wrong + (self.check_problem(value, answer) if answer.status >= 400 else [])

    @staticmethod
    def check_header(name, header, value):
        if value is None:
            return [f"no header {name}"] if header.get("required") else []
        number = header["schema"].get("type") == "integer"
        error = first_error(header["schema"], int(value) if number and value.isdigit() else value)
        return [f"header {name}: {error}"] if error else []

    def check_problem(self, value, answer):
        """What holds for every problem document, whatever the operation."""
        wrong = []
        status, title = self.codes.get(value.get("code"), (None, None))
        if (status, title) != (answer.status, value.get("title")) or value.get("status") != answer.status:
            wrong.append(f"code {value.get('code')} does not go with {answer.status} and {value.get('title')!r}")
        if value.get("type") != f"/problems/{value.get('code')}":
            wrong.append(f"type {value.get('type')}")
        if value.get("request_id") != answer.headers.get("X-Request-Id"):
            wrong.append("request_id is not X-Request-Id")
        if value.get("code") in ("invalid_field", "unknown_field") and not value.get("errors"):
            wrong.append(f"{value['code']} names no field: {answer.text[:200]}")
        # A phrase whose subject is the field: "must be after sales_start".
        wrong += [f"{e['detail']!r} is no phrase" for e in value.get("errors", []) if not re.fullmatch(r"[a-z].*[^.]", e["detail"], re.S)]
        return wrong

    def check_any_problem(self, answer, status):
        """A refusal that belongs to no operation (404, 405)."""
        if answer.status != status:
            return [f"want {status}, got {answer.status}: {answer.text[:200]}"]
        if answer.headers.get("Content-Type") != PROBLEM:
            return [f"of type {answer.headers.get('Content-Type')}"]
        return self.check_json(self.problem, answer)
