"""
Runs commands of ``openstack`` or ``glance`` (its one argument), each in a fork of this process: starting one takes
seconds, most of them for imports.

The first line of standard output is a list of all verbs that the program has for images. Then each line of standard
input is a command's list of arguments, and each further line of standard output says what became of it (``code``,
``out``, ``err``). All of it is JSON.
"""

import contextlib
import io
import json
import os
import sys
import tempfile
from importlib import metadata


class OpenStack:
    """``openstack``: its plug-in for images names the commands."""

    def __init__(self):
        from openstack import connection  # noqa: F401 - every command would import it
        from openstackclient.shell import main

        self._main = main
        commands = metadata.entry_points(group="openstack.image.v2")
        self.verbs = [entry.name.replace("_", " ") for entry in commands]
        with contextlib.redirect_stdout(io.StringIO()):
            main(["help", "image", "list"])

    def run(self, arguments):
        """Run one command and return its exit code."""
        return self._main(arguments)


class Glance:
    """``glance``: its help names the commands."""

    def __init__(self):
        from glanceclient import shell

        self._main = shell.main
        parser = shell.OpenStackImagesShell()
        parser.get_subcommand_parser(2)
        # The underlined one is another spelling.
        self.verbs = sorted(set(parser.subcommands) - {"bash_completion"})

    def run(self, arguments):
        """Run one command and return its exit code."""
        sys.argv = ["glance", *arguments]
        return self._main()


def run(program, arguments, terminal):
    """Run one command in a process of its own, and return what became of it."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            # Commands that take an image from standard input look for one there, unless it is a terminal.
            for number, file in enumerate((terminal, out.fileno(), err.fileno())):
                os.dup2(file, number)
            os._exit(_code_of(program, arguments))
        _, status = os.waitpid(child, 0)
        for file in (out, err):
            file.seek(0)
        said = {"out": out.read().decode(), "err": err.read().decode()}
    return {"code": os.waitstatus_to_exitcode(status), **said}


def _code_of(program, arguments):
    try:
        code = program.run(arguments) or 0
    except SystemExit as exc:
        code = exc.code or 0
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return code


def main():
    """Run all commands that come."""
    program = {"openstack": OpenStack, "glance": Glance}[sys.argv[1]]()
    terminal = os.openpty()[1]
    print(json.dumps(program.verbs), flush=True)
    for line in sys.stdin:
        print(json.dumps(run(program, json.loads(line), terminal)), flush=True)


main()
