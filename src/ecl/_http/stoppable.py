"""Connections of requests that another thread can end, whatever they wait for."""

from __future__ import annotations

import contextvars
import os
import queue
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from keystoneauth1.session import TCPKeepAliveAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from ecl._http import stop as _stop

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests
    from urllib3.response import HTTPResponse

    from ecl._http.stop import Stop

__all__ = ["StoppableAdapter"]

#: Held while a connection changes its user, or is shut: a stop must not end another call's request.
_LOCK = threading.Lock()


class _SecondDescriptor:
    """
    Another descriptor of a connection, to shut it by: a :class:`~ecl._http.stop.Line`.

    The first one may be closed by the reader at any moment, and its number reused. This one is closed when neither
    connection nor answer refers to it any more.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._number = os.dup(connected.fileno())
        self._user: Stop | None = None
        self._is_shut = False

    def use(self) -> bool:
        """From now on the calls of this thread use the connection. Return False if it was shut before."""
        stop = _stop.current()
        with _LOCK:
            if self._is_shut:
                return False
            self._user = stop
        if stop is not None:
            stop.watch(self)
        return True

    def shut(self, stop: Stop) -> None:
        """End reads and writes, if the calls of *stop* use the connection."""
        with _LOCK:
            if self._user is not stop:
                return
            self._is_shut = True
            # Shut, not closed: the reader does that. A plain socket: shutdown() of one with TLS would make the reader
            # take encrypted bytes for data.
            with suppress(OSError):
                plain = socket.socket(fileno=self._number)
                try:
                    plain.shutdown(socket.SHUT_RDWR)
                finally:
                    plain.detach()

    def __del__(self) -> None:
        os.close(self._number)


class _Stoppable(HTTPConnection):
    """What connections with and without TLS have in common."""

    _second: _SecondDescriptor | None = None

    def _new_conn(self) -> socket.socket:
        stop = _stop.current()
        connected = super()._new_conn() if stop is None else self._connected(stop)
        # Before TLS begins: a service may be silent there, too.
        self._second = _SecondDescriptor(connected)
        try:
            self._second.use()
        except BaseException:
            connected.close()
            raise
        return connected

    def _connected(self, stop: Stop) -> socket.socket:
        """Connect in a thread, which is left alone if the call is stopped: nothing ends a look-up or a connect."""
        ends: queue.SimpleQueue[socket.socket | BaseException] = queue.SimpleQueue()
        abandoned = threading.Event()

        def connect() -> None:
            try:
                connected = super(_Stoppable, self)._new_conn()
            except BaseException as exc:  # noqa: BLE001 - raised below
                ends.put(exc)
                return
            with _LOCK:
                if not abandoned.is_set():
                    ends.put(connected)
                    return
            connected.close()

        with stop.calling(ends.put):
            context = contextvars.copy_context()
            threading.Thread(target=context.run, args=(connect,), name="connect", daemon=True).start()
            end = ends.get()
        if not isinstance(end, BaseException):
            return end
        with _LOCK:
            abandoned.set()
            with suppress(queue.Empty):
                # It connected in the same moment.
                late = ends.get_nowait()
                if not isinstance(late, BaseException):
                    late.close()
        raise end

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request, over the connection as it is or a new one."""
        if self._second is not None and not self._second.use():
            # An idle connection of a call that was stopped: a new one is opened by itself.
            self.close()
        super().request(*args, **kwargs)

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3's own
        """Read the head of the answer."""
        second = self._second
        response = super().getresponse()
        # Where the service closes the connection, its answer is still to be read.
        response._second = second  # type: ignore[attr-defined]  # only to keep it
        return response

    def close(self) -> None:
        """Close the connection."""
        super().close()
        self._second = None


class _StoppableTls(_Stoppable, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Stoppable


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _StoppableTls


class StoppableAdapter(TCPKeepAliveAdapter):
    """
    Sends requests as keystoneauth1 does.

    What is sent within :meth:`ecl._http.stop.Stop.active` ends when that is stopped, and raises its error.
    """

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Return the pools of connections that go through *proxy*."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        return manager

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request. Raises the error of the stop that ended it."""
        _stop.check()
        try:
            return super().send(request, stream, timeout, verify, cert, proxies)
        except Exception:
            _stop.check()
            raise
