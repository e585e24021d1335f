"""
Logs in with openstacksdk as configurations say, and prints what it made of them.

Reads cases from standard input and answers on standard output, both a line of JSON each. Runs by openstacksdk's own
interpreter, once for the whole corpus.
"""

import importlib
import json
import os
import sys
import warnings

import openstack
from openstack.config import loader


def main():
    """Answer one case after the other."""
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        print(json.dumps(outcome(json.loads(line))), flush=True)


def outcome(case):
    """Connect as *case* says, and ask for images; return the TLS arguments and the timeout, or what went wrong."""
    os.environ.clear()
    os.environ.update(case["environ"])
    os.chdir(case["folder"])
    # The search path is made when the module is imported.
    importlib.reload(loader)
    seen = {}
    try:
        arguments = {"cloud": case["cloud"], "region_name": case["region"], **case["arguments"]}
        region = loader.OpenStackConfig().get_one(**arguments)
        session = region.get_session()
        seen = {"verify": session.verify, "cert": session.cert, "timeout": session.timeout}
        list(openstack.connection.Connection(config=region).image.images(paginated=False))
    except Exception as exc:
        seen["error"] = f"{type(exc).__name__}: {exc}"
    return seen


main()
