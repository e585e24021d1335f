"""Rules for faults: which requests they meet, and which of them make no sense."""

from __future__ import annotations

import pytest

from ecl.server.errors import BadRequest, NotFound
from ecl.server.testing.faults import Fault, Faults

FILE = "/image/jp1/v2/images/0e653739-ddf8-47dd-8339-39958fc9e597/file"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v2/images/*/file"),
        ("get", "*/file"),
        ("*", "/image/jp1/*"),
        ("*", "*"),
    ],
)
def test_a_rule_meets_requests(method: str, path: str) -> None:
    """A pattern is for the path with or without its region; the method may be in small letters."""
    assert Fault(method, path, cut=True).matches("GET", FILE)


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "*"), ("GET", "/v2/images"), ("GET", "/image/jp2/*"), ("GET", "/file")],
)
def test_a_rule_leaves_other_requests_alone(method: str, path: str) -> None:
    """The whole path must match, and the method."""
    assert not Fault(method, path, cut=True).matches("GET", FILE)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(), "needs a delay, a status, cut or flip"),
        (Fault(path="v2/images", cut=True), "must begin with / or \\*"),
        (Fault(cut=True, flip=True), "only one of status, cut and flip"),
        (Fault(cut=True, status=500), "only one of status, cut and flip"),
        (Fault(delay=-1), "0 to 3600 seconds, not -1"),
        (Fault(delay=float("nan")), "0 to 3600 seconds, not nan"),
        (Fault(status=99), "200 to 599, not 99"),
        (Fault(cut=True, headers={"Retry-After": "1"}), "headers of a fault need a status"),
        (Fault(status=503, headers={"X": "a\r\nb"}), "printable ASCII"),
        (Fault(cut=True, after=-1), "0 or more, not -1"),
        (Fault("GET", status=500, after=1), "needs one of the methods POST, PUT, PATCH"),
        (Fault(cut=True, times=0), "1 request or more"),
    ],
)
def test_rules_that_make_no_sense(fault: Fault, words: str) -> None:
    """Such a rule is refused, with one line that says why."""
    with pytest.raises(BadRequest, match=words):
        Faults().add(fault)


def test_the_first_rule_that_is_left_counts() -> None:
    """A rule for so many requests lets the next rule have those that follow; what it met is counted."""
    faults = Faults()
    faults.add(Fault(status=503, times=2))
    faults.add(Fault(status=500))

    assert [getattr(faults.take("GET", FILE), "status", None) for _ in range(4)] == [503, 503, 500, 500]
    assert [rule["used"] for rule in faults.list()] == [2, 2]


def test_rules_are_removed() -> None:
    """One rule or all; one that is gone cannot be removed again."""
    faults = Faults()
    one, other = (faults.add(Fault(cut=True))["id"] for _ in range(2))
    faults.remove(one)

    assert [rule["id"] for rule in faults.list()] == [other]
    with pytest.raises(NotFound, match=f"no fault {one}"):
        faults.remove(one)
    faults.clear()
    assert faults.take("GET", FILE) is None
