"""badinput.py - every way to get a request wrong that its schema knows of, one at a time.

A case is a whole body, made of a good one by one change, with what is to be answered. What is bad is what the schema refuses; where
the change is, the answer's pointer must be.
"""
import copy
import json

from contract import validator

RAW = "\ue000raw\ue001"  # stands for a piece of JSON that Python would not write


class Case:
    def __init__(self, name, body, codes, pointer=None):
        self.name = name
        self.body = body  # bytes
        self.codes = codes  # any of these
        self.pointer = pointer  # at or below which something is wrong; None: nowhere


def encode(value, raw=None):
    text = json.dumps(value, ensure_ascii=False)
    if raw is not None:
        text = text.replace(json.dumps(RAW, ensure_ascii=False), raw)
    return text.encode("utf-8", "surrogatepass")


def escape(name):
    return name.replace("~", "~0").replace("/", "~1")


def pointer_of(path):
    return "".join(f"/{escape(str(p))}" for p in path)


def changed(body, path, value):
    """The body with another value there; a path that ends where nothing is adds it."""
    if not path:
        return value
    result = copy.deepcopy(body)
    at = result
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = value
    return result


def removed(body, path):
    result = copy.deepcopy(body)
    at = result
    for part in path[:-1]:
        at = at[part]
    del at[path[-1]]
    return result


# --- Walking ---

def branch_of(schema, value):
    """Of a choice, the branch that the value is of."""
    for branch in schema.get("anyOf", []):
        if validator(branch).is_valid(value):
            return branch_of(branch, value)
    return schema


def walk(schema, value, path=()):
    """All nodes of a body: (schema, path, value); members that are not there come with no value."""
    yield schema, path, value
    inner = branch_of(schema, value)
    if isinstance(value, dict):
        for name, member in inner.get("properties", {}).items():
            if name in value:
                yield from walk(member, value[name], path + (name,))
            else:
                yield member, path + (name,), None
    elif isinstance(value, list) and value and "items" in inner:
        yield from walk(inner["items"], value[0], path + (0,))


def allows(schema, kind):
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    return kind in types or any(allows(branch, kind) for branch in schema.get("anyOf", []))


def limit(schema, name):
    if name in schema:
        return schema[name]
    for branch in schema.get("anyOf", []):
        if limit(branch, name) is not None:
            return limit(branch, name)
    return None


def formats_of(schema):
    found = {schema["format"]} if "format" in schema else set()
    for branch in schema.get("anyOf", []):
        found |= formats_of(branch)
    return found


# --- Values ---

OF_EVERY_TYPE = [None, True, False, 0, -1, 1.5, "", " ", "x", "\u00e9", [], [None], [[]], {}]

TIMES = ["2027-02-29T10:00:00Z", "2027-04-31T10:00:00Z", "2027-13-01T10:00:00Z", "2027-00-01T10:00:00Z", "2027-01-01T24:00:00Z",
         "2027-01-01T10:60:00Z", "2027-01-01T10:00:60Z", "2027-01-01", "10:00:00Z", "2027-01-01 10:00:00Z", "2027-01-01T10:00Z",
         "27-01-01T10:00:00Z", "2027-01-01T10:00:00+24:00", "2027-01-01T10:00:00+0200", "2027-1-1T10:00:00Z", "0000-01-01T00:00:00Z",
         "+2027-01-01T10:00:00Z", "2027-01-01T10:00:00.Z", "2027-01-01T10:00:00ZZ", "now", "1800000000"]
BAD_BY_FORMAT = {
    "date-time": TIMES,
    "date": ["2027-02-29", "2027-2-3", "20270203", "2027-02-03T"],
    "wall-time": ["2027-02-29T10:00:00", "2027-01-01T24:00:00", "2027-01-01T10:00", "2027-01-01T10:00:00.5x"],
    "timezone": ["Mars/Olympus", "../../etc/passwd", "/etc/localtime", "Europe/", "europe/berlin", "UTC+2", "Europe/Berlin ", "."],
    "currency": ["eur", "ZZZ", "EU", "EURO", "E R", "\u20ac\u20ac\u20ac"],
    "email": ["plain", "@example.com", "a@", "a@@example.com", "a b@example.com", "a@exa mple.com", "a@-x.com", "a@x..com", "a@1.2.3.4",
              '"a"@example.com', "a@example.com\n", "a\u00e9@example.com", "x" * 65 + "@example.com", "a@" + "x" * 64 + ".com"],
    "text": ["a\u0001b", "a\rb", "a\u007fb", "a\u0085b"],
}
ID_MISTAKES = [lambda i: i.upper(), lambda i: i[:-1], lambda i: i + "0", lambda i: "xxx" + i[i.index("_"):], lambda i: i[i.index("_") + 1:],
               lambda i: i[: i.index("_") + 1] + "8" + i[i.index("_") + 2:], lambda i: i[:-1] + "u", lambda i: i[: i.index("_") + 1] + "0" * 26]
