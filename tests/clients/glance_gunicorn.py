"""Settings of the gunicorn that runs Glance: it ends when whoever started it does, however that ends."""

import os
import signal
import threading

worker_class = "gthread"
# Requests take turns: Glance on SQLite answers 500 (database is locked) to a DELETE that comes while it still
# cleans up after a broken upload.
threads = 1
# A long upload is no reason to kill the worker.
timeout = 0
graceful_timeout = 1
# Its control socket would be one more file in the home folder.
control_socket_disable = True


def when_ready(server):
    """Wait for the end of standard input, whose other end the starter holds."""

    def end_with_starter():
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGQUIT)

    threading.Thread(target=end_with_starter, daemon=True).start()
