"""Reads messages (base64, one a line) and prints what Python's email package sees in them, as JSON lines."""
import base64
import email
import email.header
import email.policy
import email.utils
import json
import sys


def tree(part):
    kind = part.get_content_type().upper()
    if part.is_multipart():
        return [kind, [tree(child) for child in part.get_payload()]]
    payload = part._payload  # as it was sent; get_payload() guesses at 8-bit text
    return [kind, payload.encode("ascii", "surrogateescape").decode("latin1")]


def addresses(values):
    try:
        # The strict reading of newer versions refuses domain literals, which RFC 5322 allows.
        return email.utils.getaddresses(values, strict=False)
    except TypeError:
        return email.utils.getaddresses(values)


for line in sys.stdin:
    message = email.message_from_bytes(base64.b64decode(line), policy=email.policy.compat32)
    date = email.utils.parsedate_tz(message["Date"]) if message["Date"] else None
    try:
        subject = str(email.header.make_header(email.header.decode_header(message["Subject"]))) if message["Subject"] else None
    except (LookupError, ValueError):
        subject = None
    print(json.dumps({
        "tree": tree(message),
        "date": email.utils.mktime_tz(date) if date else None,
        "to": addresses(message.get_all("To", [])),
        "subject": subject,
    }))