NUMBERS = ["1.0", "1e2", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "1" + "0" * 40, "1e400"]


def strings(schema, value):
    """Strings beyond the bounds of the schema, and beside its patterns."""
    if limit(schema, "maxLength") is not None:
        yield "x" * (limit(schema, "maxLength") + 1)
        yield "\u00e9" * (limit(schema, "maxLength") + 1)
    if (limit(schema, "minLength") or 0) > 1:
        yield "x" * (limit(schema, "minLength") - 1)
    for name in formats_of(schema):
        yield from BAD_BY_FORMAT.get(name, [])
    for word in schema.get("enum", []):
        if isinstance(word, str):
            yield from (word.upper(), word + " ", word[:-1])
    if isinstance(value, str) and "pattern" in schema and "_" in value and len(value) > 26:
        for mistake in ID_MISTAKES:
            yield mistake(value)


def wrong_values(schema, value):
    """Values that the schema refuses."""
    check = validator(schema)
    candidates = list(OF_EVERY_TYPE) + list(strings(schema, value))
    for name, step in (("minimum", -1), ("maximum", 1)):
        if limit(schema, name) is not None:
            candidates.append(limit(schema, name) + step)
    if isinstance(value, list) and value and limit(schema, "maxItems"):
        candidates.append([value[0]] * (limit(schema, "maxItems") + 1))
    seen = set()
    for candidate in candidates:
        key = json.dumps(candidate)
        # The zero id has the shape of one, and means that there is none.
        is_zero_id = isinstance(candidate, str) and candidate.endswith("_" + "0" * 26)
        if key not in seen and (is_zero_id or not check.is_valid(candidate)):
            seen.add(key)
            yield candidate


# --- Cases ---

INVALID = ("invalid_field",)


def shown(value):
    text = json.dumps(value)
    return text if len(text) < 40 else f"{text[:30]}...({len(text)})"


def node_cases(good, schema, path, value):
    where = pointer_of(path)
    for wrong in wrong_values(schema, value):
        yield Case(f"{where or '/'} is {shown(wrong)}", encode(changed(good, path, wrong)), INVALID, where)
    if allows(schema, "integer"):
        for number in NUMBERS:
            known = number.lstrip("-").isdigit() and (limit(schema, "minimum") or 0) <= int(number) <= (limit(schema, "maximum") or 0)
            if not known:
                yield Case(f"{where} is {number}", encode(changed(good, path, RAW), number), INVALID + ("malformed",), where)
    inner = branch_of(schema, value)
    if isinstance(value, dict):
        for name in inner.get("required", []):
            if name in value:
                yield Case(f"{where}/{name} is missing", encode(removed(good, path + (name,))), INVALID, pointer_of(path + (name,)))
        for name in ("surprise", "a/b~c", ""):
            if name not in inner.get("properties", {}) and inner.get("additionalProperties") is not True:  # true: any member may come
                body = changed(good, path, {**value, name: 1})
                yield Case(f"{where} has {name!r}", encode(body), ("unknown_field",), pointer_of(path + (name,)))
    if isinstance(value, str):
        yield Case(f"{where} has NUL", encode(changed(good, path, RAW), '"a\\u0000b"'), INVALID + ("malformed",))
        yield Case(f"{where} has half a surrogate pair", encode(changed(good, path, RAW), '"a\\ud800b"'), INVALID + ("malformed",))
        yield Case(f"{where} is broken UTF-8", encode(changed(good, path, RAW), '"RAW"').replace(b"RAW", b"a\xff\xc3b"), ("malformed",))


