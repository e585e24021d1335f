"""Signals of a command: none waits until a blocking call returns."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

#: The main thread blocks the signal, so another thread gets it: as when it comes just before a blocking call begins.
SCRIPT = """
import os, signal, socket, sys, threading
from ecl.cli import _signals

number = int(sys.argv[1])
signal.signal(signal.SIGTERM, signal.default_int_handler)
started = threading.Event()

def send():
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    started.wait()
    os.kill(os.getpid(), number)

signal.pthread_sigmask(signal.SIG_BLOCK, {number})
threading.Thread(target=send, daemon=True).start()
_signals.prepare()
silent, other = socket.socketpair()
silent.settimeout(20)
started.set()
try:
    silent.recv(1)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_reaches_a_blocking_call(number: signal.Signals) -> None:
    """A signal that the main thread does not notice itself interrupts what it waits for."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(int(number))], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout == "interrupted\n", done.stderr
