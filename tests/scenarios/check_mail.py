#!/usr/bin/env python3
"""check_mail.py OUTBOX ADDRESS TICKETS: the newest confirmation to ADDRESS has its texts, its QR codes in place, the PDF and the calendar."""
import email
import email.policy
import pathlib
import sys

outbox, address, count = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
mails = [email.message_from_bytes(p.read_bytes(), policy=email.policy.default) for p in sorted(outbox.glob("*.eml"))]
mine = [m for m in mails if address in m["To"]]
assert len(mine) == 1, f"{len(mine)} mails to {address}"
mail = mine[0]
parts = list(mail.walk())
kinds = [p.get_content_type() for p in parts]
text = mail.get_body(("plain",)).get_content()
html = mail.get_body(("html",)).get_content()
images = [p for p in parts if p.get_content_type() == "image/png"]
assert text.count("T1:") == count, text
assert len(images) == count and all(p["Content-ID"].strip("<>") in html for p in images), kinds
pdf = next(p for p in parts if p.get_content_type() == "application/pdf")
assert pdf.get_content().startswith(b"%PDF-") and pdf.get_filename() == "tickets.pdf"
assert any(p.get_content_type() == "text/calendar" for p in parts), kinds
assert mail["Message-ID"] and mail["Date"] and mail["Subject"].startswith("Your tickets: "), mail["Subject"]