def document_cases(good):
    """What is no JSON, or no object."""
    text = encode(good)
    broken = {
        "nothing": b"", "blanks": b" \n ", "cut": text[:-1], "trailing comma": text[:-1] + b",}", "two documents": text + text,
        "trailing text": text + b"x", "single quotes": text.replace(b'"', b"'"), "a comment": b"/* */" + text, "NaN": b'{"a":NaN}',
        "a byte order mark": b"\xef\xbb\xbf" + text, "UTF-16": text.decode().encode("utf-16"), "Latin-1": b'{"a":"\xe9"}', "NUL": b"\x00" + text,
        "overlong UTF-8": b'{"a":"\xc0\xaf"}', "a surrogate in UTF-8": b'{"a":"\xed\xa0\x80"}', "deep lists": b'{"a":' + b"[" * 200 + b"]" * 200 + b"}",
        "very deep lists": b"[" * 4000, "deep objects": b'{"a":' * 200 + b"1" + b"}" * 200, "a number": b"+1",
        "hex": b'{"a":0x10}', "a bare word": b"true false",
        "a doubled member": b"{" + text[1:-1] + b"," + text[1:-1] + b"}",
    }
    for name, body in broken.items():
        yield Case(f"the body is {name}", body, ("malformed",))
    for body in (b"null", b"true", b"1", b'"x"', b"[]", b"[{}]"):
        yield Case(f"the body is {body.decode()}", body, ("malformed",) + INVALID)


def bodies(schema, good):
    yield from document_cases(good)
    for node, path, value in walk(schema, good):
        if path:
            yield from node_cases(good, node, path, value)
        else:
            yield from (case for case in node_cases(good, node, path, value) if isinstance(loads_or_none(case.body), dict))


def loads_or_none(body):
    try:
        return json.loads(body)
    except ValueError:
        return None


def boundary_bodies(schema, good):
    """The good body with one value as long or as large as it may be: (pointer, body)."""
    for node, path, value in walk(schema, good):
        if not path:
            continue
        if formats_of(node) == {"text"} and limit(node, "maxLength") and "pattern" not in node:
            for letter in ("x", "\u00e9", "\U0001f3ab"):
                yield pointer_of(path), changed(good, path, letter * limit(node, "maxLength"))
            yield pointer_of(path), changed(good, path, "x" * (limit(node, "minLength") or 0))
        if allows(node, "integer") and limit(node, "maximum") is not None:
            yield pointer_of(path), changed(good, path, limit(node, "minimum"))
            yield pointer_of(path), changed(good, path, limit(node, "maximum"))
        if allows(node, "null"):
            yield pointer_of(path), changed(good, path, None)
        if isinstance(value, list) and value and isinstance(value[0], str) and limit(node, "maxItems") and "pattern" not in node["items"]:
            yield pointer_of(path), changed(good, path, [value[0]] * limit(node, "maxItems"))
            yield pointer_of(path), changed(good, path, [f"{value[0]} {i}" for i in range(limit(node, "maxItems"))])
            yield pointer_of(path), changed(good, path, [])


# --- Queries ---

def bad_queries(parameter, good):
    """(name, query string, code) of one parameter that is wrong."""
    name, schema = parameter["name"], parameter["schema"]
    if not parameter.get("allowEmptyValue"):
        yield f"{name} is empty", f"{name}=", "invalid_field"
    yield f"{name} without =", name, "invalid_field"
    yield f"{name} has a broken escape", f"{name}=%zz", "malformed"
    yield f"{name} ends in an escape", f"{name}=a%4", "malformed"
    yield f"{name} is no UTF-8", f"{name}=%ff%fe", "malformed"
    yield f"{name} has NUL", f"{name}=a%00b", "malformed"
    if good is not None:
        yield f"{name} comes twice", f"{name}={good}&{name}={good}", "invalid_field"
    words = ["x", "-1", "1.5", "\u00e9", "x" * 3000, "99999999999999999999", "0x10", "1e3", "true", "2027-02-30", "2027-02-30T00:00:00Z"]
    words += list(strings(schema, good)) if isinstance(good, str) else []
    words += [str(limit(schema, bound) + step) for bound, step in (("minimum", -1), ("maximum", 1)) if limit(schema, bound) is not None]
    check = validator(schema)
    for word in words:
        value = word
        if schema.get("type") == "integer" and word.lstrip("-").isdigit():
            value = int(word)
        if schema.get("type") == "boolean":
            value = {"true": True, "false": False}.get(word, word)
        if not check.is_valid(value):
            yield f"{name} is {shown(word)}", (name, word), "invalid_field"
