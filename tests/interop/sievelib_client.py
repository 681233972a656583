"""Drives a ManageSieve server with Python's sievelib: port, mechanism, user, password."""

import sys

from sievelib.managesieve import Client

port, mechanism, user, password = int(sys.argv[1]), *sys.argv[2:5]
client = Client("localhost", port)
assert client.connect(user, password, starttls=True, authmech=mechanism), client.errmsg
assert client.havespace("lib", 100)
assert client.putscript("lib", 'require ["fileinto"];\nfileinto "Lists";\n'), client.errmsg
assert client.getscript("lib").splitlines()[1] == 'fileinto "Lists";'
assert client.setactive("lib")
assert client.listscripts()[0] == "lib"
assert not client.deletescript("lib")
assert client.errcode == b"ACTIVE", client.errcode
assert client.renamescript("lib", "library")
assert client.checkscript("keep;")
assert not client.putscript("bad", "fileinto;")
assert b"line 1" in client.errmsg, client.errmsg
assert client.setactive("")
assert client.deletescript("library")
client.logout()
print("done")
