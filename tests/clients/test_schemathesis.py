"""Requests made up from the service's own OpenAPI document: none of them makes it fail, hang, or break its word."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ecl.testing import ImageService

SCHEMATHESIS = Path(__file__).parents[2] / ".venvs" / "schemathesis"
#: Seconds for all of it, and for one answer.
RUN_SECONDS, ANSWER_SECONDS = 110, 20
CHECKS = "not_a_server_error,status_code_conformance,response_schema_conformance,content_type_conformance"


@pytest.mark.timeout(RUN_SECONDS + 30)
def test_made_up_requests(tmp_path: Path) -> None:
    """No request is answered 5xx or not at all, and each answer is what the document says."""
    if not (SCHEMATHESIS / "installed.txt").exists():
        pytest.skip("no schemathesis in .venvs (scripts/test-inputs)")
    with ImageService(["jp1"]) as service:
        connection = service.connect(user="admin")
        token = connection.session.get_token()
        image = connection.image.create_image(data=b"0123456789", disk_format="raw", name="there", protected=True)
        connection.image.create_metadef_namespace(namespace="there", is_protected=True)
        there = {"ECL_TEST_IMAGE": image.id, "ECL_TEST_NAMESPACE": "there"}
        hooks = {"SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(Path(__file__).parent)}
        command = [SCHEMATHESIS / "bin" / "st", "run", f"{service.url}/image/jp1/openapi.json", "--no-color"]
        command += ["--header", f"X-Auth-Token: {token}", "--header", "Accept: application/json"]
        command += ["--max-examples", "12", "--phases", "coverage,fuzzing", "--checks", CHECKS]
        command += ["--generation-deterministic", "--suppress-health-check", "all", "--continue-on-failure"]
        command += ["--request-timeout", str(ANSWER_SECONDS)]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=RUN_SECONDS,
            env={**os.environ, **there, **hooks},
        )
        assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
        assert "Tested: " in done.stdout
        assert "failed: " not in service.log
