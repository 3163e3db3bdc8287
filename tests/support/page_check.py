#!/usr/bin/env python3
"""support/page_check.py - reads a page with Python's HTML parser and tells what a browser would make of it.

  page_check.py FILE

Fails (exit 1, a reason on standard error) if an element is left open or closed twice, if a script is inline (unless it is JSON-LD, which must then be JSON)
or not ours, if there is a style element or attribute, an event handler, a link that is neither a path nor http(s), an attribute without a value that should
have one, or any element but those that the pages are made of. Else prints, values as JSON texts:

  title TEXT
  ld NAME              of JSON-LD
  meta NAME CONTENT
  link HREF TEXT
  input NAME VALUE LABEL
  text TEXT            each piece of text, trimmed, in its order
"""

import html.parser
import json
import sys

VOID = {"meta", "link", "input", "br", "img"}
KNOWN = VOID | {"html", "bdi", "head", "title", "script", "body", "header", "main", "h1", "h2", "form", "button", "ul", "li", "a", "span", "p", "section", "div",
                "label", "select", "option", "output", "noscript"}


def fail(reason):
    print("page_check: " + reason, file=sys.stderr)
    sys.exit(1)


def text(value):
    return json.dumps(value, ensure_ascii=False)


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open = []
        self.links = []

    def handle_starttag(self, tag, attrs):
        if tag not in KNOWN:
            fail("element <%s>" % tag)
        self.check_attributes(tag, attrs)
        given = dict(attrs)
        if tag == "meta" and "content" in given and given.get("name") != "viewport":
            print("meta", text(given.get("name") or given.get("property")), text(given["content"]))
        if tag == "input":
            print("input", text(given.get("name") or given.get("data-type")), text(given.get("value")), text(given.get("aria-label")))
        if tag == "a":
            self.links.append((given["href"], []))
        if tag not in VOID:
            self.open.append("ld" if tag == "script" and "src" not in given else tag)

    def check_attributes(self, tag, attrs):
        names = [name for name, _ in attrs]
        if len(set(names)) != len(names):
            fail("<%s> with an attribute twice: %s" % (tag, names))
        for name, value in attrs:
            if name.startswith("on") or name == "style":
                fail("<%s %s>" % (tag, name))
            if name in ("href", "src", "action") and not value.startswith(("/", "http://", "https://")):
                fail("<%s %s=%s>" % (tag, name, text(value)))
            if value is None and name not in ("hidden", "defer", "required"):
                fail("<%s %s> without a value" % (tag, name))
        if tag == "script" and dict(attrs).get("src") != "/assets/page.js" and attrs != [("type", "application/ld+json")]:
            fail("a script that is not ours: %s" % attrs)

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] not in (tag, "ld" if tag == "script" else tag):
            fail("</%s> in %s" % (tag, self.open))
        self.open.pop()
        if tag == "a":
            href, words = self.links.pop()
            print("link", text(href), text(" ".join(words)))

    def handle_data(self, data):
        data = data.strip()
        if not data:
            return
        if "ld" in self.open:
            print("ld", text(json.loads(data)["name"]))
            return
        if "script" in self.open:
            fail("inline script: " + text(data))
        for _, words in self.links:
            words.append(data)
        print("title" if "title" in self.open else "text", text(data))

    def handle_comment(self, data):
        fail("comment " + text(data))


def main():
    sys.stdout.reconfigure(encoding="utf-8")
    page = Page()
    with open(sys.argv[1], encoding="utf-8") as file:
        page.feed(file.read())
    page.close()
    if page.open:
        fail("left open: %s" % page.open)


if __name__ == "__main__":
    main()
