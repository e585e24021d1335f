"""Settings of the gunicorn that runs a peer: it ends when the process that started it does, however that ends."""

import contextlib
import os
import signal
import threading

wsgi_app = os.environ["PEER_APPLICATION"]
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


def post_worker_init(worker):
    """
    Let whoever will write to SQLite wait for its turn before it reads.

    Glance reads first. When a background task and a request do so at the same time (a GET of /v2/tasks writes, too),
    SQLite ends one of them at once ("database is locked"), and the task stays as it was for ever.
    """
    if "GLANCE_WRITERS_WAIT" not in os.environ:
        return
    from glance.db.sqlalchemy import api
    from sqlalchemy import text

    begin = api.session_for_write

    @contextlib.contextmanager
    def begin_with_the_lock():
        with begin() as session:
            # Changes nothing, but takes the lock.
            session.execute(text("DELETE FROM tasks WHERE false"))
            yield session

    api.session_for_write = begin_with_the_lock
