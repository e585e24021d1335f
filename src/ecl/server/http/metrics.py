"""
Metrics in Prometheus' text format (version 0.0.4).

Written here because the usual library takes 0.15 s of every start. Requests are counted in memory; what the database
knows is queried for each scrape.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import Connection

from ecl.server.db.copies import count_damaged
from ecl.server.db.engine import Database
from ecl.server.db.metrics import count_images, count_jobs, stored_bytes
from ecl.version import __version__

__all__ = ["CONTENT_TYPE", "Metrics", "Sample", "database_text", "family"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

#: Upper bounds of the duration buckets, in seconds.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
#: Any other method counts as "other": a client could make a time series of every word.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

Sample = tuple[Mapping[str, str], float]


class Metrics:
    """Counters since the start of the process. Use them in the event loop only."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str, str]] = Counter()
        self._bytes_in: Counter[str] = Counter()
        self._bytes_out: Counter[str] = Counter()
        self._in_progress: Counter[str] = Counter()
        self._seconds: dict[str, list[int]] = {}
        self._seconds_sum: Counter[str] = Counter()

    def begin(self, region: str) -> None:
        """Count a request that has started."""
        self._in_progress[region] += 1

    def end(self, region: str, method: str, status: int, seconds: float, received: int, sent: int) -> None:
        """
        Count a request that has ended.

        Args:
            status: 0 if the connection ended before an answer began.
            received: Bytes of its body.
            sent: Bytes of the answer's body.
        """
        self._in_progress[region] -= 1
        self._requests[region, method if method in _METHODS else "other", str(status)] += 1
        self._bytes_in[region] += received
        self._bytes_out[region] += sent
        counts = self._seconds.setdefault(region, [0] * (len(_BUCKETS) + 1))
        counts[bisect_left(_BUCKETS, seconds)] += 1
        # Counters of whole microseconds do not lose precision as they grow.
        self._seconds_sum[region] += int(seconds * 1_000_000)

    def text(self) -> str:
        """Return the counters as text."""
        return "".join((*self._of_requests(), *self._of_durations()))

    def _of_requests(self) -> Iterator[str]:
        yield family("ecl_info", "gauge", "The release that is running.", [({"version": __version__}, 1)])
        requests = [
            ({"region": region, "method": method, "status": status}, count)
            for (region, method, status), count in sorted(self._requests.items())
        ]
        yield family("ecl_http_requests_total", "counter", "Requests that have ended.", requests)
        errors: Counter[str] = Counter(dict.fromkeys(self._bytes_in, 0))
        for (region, _method, status), count in self._requests.items():
            if status == "0" or status >= "500":
                errors[region] += count
        yield family(
            "ecl_http_errors_total", "counter", "Requests that the service failed, or the client left.", _by(errors)
        )
        yield family(
            "ecl_http_requests_in_progress", "gauge", "Requests that are on their way.", _by(self._in_progress)
        )
        yield family("ecl_http_received_bytes_total", "counter", "Bytes of request bodies.", _by(self._bytes_in))
        yield family("ecl_http_sent_bytes_total", "counter", "Bytes of response bodies.", _by(self._bytes_out))

    def _of_durations(self) -> Iterator[str]:
        name = "ecl_http_request_duration_seconds"
        yield _head(name, "histogram", "Seconds from the request's head to the last byte of the answer.")
        for region, counts in sorted(self._seconds.items()):
            total = 0
            for bound, count in zip((*map(str, _BUCKETS), "+Inf"), counts, strict=True):
                total += count
                yield _line(f"{name}_bucket", {"region": region, "le": bound}, total)
            yield _line(f"{name}_sum", {"region": region}, self._seconds_sum[region] / 1_000_000)
            yield _line(f"{name}_count", {"region": region}, total)


def database_text(database: Database) -> str:
    """Return the numbers of jobs, images, stored bytes and damaged copies as text. Blocks."""
    with database.read() as connection:
        return "".join(_of_database(connection))


def _of_database(connection: Connection) -> Iterator[str]:
    jobs = [
        ({"region": region, "kind": kind, "status": status}, count)
        for region, kind, status, count in count_jobs(connection)
    ]
    yield family("ecl_jobs", "gauge", "Copies and imports that the database knows, by status.", jobs)
    counts = [({"region": region, "status": status}, count) for region, status, count in count_images(connection)]
    yield family("ecl_images", "gauge", "Images, by status.", counts)
    sizes = [({"region": region, "store": store}, size) for region, store, size in stored_bytes(connection)]
    yield family("ecl_stored_bytes", "gauge", "Bytes of images in the stores.", sizes)
    damaged = [({"region": region, "store": store}, count) for region, store, count in count_damaged(connection)]
    yield family("ecl_damaged_copies", "gauge", "Copies that are damaged and not served.", damaged)


def _by(counts: Mapping[str, float]) -> list[Sample]:
    return [({"region": region}, count) for region, count in sorted(counts.items())]


def family(name: str, kind: str, help_text: str, samples: Iterable[Sample]) -> str:
    """Return the text of one metric with all of its *samples*."""
    return _head(name, kind, help_text) + "".join(_line(name, labels, value) for labels, value in samples)


def _head(name: str, kind: str, help_text: str) -> str:
    return f"# HELP {name} {help_text}\n# TYPE {name} {kind}\n"


def _line(name: str, labels: Mapping[str, str], value: float) -> str:
    inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{name}{{{inside}}} {value}\n" if inside else f"{name} {value}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
