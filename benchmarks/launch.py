"""
Runs a command and writes what it used as one line of JSON: ``launch.py REPORT COMMAND ...``.

A process of its own because a child's peak memory counts that of whoever forked it: this one is small, and imports
nothing that makes it larger. It therefore reports no peak below its own, about 8 MiB.
"""

import os
import signal
import sys
import time


def main() -> int:
    """Run the command; return its exit code. SIGTERM here is SIGKILL there."""
    report, command = sys.argv[1], sys.argv[2:]
    began = time.monotonic()
    child = os.posix_spawnp(command[0], command, os.environ)
    signal.signal(signal.SIGTERM, lambda _number, _frame: os.kill(child, signal.SIGKILL))
    _, status, used = os.wait4(child, 0)
    seconds = time.monotonic() - began
    with open(report, "w") as file:
        file.write(
            f'{{"seconds": {seconds}, "cpu": {used.ru_utime + used.ru_stime}, "peak": {used.ru_maxrss * 1024}}}\n'
        )
    return os.waitstatus_to_exitcode(status) & 0xFF


sys.exit(main())
