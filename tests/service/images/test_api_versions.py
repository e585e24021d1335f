"""Version documents, tokens, and the front door of a region."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.region_service import Client, RegionService, run_region


@pytest.mark.parametrize(
    ("path", "status"), [("", 300), ("/", 300), ("/versions", 200), ("/versions/", 200), ("/v2", 200), ("/v2/", 200)]
)
def test_version_documents_need_no_token(region: RegionService, path: str, status: int) -> None:
    """Anyone may ask which versions there are, with and without a slash at the end."""
    response = region.stranger().get(path)

    assert response.status_code == status
    document = response.json()
    versions = document.get("versions") or [document["version"]]
    assert all(set(version) == {"id", "status", "links"} for version in versions)
    assert {version["links"][0]["href"] for version in versions} == {f"{region.url}/v2/"}
    assert "CURRENT" in {version["status"] for version in versions}


@pytest.mark.parametrize("path", ["/v1", "/v1/images", "/v3", "/foo", "/V2/images", "/v2.99/images"])
def test_unknown_paths_show_the_versions(region: RegionService, alpha: Client, path: str) -> None:
    """A path of no known version is answered by the versions, with a token and without."""
    for client in (alpha, region.stranger()):
        assert client.get(path).status_code == 300
        assert "versions" in client.get(path).json()


@pytest.mark.parametrize("path", ["/v2/unknown", "/v2/images/", "/v2/images/x/y/z"])
def test_unknown_paths_below_v2_are_not_found(alpha: Client, path: str) -> None:
    """Below /v2 an unknown path is 404, a slash at the end included."""
    assert alpha.get(path).status_code == 404


def test_minor_versions_are_aliases(alpha: Client) -> None:
    """Any listed minor version, in the path or in Accept, means /v2; repeated slashes are tolerated."""
    assert alpha.get("/v2.7/images").json() == alpha.get("/v2/images").json()
    accept = {"Accept": "application/vnd.openstack.images-v2.5"}
    assert alpha.get("/images", headers=accept).json() == alpha.get("/v2/images").json()
    assert alpha.get("//v2//images").status_code == 200


def test_head_is_405_but_for_version_documents(region: RegionService, alpha: Client) -> None:
    """HEAD is no method of any resource; the version document answers it without a body."""
    response = alpha.request("HEAD", "/v2/images")
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, POST"

    document = region.stranger().request("HEAD", "/")
    assert (document.status_code, document.content) == (300, b"")


def test_healthcheck(region: RegionService) -> None:
    """The health check is plain text and needs no token."""
    response = region.stranger().get("/healthcheck")
    assert (response.status_code, response.text) == (200, "OK")


@pytest.mark.parametrize("token", [None, "", "wrong"])
def test_no_valid_token_is_401(region: RegionService, token: str | None) -> None:
    """Without a valid token every resource is 401, with the address of identity."""
    response = region.stranger(token).get("/v2/images")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == f'Keystone uri="{region.url}/v3"'


def test_token_of_another_region_is_403(region: RegionService) -> None:
    """A project of another region is told so, an administrator's as well."""
    for roles in (("member",), ("admin",)):
        response = region.client("other", roles=roles, region="jp2").get("/v2/images")
        assert response.status_code == 403
        assert "jp2" in response.json()["message"]


def test_the_prefix_comes_from_root_path(tmp_path: Path) -> None:
    """Mounted below a prefix, links in bodies stay relative, version links and Location carry the prefix."""
    with run_region(tmp_path, prefix="/image/jp1") as service:
        # uvicorn puts root_path before what it receives.
        client = service.client()
        version = client.get("").json()["versions"][0]
        assert version["links"][0]["href"] == f"{service.url}/image/jp1/v2/"
        response = client.request("POST", "/v2/images", json={})
        image = response.json()
        assert image["self"] == f"/v2/images/{image['id']}"
        assert response.headers["Location"] == f"{service.url}/image/jp1{image['self']}"


def test_request_ids(alpha: Client) -> None:
    """Every answer has a request ID; a client's own is taken over, one that is too long refused."""
    assert alpha.get("/v2/images").headers["x-openstack-request-id"].startswith("req-")
    assert alpha.get("/v2/nothing").headers["x-openstack-request-id"].startswith("req-")
    given = alpha.get("/v2/images", headers={"X-OpenStack-Request-ID": "abc"})
    assert given.headers["x-openstack-request-id"] == "req-abc"
    assert alpha.get("/v2/images", headers={"X-OpenStack-Request-ID": "x" * 65}).status_code == 400


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "text/html; charset=UTF-8"),
        ("application/json, */*", "text/html; charset=UTF-8"),
        ("application/json", "application/json"),
        ("application/json, text/html;q=0.5", "application/json"),
        ("", "text/plain; charset=UTF-8"),
        ("image/png", "text/plain; charset=UTF-8"),
    ],
)
def test_errors_take_the_form_that_accept_asks_for(alpha: Client, accept: str, content_type: str) -> None:
    """Errors are HTML for */*, flat JSON for JSON, else plain text: stock clients break on anything else."""
    response = alpha.get("/v2/images/<zzz>", headers={"Accept": accept})

    assert response.status_code == 404
    assert response.headers["Content-Type"] == content_type
    if "json" in content_type:
        assert response.json() == {
            "message": "No image found with ID <zzz>",
            "code": "404 Not Found",
            "title": "Not Found",
        }
    elif "html" in content_type:
        assert "&lt;zzz&gt;" in response.text
    else:
        assert response.text.startswith("404 Not Found\n\n")
