"""Waiting for a status, and for the end."""

from __future__ import annotations

import pytest

from ecl import _waiting, exceptions, resource2
from ecl.image.v2 import _proxy
from ecl.image.v2.image import Image
from ecl.image.v2.tag import Tag
from support.http_stub import Answer


class Clock:
    """A clock that runs while somebody sleeps."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        assert seconds >= 0
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    """Time passes only in sleep."""
    made = Clock()
    monkeypatch.setattr(_waiting, "time", made)
    monkeypatch.setattr(_proxy, "time", made)
    return made


def states(stub, *statuses):
    """Script an image that has these statuses, one after another."""
    stub.on("GET", "/v2/images/abc", *[Answer.json({"id": "abc", "status": status}) for status in statuses])


def image(status="queued"):
    """Return an image."""
    return Image.existing(id="abc", status=status)


def test_status_is_reached(proxy, stub, clock):
    """The wait ends when the status is reached, and returns the resource itself."""
    states(stub, "saving", "saving", "active")
    waited = image()

    assert proxy.wait_for_status(waited, "active") is waited
    assert waited.image_status == "active"
    assert clock.now == 4.0


def test_status_is_there_already(proxy, stub, clock):
    """What has the status already is not asked for."""
    proxy.wait_for_status(image("active"), "ACTIVE")

    assert stub.requests == []
    assert clock.now == 0


def test_first_poll_is_immediate(proxy, stub, clock):
    """The first poll does not wait."""
    states(stub, "active")
    proxy.wait_for_status(image(), "active", interval=60)

    assert clock.now == 0


def test_failure_status(proxy, stub, clock):
    """A status among *failures* ends the wait with an error."""
    states(stub, "saving", "killed")
    with pytest.raises(exceptions.ResourceFailure, match="abc transitioned to failure state killed"):
        proxy.wait_for_status(image(), "active", failures=["Killed"])
    with pytest.raises(exceptions.ResourceFailure):
        proxy.wait_for_status(image("killed"), "active", ["killed"])


@pytest.mark.parametrize(("interval", "polls"), [(2, 6), (3, 5), (100, 2)])
def test_status_is_not_reached(interval, polls, proxy, stub, clock):
    """After *wait* seconds, no more and no less, the wait ends with an error that says what the status is."""
    states(stub, "saving")
    with pytest.raises(exceptions.ResourceTimeout, match="abc to transition to active: after 10 seconds it is saving"):
        proxy.wait_for_status(image(), "active", interval=interval, wait=10)

    assert clock.now == 10
    assert len(stub.requests) == polls


def test_function_of_resource2(conn, stub, clock):
    """The function has the proxy method's defaults, and takes None for no failures."""
    states(stub, "active")

    assert resource2.wait_for_status(conn.session, image(), "active").image_status == "active"
    assert resource2.wait_for_status(conn.session, image(), "active", None, 1, 1).image_status == "active"


def test_resource_without_a_status(proxy):
    """What has no status cannot be waited for."""
    with pytest.raises(AttributeError):
        proxy.wait_for_status(Tag(), "active")


def test_delete(proxy, stub, clock):
    """The wait ends when the service no longer has it."""
    stub.on("GET", "/v2/images/abc", Answer.json({"id": "abc"}), Answer.json({"id": "abc"}), Answer(404))
    gone = image()

    assert proxy.wait_for_delete(gone, interval=5) is gone
    assert clock.now == 10


def test_delete_does_not_happen(proxy, stub, clock):
    """After *wait* seconds the wait ends with an error."""
    stub.on("GET", "/v2/images/abc", Answer.json({"id": "abc"}))
    with pytest.raises(exceptions.ResourceTimeout, match="abc delete: it is still there"):
        proxy.wait_for_delete(image(), wait=3)

    assert clock.now == 3


def jobs(stub, *states):
    """Script a copy job that has these (status, progress), one after another."""
    answers = [Answer.json({"job_id": "j", "status": status, "copy_progress": done}) for status, done in states]
    stub.on("GET", "/v2/extension/image_replicator/jobs/j", *answers)


def test_copy(proxy, stub, clock):
    """A copy is waited for until it is replicated; its progress is told when it has grown."""
    jobs(stub, ("replicate_requested", None), ("replicating", 40), ("replicating", 40), ("replicated", 100))
    told = []

    assert proxy.wait_for_image_copy("j", progress=told.append, interval=7).status == "replicated"
    assert told == [0, 40, 100]
    assert 0 < clock.now <= 21


@pytest.mark.parametrize("status", ["error", "canceled"])
def test_copy_fails(status, proxy, stub, clock):
    """A copy that ends otherwise is a failure."""
    jobs(stub, ("replicating", 1), (status, 1))
    with pytest.raises(exceptions.ResourceFailure, match=f"j ended as '{status}'"):
        proxy.wait_for_image_copy("j")


def test_copy_takes_too_long(proxy, stub, clock):
    """A copy that is not done in time is a time-out that says how far it is."""
    jobs(stub, ("replicating", 30))
    with pytest.raises(exceptions.ResourceTimeout, match="'replicating', 30 %, after 5 seconds"):
        proxy.wait_for_image_copy("j", wait=5)
