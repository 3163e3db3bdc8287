#!/usr/bin/env python3
"""rows.py OPENAPI OUTPUT: the routes and codes of the contract as rows of C, for routes_test.c."""
import sys

import yaml

METHODS = ("get", "head", "post", "put", "delete")


def auth_of(operation):
    """The column `auth` of a route, from the operation's security."""
    security = operation["security"]
    if not security:
        return "AUTH_NONE"
    if {} in security:
        return "AUTH_OPTIONAL"
    (requirement,) = security
    roles = requirement["bearer"]
    return {(): "AUTH_USER", ("customer",): "AUTH_CUSTOMER", ("vendor", "admin"): "AUTH_VENDOR", ("admin",): "AUTH_ADMIN"}[tuple(roles)]


def resolve(document, value):
    if "$ref" not in value:
        return value
    for part in value["$ref"].removeprefix("#/").split("/"):
        document = document[part]
    return document


def is_keyed(document, operation):
    parameters = [resolve(document, p) for p in operation.get("parameters", [])]
    return any(p["in"] == "header" and p["name"] == "Idempotency-Key" and p.get("required") for p in parameters)


def main():
    with open(sys.argv[1], encoding="utf-8") as source:
        document = yaml.safe_load(source)
    rows = ["static const struct route contract_routes[] = {"]
    for path, item in document["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            operation = item[method]
            body_max = operation["requestBody"]["x-max-bytes"] if "requestBody" in operation else 0
            idempotency = "KEYED" if is_keyed(document, operation) else "UNKEYED"
            rows.append(f'    {{METHOD_{method.upper()}, "{path}", NULL, {auth_of(operation)}, {body_max}, {idempotency}, ON_WORKER}},')
    rows += ["};", "static const struct contract_code contract_codes[] = {"]
    for code in document["components"]["schemas"]["ProblemCode"]["oneOf"]:
        rows.append(f'    {{{int(code["description"])}, "{code["const"]}", "{code["title"]}"}},')
    rows += ["};", ""]
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        out.write("\n".join(rows))


main()
