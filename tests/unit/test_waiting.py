"""Waiting for a status, and for the end."""

from __future__ import annotations

import pytest

from ecl import exceptions, resource2
from ecl._http import polling, stop
from ecl.image.v2.image import Image
from ecl.image.v2.tag import Tag
from support.http_stub import Answer


class Clock:
    """A clock that runs while somebody sleeps."""

    def __init__(self):
        self.now = 0.0
        self.pauses = []

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        assert seconds >= 0
        self.now += seconds
        self.pauses.append(seconds)


@pytest.fixture
def clock(monkeypatch):
    """Time passes only in sleep."""
    made = Clock()
    for module in (polling, stop):
        monkeypatch.setattr(module, "time", made)
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


def images(stub, *states):
    """Script an image that is like each of *states*, one after another."""
    stub.on("GET", "/v2/images/abc", *[Answer.json({"id": "abc", **state}) for state in states])


def tasks(stub, *tasks):
    """Script the tasks of the image."""
    stub.on("GET", "/v2/images/abc/tasks", Answer.json({"tasks": list(tasks)}))


IMPORTING = {"status": "importing", "os_glance_import_task": "t"}
FAILED = {"status": "queued", "os_glance_failed_import": "fast"}
COPY_FAILED = {"status": "active", "os_glance_failed_import": "cheap"}
OLD = {"id": "1", "status": "failure", "message": "old", "updated_at": "2026-01-01T00:00:00.000000"}
NEW = {"id": "2", "status": "failure", "message": "new", "updated_at": "2026-01-01T00:00:01.000000"}


def test_pauses_grow(proxy, stub, clock):
    """The first polls follow each other fast; the pauses double up to *interval*, and the last ends with *wait*."""
    images(stub, {"status": "queued"})
    with pytest.raises(exceptions.ResourceTimeout, match="'queued', not 'active', after 6 seconds"):
        proxy.wait_for_image("abc", interval=2, wait=6)

    assert clock.pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 2, 0.9])
    assert len(stub.requests) == 8


def test_image(proxy, stub, clock):
    """An image is there when it has the status and no import is at work on it, in upper or lower case."""
    busy = {"status": "active", "os_glance_import_task": "t"}
    images(stub, {"status": "queued"}, IMPORTING, busy, {"status": "active", "os_glance_failed_import": ""})

    assert proxy.wait_for_image("abc", "ACTIVE").image_status == "active"
    assert len(stub.requests) == 4


def test_image_fails(proxy, stub, clock):
    """A status among *failures* ends the wait."""
    images(stub, {"status": "saving"}, {"status": "killed"})
    with pytest.raises(exceptions.ResourceFailure, match="Image abc is killed"):
        proxy.wait_for_image("abc", failures=["Killed"])


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer.json({"tasks": [OLD, NEW]}), "new"),
        (Answer.json({"tasks": [{**NEW, "message": ""}]}), "the cloud does not say why"),
        (Answer.json({"tasks": []}), "the cloud does not say why"),
        (Answer(403), "the cloud does not say why"),
    ],
)
def test_import_fails(answer, why, proxy, stub, clock):
    """An import that failed ends the wait with what its task says, if anything."""
    images(stub, IMPORTING, FAILED)
    stub.on("GET", "/v2/images/abc/tasks", answer)
    with pytest.raises(exceptions.ResourceFailure, match=f"import of image abc failed: {why}$"):
        proxy.wait_for_image("abc")


def test_copy_to_a_store_fails(proxy, stub, clock):
    """An image stays active when its copy to another store fails; that is a failure all the same."""
    images(stub, {"status": "active", "os_glance_import_task": "t"}, COPY_FAILED)
    tasks(stub, NEW, OLD)
    with pytest.raises(exceptions.ResourceFailure, match="import of image abc failed: new"):
        proxy.wait_for_image("abc")


@pytest.mark.parametrize("known", [[OLD, {**NEW, "status": "success"}], []])
def test_one_of_several_stores_fails(known, proxy, stub, clock):
    """An import for which one store was enough did not fail; nor did one that the cloud has forgotten."""
    images(stub, COPY_FAILED)
    tasks(stub, *known)

    assert proxy.wait_for_image("abc").image_status == "active"


def test_waiting_for_another_status_after_a_failure(proxy, stub, clock):
    """Who waits for the image to be queued again is not told that the import failed."""
    images(stub, IMPORTING, FAILED)

    assert proxy.wait_for_image("abc", "queued").image_status == "queued"


def test_task(proxy, stub, clock):
    """A task is waited for until it has succeeded."""
    stub.on("GET", "/v2/tasks/t", *[Answer.json({"id": "t", "status": each}) for each in ("pending", "success")])

    assert proxy.wait_for_task("t").status == "success"
    assert clock.pauses == [0.1]


def test_task_fails(proxy, stub, clock):
    """A task that fails says why, and *failures* may be others."""
    stub.on("GET", "/v2/tasks/t", Answer.json({"id": "t", "status": "failure", "message": "no such host"}))
    with pytest.raises(exceptions.ResourceFailure, match="t ended as 'failure': no such host"):
        proxy.wait_for_task("t")
    assert proxy.wait_for_task("t", "Failure").id == "t"
    with pytest.raises(exceptions.ResourceTimeout, match="t is 'failure' after 1 seconds"):
        proxy.wait_for_task("t", failures=[], wait=1)


@pytest.mark.parametrize("name", ["interval", "wait"])
@pytest.mark.parametrize("seconds", [-1, float("nan"), "5", None, True])
def test_no_seconds(name, seconds, proxy, stub):
    """What is no number of seconds is refused before anything is sent."""
    for call in (proxy.wait_for_image, proxy.wait_for_image_copy, proxy.wait_for_task):
        with pytest.raises(exceptions.InvalidRequest, match=f"{name} must be a number of seconds"):
            call("abc", **{name: seconds})

    assert stub.requests == []
