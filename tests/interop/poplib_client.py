"""Python's poplib against a POP3 server: argv is port, TLS port, certificate, user, password."""

import poplib
import ssl
import sys

port, tls_port, certificate, user, password = sys.argv[1:]
context = ssl.create_default_context(cafile=certificate)

# STLS, then USER and PASS.
pop = poplib.POP3("localhost", int(port), timeout=20)
assert "STLS" in pop.capa()
pop.stls(context)
assert "USER" in pop.capa() and "STLS" not in pop.capa()
pop.utf8()
pop.user(user)
pop.pass_(password)
count, size = pop.stat()
assert count == 4, count
_, listing, _ = pop.list()
assert len(listing) == count
assert sum(int(line.split()[1]) for line in listing) == size
_, ids, _ = pop.uidl()
assert len({line.split()[1] for line in ids}) == count
_, lines, _ = pop.retr(1)
assert lines[-1] == b".a line that begins with a dot", lines[-1]
_, lines, _ = pop.top(1, 0)
assert lines[-1] == b"" and b"Subject: message 0" in lines
pop.dele(2)
pop.rset()
pop.dele(4)
pop.quit()

# TLS from the first byte, APOP.
pop = poplib.POP3_SSL("localhost", int(tls_port), context=context, timeout=20)
pop.apop(user, password)
assert pop.stat()[0] == 3
try:
    poplib.POP3_SSL("localhost", int(tls_port), context=context, timeout=20).apop(user, password)
except poplib.error_proto as error:
    assert b"[IN-USE]" in error.args[0], error
else:
    raise AssertionError("two sessions at a time")
pop.quit()
print("done")
