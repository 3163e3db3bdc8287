#!/usr/bin/env python3
"""support/mail_check.py - reads a message with Python's email package and tells what it found.

  mail_check.py FILE...

Fails (exit 1, a reason on standard error) if the message is not CRLF lines of 7-bit text of at most
998 bytes, if a header line is longer than 78 bytes although it has a place to fold, or if the parser
met a defect. Else prints, values as JSON texts:

  from NAME ADDRESS
  to NAME ADDRESS
  subject TEXT
  date RFC3339
  HEADER TEXT            all others but Content-*, in their order, names in lower case
  PATH TYPE key=VALUE... one line a part; PATH is 0, 0.0, 0.1 and so on

and a form feed between one file and the next.
"""

import email
import email.header
import email.policy
import email.utils
import hashlib
import json
import re
import sys


def fail(reason):
    print("mail_check: " + reason, file=sys.stderr)
    sys.exit(1)


def text(value):
    return json.dumps(value, ensure_ascii=False)


def check_lines(raw):
    if not raw.endswith(b"\r\n"):
        fail("does not end with CRLF")
    if re.search(rb"\r(?!\n)|(?<!\r)\n", raw):
        fail("bare CR or LF")
    if re.search(rb"[^\t\r\n -~]", raw):
        fail("not 7-bit text")
    for line in raw.split(b"\r\n"):
        if len(line) > 998:
            fail("line of %d bytes" % len(line))
    for line in raw.split(b"\r\n\r\n", 1)[0].split(b"\r\n"):
        if len(line) > 78 and b" " in line.split(b": ", 1)[-1].strip():
            fail("header line of %d bytes: %s" % (len(line), line.decode()))


def check_encoded_words(raw):
    for word in re.findall(rb"=\?[^?]*\?[^?]*\?[^?]*\?=", raw.split(b"\r\n\r\n", 1)[0]):
        if len(word) > 75:
            fail("encoded word of %d bytes" % len(word))
        # Each must be whole by itself (RFC 2047 5): decodes to text without its neighbours.
        email.header.make_header(email.header.decode_header(word.decode()))


def show_mailbox(raw, name):
    # By the older of the two parsers: the newer one puts blanks between the encoded words of a name
    # (RFC 2047 6.2 takes them away).
    for display_name, address in email.utils.getaddresses(email.message_from_bytes(raw).get_all(name)):
        print(name, text(str(email.header.make_header(email.header.decode_header(display_name)))), text(address))


def show_headers(raw, message):
    show_mailbox(raw, "from")
    show_mailbox(raw, "to")
    print("subject", text(str(message["subject"])))
    print("date", message["date"].datetime.isoformat())
    for name, value in message.items():
        name = name.lower()
        if name not in ("from", "to", "subject", "date") and not name.startswith("content-"):
            print(name, text(str(value)))


def show_part(part, path):
    facts = [path, part.get_content_type()]
    if part.is_multipart():
        if part.get_param("type") is not None:
            facts.append("type=" + part.get_param("type"))
    else:
        facts.append("encoding=" + str(part["content-transfer-encoding"]))
        if part.get_content_maintype() == "text" and part.get_content_disposition() is None:
            facts.append("charset=" + part.get_content_charset())
            facts.append("text=" + text(part.get_payload(decode=True).decode("utf-8").replace("\r\n", "\n")))
        else:
            content = part.get_payload(decode=True)
            facts.append("size=%d sha256=%s" % (len(content), hashlib.sha256(content).hexdigest()))
    if part["content-id"] is not None:
        facts.append("cid=" + part["content-id"])
    if part.get_content_disposition() is not None:
        facts.append("disposition=" + part.get_content_disposition())
    if part.get_filename() is not None:
        facts.append("file=" + text(part.get_filename()))
    print(*facts)
    if part.defects:
        fail("%s: %s" % (path, part.defects))
    for name, value in part.items():
        if getattr(value, "defects", ()):
            fail("%s %s: %s" % (path, name, value.defects))
    for i, child in enumerate(part.iter_parts() if part.is_multipart() else ()):
        show_part(child, "%s.%d" % (path, i))


def main():
    sys.stdout.reconfigure(encoding="utf-8")
    for i, path in enumerate(sys.argv[1:]):
        with open(path, "rb") as file:
            raw = file.read()
        check_lines(raw)
        check_encoded_words(raw)
        message = email.message_from_bytes(raw, policy=email.policy.default)
        print("\f" if i > 0 else "", end="")
        show_headers(raw, message)
        show_part(message, "0")


if __name__ == "__main__":
    main()
