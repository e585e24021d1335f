"""The metrics and the access log of a running service."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from ecl import exceptions
from ecl.server.http.metrics import Metrics
from ecl.testing import ImageService

LINE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="[^"\\\n]*",?)*)\})? ([0-9.e+-]+)')
DATA = b"x" * 100_000


@pytest.fixture(scope="module")
def service() -> Iterator[ImageService]:
    """A service that writes its access log as JSON, and shows its metrics to this machine."""
    settings = {"access_log": True, "access_log_format": "json", "metrics_networks": ["127.0.0.0/8"]}
    with ImageService(("jp1",), **settings) as running:
        yield running


def _metrics(service: ImageService, **headers: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(f"{service.url}/metrics", headers=headers, timeout=30)


def _samples(text: str) -> dict[tuple[str, str], float]:
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            match = LINE.fullmatch(line)
            assert match, line
            found[match[1], match[2] or ""] = float(match[3])
    return found


def test_metrics_count_what_happened(service: ImageService) -> None:
    """Requests, bytes in and out, errors, images and stored bytes are there, by region."""
    proxy = service.connect().image
    before = _samples(_metrics(service).text)
    image = proxy.create_image(data=DATA, disk_format="raw", container_format="bare")
    assert proxy.download_image(image) == DATA
    with pytest.raises(exceptions.NotFoundException):
        proxy.get_image("3e1b9b3c-0000-4000-8000-000000000000")
    response = _metrics(service)
    after = _samples(response.text)

    def grown(name: str, labels: str) -> float:
        return after.get((name, labels), 0) - before.get((name, labels), 0)

    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert grown("ecl_http_requests_total", 'region="jp1",method="PUT",status="204"') == 1
    assert grown("ecl_http_requests_total", 'region="jp1",method="GET",status="404"') == 1
    assert grown("ecl_http_received_bytes_total", 'region="jp1"') >= len(DATA)
    assert grown("ecl_http_sent_bytes_total", 'region="jp1"') >= len(DATA)
    assert after["ecl_http_errors_total", 'region="jp1"'] == 0
    assert after["ecl_http_requests_in_progress", 'region="jp1"'] == 0
    assert after["ecl_images", 'region="jp1",status="active"'] == 1
    assert after["ecl_stored_bytes", 'region="jp1",store="folder"'] == len(DATA)
    count = after["ecl_http_request_duration_seconds_count", 'region="jp1"']
    assert after["ecl_http_request_duration_seconds_bucket", 'region="jp1",le="+Inf"'] == count
    assert count == sum(
        value for (name, labels), value in after.items()
        if name == "ecl_http_requests_total" and 'region="jp1"' in labels
    )  # fmt: skip


def test_metrics_know_imports(service: ImageService) -> None:
    """A task shows as a job, with its status."""
    proxy = service.connect().image
    image = proxy.create_image(disk_format="raw", container_format="bare")
    proxy.stage_image(image, DATA)
    proxy.import_image(image)
    proxy.wait_for_image(image, interval=0.1)

    assert _samples(_metrics(service).text)["ecl_jobs", 'region="jp1",kind="import",status="success"'] == 1


def test_every_family_is_described(service: ImageService) -> None:
    """Each name has its HELP and TYPE, once."""
    text = _metrics(service).text
    named = re.findall(r"^# TYPE (\S+) \S+$", text, re.MULTILINE)

    assert named == re.findall(r"^# HELP (\S+) .+$", text, re.MULTILINE)
    assert len(set(named)) == len(named)
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name, _labels in _samples(text)}
    assert families <= set(named)


@pytest.mark.parametrize("header", ["Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"])
def test_clients_behind_a_proxy_need_a_token(service: ImageService, header: str) -> None:
    """A proxy on this machine does not open the metrics to everybody behind it."""
    assert _metrics(service, **{header: "203.0.113.5"}).status_code == 403
    member = service.connect().session.get_token()
    admin = service.connect(user="admin").session.get_token()
    assert _metrics(service, **{header: "203.0.113.5", "X-Auth-Token": member}).status_code == 403
    assert _metrics(service, **{header: "203.0.113.5", "X-Auth-Token": admin}).status_code == 200


def test_metrics_need_a_token_by_default(tmp_path: Path) -> None:
    """A proxy that adds no header looks like any client here, so without settings an address opens nothing."""
    file = tmp_path / "token"
    file.write_text("a-secret\n")
    with ImageService(("jp1",), metrics_token_file=file) as service:
        assert _metrics(service).status_code == 403
        assert _metrics(service, Authorization="Bearer a-secre").status_code == 403
        assert _metrics(service, Authorization="Bearer a-secret", Via="1.1 proxy").status_code == 200
        token = service.connect(user="admin").session.get_token()
        assert _metrics(service, **{"X-Auth-Token": token}).status_code == 200


def test_unknown_methods_are_one_series() -> None:
    """What clients make up as methods does not make the metrics grow."""
    metrics = Metrics()
    for number in range(1000):
        metrics.begin("jp1")
        metrics.end("jp1", f"M{number}", 405, 0.1, 0, 0)

    assert metrics.text().count("ecl_http_requests_total{") == 1
    assert 'method="other",status="405"} 1000' in metrics.text()


def test_access_log_is_json(service: ImageService) -> None:
    """Each request is one JSON object, without its query, with the ID that its answer had."""
    session = requests.Session()
    session.trust_env = False
    with session:
        answer = session.get(f"{service.url}/image/jp1/v2/images?name=secret-name", timeout=30)
    wanted = answer.headers["x-openstack-request-id"]

    deadline = time.monotonic() + 20
    while wanted not in service.log:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    (line,) = [json.loads(line) for line in service.log.splitlines() if line.startswith("{") and wanted in line]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/image/jp1/v2/images", 401)
    assert line["client"] == "127.0.0.1"
    assert line["sent_bytes"] == len(answer.content)
    assert abs(line["time"] - time.time()) < 60
    assert "secret-name" not in service.log


def test_a_client_that_leaves_is_counted(service: ImageService) -> None:
    """A request without an answer counts as an error, and not as in progress."""
    host, port = service.url.removeprefix("http://").split(":")
    image = service.connect().image.create_image(disk_format="raw", container_format="bare")
    token = service.connect().session.get_token()
    with socket.create_connection((host, int(port))) as connection:
        head = f"PUT /image/jp1/v2/images/{image.id}/file HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {token}\r\n"
        head += "Content-Type: application/octet-stream\r\nContent-Length: 1000\r\n\r\n"
        connection.sendall(head.encode() + b"half")
        deadline = time.monotonic() + 20
        while service.connect().image.get_image(image).image_status != "saving":
            assert time.monotonic() < deadline
            time.sleep(0.02)
    while not any('status="0"' in labels for _name, labels in _samples(_metrics(service).text)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert _samples(_metrics(service).text)["ecl_http_errors_total", 'region="jp1"'] == 1
