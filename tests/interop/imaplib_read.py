"""Prints the newest message of INBOX as it is. Arguments: port, user, password."""

import imaplib
import sys

port, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3]
with imaplib.IMAP4("127.0.0.1", port) as client:
    client.login(user, password)
    status, data = client.select("INBOX", readonly=True)
    assert status == "OK", data
    status, data = client.fetch(data[0].decode("ascii"), "(BODY.PEEK[])")
    assert status == "OK", data
    sys.stdout.buffer.write(data[0][1])
