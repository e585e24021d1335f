"""The pytest plugin of the test kit, in sessions of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

DOCS = Path(__file__).parents[2] / "docs"


def run(pytester: pytest.Pytester, code: str, *words: str) -> pytest.RunResult:
    """Run the tests of *code* in a process of its own."""
    pytester.makepyfile(code)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", "-W", "error", *words)


def test_the_examples_of_the_documentation(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """What docs/testing.md shows works as it is written."""
    text = (DOCS / "testing.md").read_text()
    (code,) = re.findall(r"<!-- run by .* -->\n```python\n(.*?)```", text, re.DOTALL)
    # The command of this environment.
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)

    run(pytester, code).assert_outcomes(passed=4)


def test_nothing_is_left_for_the_next_test(pytester: pytest.Pytester) -> None:
    """Images (public ones of other projects, too), faults, the journal and the clock are gone in the next test."""
    result = run(
        pytester,
        """
        import time

        import pytest

        @pytest.mark.parametrize("number", range(3))
        def test_one(ecl_project, number):
            service = ecl_project.service
            assert list(ecl_project.image.images()) == []
            assert list(ecl_project.image.images(visibility="community")) == []
            assert service.faults.list() == []
            assert {each.method for each in service.requests} == {"GET"}
            assert abs(service.clock.time - time.time()) < 3600
            ecl_project.image.create_image(name="one", data=b"x", disk_format="raw", visibility="community")
            ecl_project.another(role="admin").image.create_image(
                name="two", data=b"x", disk_format="raw", visibility="public", is_protected=True
            )
            service.faults.add(status=503)
            service.clock.advance(7200)
        """,
    )

    result.assert_outcomes(passed=3)


def test_a_service_that_a_test_stopped(pytester: pytest.Pytester) -> None:
    """The next test finds the service running, whatever this one did to it."""
    code = """
        def test_kill(ecl_project):
            ecl_project.service.kill()

        def test_next(ecl_project):
            assert list(ecl_project.image.images()) == []
    """

    run(pytester, code).assert_outcomes(passed=2)


def test_environment(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes find the project by clouds.yaml and by OS_* variables; what the user has set is back afterwards."""
    monkeypatch.setenv("OS_CLOUD", "mine")
    monkeypatch.setenv("OS_TOKEN", "mine")
    result = run(
        pytester,
        """
        import os
        import ecl

        def test_clouds_yaml(ecl_project, ecl_cloud_env):
            assert "OS_TOKEN" not in os.environ
            image = ecl.connect().image.create_image(name="a", disk_format="raw")
            assert image.owner == ecl_project.id

        def test_variables(ecl_project, ecl_cloud_env, monkeypatch):
            monkeypatch.delenv("OS_CLIENT_CONFIG_FILE")
            monkeypatch.delenv("OS_CLOUD")
            assert ecl.connect().image.create_image(name="a", disk_format="raw").owner == ecl_project.id

        def test_afterwards():
            assert (os.environ["OS_CLOUD"], os.environ["OS_TOKEN"]) == ("mine", "mine")
            assert "OS_USERNAME" not in os.environ
        """,
    )

    result.assert_outcomes(passed=3)


def test_names_of_fixtures(pytester: pytest.Pytester) -> None:
    """The earlier name of the fixture is the same service; a project's own service takes its place for the others."""
    alias = """
        def test_alias(ecl_image_service, image_service):
            assert image_service is ecl_image_service
    """
    own = """
        import pytest
        from ecl.testing import ImageService

        @pytest.fixture(scope="session")
        def ecl_image_service():
            with ImageService(["east"]) as service:
                yield service

        def test_region(ecl_project):
            assert ecl_project.region == "east"
            assert list(ecl_project.image.images()) == []
    """
    pytester.makepyfile(test_alias=alias)

    run(pytester, own).assert_outcomes(passed=2)


def test_async_tests(pytester: pytest.Pytester) -> None:
    """A test may run its own event loop, and call the SDK in threads of it."""
    code = """
        import asyncio

        def test_async(ecl_project):
            async def main():
                names = [f"image-{number}" for number in range(8)]
                create = lambda name: ecl_project.image.create_image(name=name, disk_format="raw")
                await asyncio.gather(*(asyncio.to_thread(create, name) for name in names))
                return names

            assert asyncio.run(main()) == sorted(image.name for image in ecl_project.image.images())
    """

    run(pytester, code).assert_outcomes(passed=1)


def test_a_service_for_each_worker(pytester: pytest.Pytester) -> None:
    """With pytest-xdist each worker has its own service."""
    code = """
        import pytest

        @pytest.mark.parametrize("number", range(4))
        def test_one(ecl_project, number, worker_id):
            ecl_project.service.requests.clear()
            list(ecl_project.image.images())
            assert [each.method for each in ecl_project.service.requests if each.path.endswith("/images")] == ["GET"]
            with open(f"{worker_id}.url", "w") as file:
                file.write(ecl_project.service.url)
    """
    run(pytester, code, "-n", "2", "--dist", "each").assert_outcomes(passed=8)

    assert len({path.read_text() for path in pytester.path.glob("*.url")}) == 2


@pytest.mark.timeout(60)
def test_no_folder_is_left_of_killed_tests(tmp_path: Path) -> None:
    """If the tests are killed, the service removes its temporary folder."""
    script = (
        "import time\nfrom ecl.testing import ImageService\n"
        "service = ImageService(); service.start(); print(service.data_dir, service.pid, flush=True); time.sleep(600)"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment) as tests:
        assert tests.stdout is not None
        data_dir = Path(tests.stdout.readline().split()[0])
        assert data_dir.is_relative_to(tmp_path)
        assert (data_dir / "ecl.db").exists()
        tests.send_signal(signal.SIGKILL)
    while list(tmp_path.iterdir()):
        time.sleep(0.02)
