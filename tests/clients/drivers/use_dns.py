"""
Uses the DNS service of dns_service.py, with whichever library this Python has, and prints what there was to see.

Reads ``{"login": …}`` from standard input, writes facts to standard output, both JSON.
"""

import json
import sys

from dns_service import use

from ecl import connection

json.dump(dict(use(connection.Connection(**json.load(sys.stdin)["login"]).session)), sys.stdout)
