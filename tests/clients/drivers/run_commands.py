"""
Runs commands of ``openstack`` or ``glance`` one after the other in one process, for starting one takes seconds.

Reads a task from standard input, writes what each command printed to standard output, both JSON.
"""

import contextlib
import io
import json
import os
import sys


def openstack(arguments):
    """Run ``openstack`` and return its exit code."""
    from openstackclient.shell import main

    return main(arguments)


def glance(arguments):
    """Run ``glance`` and return its exit code."""
    from glanceclient.shell import OpenStackImagesShell

    return OpenStackImagesShell().main(arguments) or 0


def main():
    """Run all commands, up to the first that fails."""
    task = json.load(sys.stdin)
    program = {"openstack": openstack, "glance": glance}[task["program"]]
    (login,) = task["logins"].values()
    for name, value in {**login["auth"], "auth_type": login["auth_type"], "region_name": login["region_name"]}.items():
        os.environ[f"OS_{name.upper()}"] = value
    outputs = []
    for arguments in task["commands"]:
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            code = program(arguments)
        if code:
            sys.exit(f"{arguments} ended with {code}")
        outputs.append(output.getvalue())
    json.dump(outputs, sys.stdout)


main()
