"""Rounds of load and a fault: ``python -m chaos --rounds 1000 --database postgresql``."""

from __future__ import annotations

import argparse
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from chaos.client import Client
from chaos.ledger import Ledger
from chaos.verify import Checker
from chaos.workload import STORES, Worker
from ecl.testing import ImageService
from support.http_stub import Answer, HttpStub
from support.postgres import Postgres, running_postgres

__all__ = ["Chaos", "main"]

_REGIONS: tuple[dict[str, Any], ...] = (
    {"name": "jp1", "stores": [{"name": name} for name in STORES]},
    {"name": "jp2"},
)
_SETTINGS: dict[str, Any] = {
    "token_lifetime": 7 * 86400,
    "node_lease": 10,
    "job_retry_delay": 0.2,
    # Everything that was in flight when the database was killed fails, and then goes on.
    "job_attempts": 20,
    "imports": {"allowed_ports": [], "allowed_networks": ["127.0.0.1/32"]},
}
#: Seconds until everything unfinished has ended: a lease, and time for a busy machine.
_PATIENCE = 60.0
_CLIENTS = 6
#: Images of earlier rounds that are checked again after each round; all of them are after every `_ALL`.
_SAMPLE = 10
_ALL = 50


class Chaos:
    """A service with clients, and faults."""

    def __init__(self, database_url: str | None = None, postgres: Postgres | None = None, *, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._postgres = postgres
        more = {} if database_url is None else {"database_url": database_url}
        self.service = ImageService(_REGIONS, **_SETTINGS, **more)
        self.ledger = Ledger()
        self.rounds = 0
        self.longest_wait = 0.0
        self._offered = {f"/{size}": self._random.randbytes(size) for size in (0x100, 0x20000, 0x200000)}

    @contextmanager
    def running(self) -> Iterator[Chaos]:
        """Run the service, and a server for its imports, until the block ends."""
        with HttpStub() as origin, self.service:
            for path, data in self._offered.items():
                origin.on("GET", path, Answer.data(data))
            with self._clients() as (writers, admins, source, destination):
                everything = (origin.url, self._offered)
                self._workers = [
                    Worker(*pair, self.ledger, destination.project_id, everything, self._random.getrandbits(64))
                    for pair in zip(writers, admins, strict=True)
                ]
                self._checker = Checker(self.service, source, destination, self.ledger, patience=_PATIENCE)
                yield self

    @contextmanager
    def _clients(self) -> Iterator[tuple[list[Client], list[Client], Client, Client]]:
        made: list[Client] = []

        def client(region: str, user: str = "demo") -> Client:
            session = self.service.connect(region, user).session
            made.append(
                Client(f"{self.service.url}/image/{region}", session.get_project_id() or "", session.get_token() or "")
            )
            return made[-1]

        try:
            writers = [client("jp1") for _ in range(_CLIENTS)]
            admins = [client("jp1", "admin") for _ in range(_CLIENTS)]
            yield writers, admins, client("jp1"), client("jp2")
        finally:
            for each in made:
                each.close()

    def round(self) -> None:
        """Let the clients work, kill something in the middle, and check what is left."""
        stop = threading.Event()
        threads = [threading.Thread(target=worker.run, args=(stop,), daemon=True) for worker in self._workers]
        for thread in threads:
            thread.start()
        time.sleep(self._random.uniform(0.05, 0.9))
        self._fault()()
        stop.set()
        for thread in threads:
            thread.join()
        self.service.start()
        self.rounds += 1
        self._check()

    def _fault(self) -> Callable[[], object]:
        if self._postgres is not None and self._random.random() < 0.2:
            return self._kill_database
        return self.service.kill

    def _kill_database(self) -> None:
        assert self._postgres is not None
        self._postgres.kill()
        time.sleep(self._random.uniform(0.0, 0.5))
        self._postgres.start_again()

    def _check(self) -> None:
        self._checker.settle()
        self.longest_wait = self._checker.longest_wait
        records = list(self.ledger.images.values())
        touched = [record for record in records if record.touched]
        others = [record for record in records if not record.touched]
        everything = self.rounds % _ALL == 0
        self._checker.check(touched + (others if everything else self._sample(others)))
        self._checker.check_disk(hashes=everything)

    def check_all(self) -> None:
        """Check every image, and every byte on the disk."""
        self._checker.settle()
        self._checker.check(list(self.ledger.images.values()))
        self._checker.check_disk(hashes=True)

    def _sample(self, records: list[Any]) -> list[Any]:
        return self._random.sample(records, min(_SAMPLE, len(records)))

    def report(self) -> str:
        """Say what was done and what held."""
        done = ", ".join(f"{count} {what}" for what, count in sorted(self.ledger.acknowledged.items()))
        total = sum(self.ledger.acknowledged.values())
        return (
            f"{self.rounds} rounds, {total} acknowledged writes ({done}); "
            f"at most {self.longest_wait:.1f} s until all work had ended; {len(self.ledger.violations)} broken promises"
        )


def main() -> int:
    """Run rounds until they are done, or until a promise is broken."""
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with running_postgres(keeps_commits=True) if options.database == "postgresql" else nullcontext() as postgres:
        url = None if postgres is None else postgres.create()
        with Chaos(url, postgres, seed=options.seed).running() as chaos:
            while chaos.rounds < options.rounds and not chaos.ledger.violations:
                chaos.round()
                if chaos.rounds % 25 == 0:
                    print(f"{options.database}: {chaos.report()}", flush=True)
            chaos.check_all()
            print(f"{options.database}, seed {options.seed}: {chaos.report()}")
            for violation in chaos.ledger.violations:
                print(f"  {violation}", file=sys.stderr)
            if chaos.ledger.violations:
                print(f"the end of the service's log:\n{chaos.service.log[-5000:]}", file=sys.stderr)
            return 1 if chaos.ledger.violations else 0
