"""Signals that end a command: Ctrl-C, SIGTERM, and SIGHUP when the terminal is closed."""

from __future__ import annotations

import functools
import os
import signal
import threading
import time
from types import FrameType

__all__ = ["prepare"]

#: Seconds after a signal at which the main thread is woken.
_WAKE_AFTER = (0.1, 1.0)


@functools.cache
def prepare() -> None:
    """
    Let a closed terminal end the command as Ctrl-C does, and let no signal wait for a blocking call.

    Where nohup or the like has SIGHUP ignored, it stays so.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:
        signal.signal(signal.SIGHUP, _end)
    if hasattr(signal, "SIGURG"):
        _wake_main_thread()


def _end(number: int, frame: FrameType | None) -> None:
    # A shell sends the signal again, during the clean-up.
    signal.signal(number, signal.SIG_IGN)
    signal.default_int_handler(number, frame)


def _wake_main_thread() -> None:
    """
    Interrupt the main thread's blocking call after each signal, by a signal that does nothing else.

    Python runs signal handlers in the main thread, between its own instructions. A signal that arrives just before a
    blocking call begins would be handled only when the call returns: on a silent connection after ten minutes.
    """
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.signal(signal.SIGURG, lambda _number, _frame: None)
    # The C level handler writes the number of each signal there at once, whatever the main thread is doing.
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    main = threading.main_thread().ident
    assert main is not None

    def watch() -> None:
        while True:
            if set(os.read(read, 64)) <= {signal.SIGURG}:
                continue
            for seconds in _WAKE_AFTER:
                time.sleep(seconds)
                signal.pthread_kill(main, signal.SIGURG)

    threading.Thread(target=watch, name="signals", daemon=True).start()
