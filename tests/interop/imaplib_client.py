"""What Python's imaplib does with a mailbox. Arguments: port, user, password. Ends with an assertion or "done"."""

import imaplib
import ssl
import sys
import time

port, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3]
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE


def good(answer):
    status, data = answer
    assert status == "OK", answer
    return data


def message(number):
    return (
        f"From: sender@example.org\r\nTo: reader@example.org\r\nSubject: number {number}\r\n"
        f"Message-ID: <{number}@imaplib.example.org>\r\n\r\nBody {number}\r\n.\r\nÄÖÜ\r\n"
    ).encode("utf-8")


with imaplib.IMAP4("localhost", port) as client:
    good(client.starttls(context))
    good(client.login(user, password))
    assert client.state == "AUTH"
    for name in ("Entwürfe", "Plain", "Plain/Below"):
        encoded = name.encode("utf-7").decode("ascii").replace("+", "&")
        good(client.create(encoded))
        good(client.subscribe(encoded))
    listed = b"\n".join(good(client.list()))
    assert b"Entw&APw-rfe" in listed and b"Plain/Below" in listed, listed

    for number in range(1, 11):
        when = imaplib.Time2Internaldate(1_700_000_000 + number)
        good(client.append("Plain", "(\\Seen $Label1)" if number % 2 else None, when, message(number)))
    assert good(client.select("Plain")) == [b"10"]

    # Flags and dates as they were given, bytes as they were sent.
    for number in range(1, 11):
        data = good(client.fetch(str(number), "(FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])"))
        head, body = data[0]
        assert body == message(number), body
        assert str(len(body)).encode() in head
        assert (b"$Label1" in head + data[1]) == bool(number % 2), data
        told = imaplib.Internaldate2tuple(head + data[1])
        assert time.mktime(told) == 1_700_000_000 + number, told

    assert good(client.search(None, "SEEN")) == [b"1 3 5 7 9"]
    assert good(client.search(None, "KEYWORD", "$Label1", "SUBJECT", '"number 7"')) == [b"7"]
    assert good(client.uid("SEARCH", "TEXT", '"Body 3"')) == [b"3"]
    assert good(client.search("UTF-8", "BODY", '"Body"', "NOT", "SEEN")) == [b"2 4 6 8 10"]

    good(client.store("2:4", "+FLAGS", "(\\Flagged \\Answered)"))
    assert good(client.search(None, "FLAGGED")) == [b"2 3 4"]
    good(client.store("3", "-FLAGS", "\\Flagged"))
    good(client.store("4", "FLAGS", "(\\Draft)"))
    assert good(client.search(None, "FLAGGED")) == [b"2"]
    assert good(client.search(None, "DRAFT")) == [b"4"]

    good(client.copy("1:3", "Entw&APw-rfe"))
    assert "MOVE" in client.capabilities or "MOVE" in str(client.capability())
    good(client.uid("MOVE", "9:10", "Plain/Below"))
    status = good(client.status("Plain/Below", "(MESSAGES UNSEEN UIDNEXT)"))[0]
    for item in (b"MESSAGES 2", b"UNSEEN 1", b"UIDNEXT 3"):
        assert item in status, status
    good(client.store("1", "+FLAGS", "\\Deleted"))
    assert good(client.expunge())[-1] == b"1"  # behind those that MOVE told
    assert good(client.uid("SEARCH", None, "ALL")) == [b"2 3 4 5 6 7 8"]

    # IDLE by hand: this imaplib has none. Another connection's change must be told.
    client.send(b"I1 IDLE\r\n")
    assert client.readline().startswith(b"+ ")
    with imaplib.IMAP4_SSL("localhost", int(sys.argv[4]), ssl_context=context) as other:
        good(other.login(user, password))
        good(other.append("Plain", None, None, message(11)))
    line = client.readline()
    while not line.startswith(b"* 8 EXISTS"):
        assert line.startswith(b"* "), line
        line = client.readline()
    client.send(b"DONE\r\n")
    while not line.startswith(b"I1 OK"):
        line = client.readline()
        assert line, "the connection ended"

    good(client.rename("Plain/Below", "Elsewhere"))
    good(client.close())
    good(client.delete("Elsewhere"))
    assert b"Elsewhere" not in b"\n".join(good(client.list()))
    try:
        client.select("Nowhere")
        assert client.state == "AUTH"
    except imaplib.IMAP4.error as error:
        raise AssertionError(error)

print("done")
