"""The image service in a process of its own."""

from __future__ import annotations

import json
import os
import secrets
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ecl.exceptions import SDKException
from ecl.testing.projects import TestProject

if TYPE_CHECKING:
    from ecl.connection import Connection
    from ecl.server.db.engine import Database

__all__ = ["ImageService", "ServiceFailed"]

#: Seconds that a start may take on a busy machine before it has failed.
_START_LIMIT = 60
#: Seconds that a stop may take beyond the service's own ``shutdown_timeout``.
_STOP_LIMIT = 10
#: Cost of the passwords' hashes, unless the settings say otherwise: tests log in often.
_PASSWORD_COST = 14


class ServiceFailed(SDKException):
    """The service did not start; the message ends with its log."""


class ImageService:
    """
    An embedded image service in a process of its own.

    Used as a context manager, it is started and stopped, and its folder removed. The user ``demo`` has a project in
    each region, ``admin`` may do everything.

    Args:
        regions: Names of the regions that it serves.
        data_dir: A folder to keep; None: a temporary one.
        settings: Any more settings of `ecl.server.settings.model.Settings` (``limits={"image_size_cap": 1000}``), and
            ``regions`` as a list of dicts where names are not enough.

    Attributes:
        url: The service's address, such as ``http://127.0.0.1:40123``.
        auth_url: The address of its identity API.
        data_dir: Where its database and images are.
    """

    #: What runs the service; a test that wants it to break at a certain point runs something else.
    _command: Sequence[str] = (sys.executable, "-m", "ecl.server")

    def __init__(
        self,
        regions: Sequence[str | Mapping[str, Any]] = ("jp1", "jp2"),
        *,
        data_dir: Path | None = None,
        **settings: Any,  # the types are in Settings, where they are checked
    ) -> None:
        self._regions = [{"name": entry} if isinstance(entry, str) else dict(entry) for entry in regions]
        self._settings = settings
        self._temporary = data_dir is None
        self._folder = Path(tempfile.mkdtemp(prefix="ecl-service-")) if data_dir is None else data_dir
        self._process: subprocess.Popen[bytes] | None = None
        self._projects: dict[tuple[str, str], TestProject] = {}
        self._database: Database | None = None
        self.data_dir = self._folder / "data" if self._temporary else self._folder
        self.url = ""
        self.auth_url = ""

    @staticmethod
    def _default_database_url(folder: Path) -> str | None:  # noqa: ARG004 - a test replaces it
        """Return the database of a service in *folder* that is given none; the service's own tests try others."""
        return None

    @staticmethod
    def _default_store(folder: Path, region: str) -> dict[str, Any] | None:  # noqa: ARG004 - a test replaces it
        """Return the settings of the store of a region that is given none; the service's own tests try others."""
        return None

    # --- life ---------------------------------------------------------------------------------------------

    def __enter__(self) -> ImageService:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> None:
        """
        Start the service and return when it answers; after a `stop` or `kill`, on the same folder and port.

        Raises:
            ServiceFailed: It did not start.
        """
        if self.is_running:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._log_path.open("ab") as log:
            # The open pipe tells the service that we live.
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._environment(),
            )
        ready = self._await_ready(self._process)
        self.url, self.auth_url = ready["url"], ready["auth_url"]
        self._settings["port"] = int(self.url.rpartition(":")[2])

    def stop(self) -> int | None:
        """Stop the service as Ctrl-C does, and return its exit code; None if it was not running."""
        return self._end(kill=False)

    def kill(self) -> int | None:
        """End the service in the middle of whatever it does, with SIGKILL."""
        return self._end(kill=True)

    def close(self) -> None:
        """Stop the service and remove its folder, if that is a temporary one."""
        try:
            self.stop()
        finally:
            if self._database is not None:
                self._database.close()
                self._database = None
            if self._temporary:
                shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def is_running(self) -> bool:
        """True while the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The process ID of the running service."""
        return self._process.pid if self._process is not None else None

    @property
    def log(self) -> str:
        """All that the service has written so far, over all of its starts."""
        return self._log_path.read_text(encoding="utf-8", errors="replace") if self._log_path.exists() else ""

    # --- use ----------------------------------------------------------------------------------------------

    @property
    def regions(self) -> list[str]:
        """Names of the regions that this service serves itself."""
        return [entry["name"] for entry in self._regions if not entry.get("url")]

    @property
    def clouds_yaml(self) -> Path:
        """The file that the service writes for its users."""
        return self.data_dir / "clouds.yaml"

    def credentials(
        self, region: str | None = None, user: str = "demo", *, project: TestProject | None = None
    ) -> dict[str, str]:
        """
        Return what `ecl.connection.Connection` and keystoneauth1 need to log in.

        Args:
            region: None: that of the project, else the first.
            user: ``demo``, ``admin``, or a user of `add_project`.
            project: What `add_project` returned: its user on it.

        Raises:
            KeyError: The user has no project in the region.
        """
        if project is None:
            project = self._project(region or self.regions[0], user)
        return {
            "auth_url": self.auth_url,
            "username": project.username,
            "password": project.password,
            "project_id": project.id,
            "user_domain_id": "default",
            "project_domain_id": "default",
            "region_name": region or project.region,
        }

    def connect(
        self,
        region: str | None = None,
        user: str = "demo",
        *,
        project: TestProject | None = None,
        **arguments: Any,  # whatever Connection takes
    ) -> Connection:
        """Return a connection of the SDK; for *region*, *user* and *project* see `credentials`."""
        from ecl.connection import Connection

        return Connection(**{**self.credentials(region, user, project=project), **arguments})

    def add_project(self, region: str | None = None, user: str | None = None) -> TestProject:
        """
        Add a project to *region* (None: the first), and a user who has the role member on it.

        Args:
            user: A user that is there already; None: a new one, named as the project is.
        """
        from ecl.server.identity.local import directory

        region = region or self.regions[0]
        name = f"project-{secrets.token_hex(4)}"
        with self.database.write() as connection:
            project = directory.create_project(connection, name, region)
            if user is None:
                password = secrets.token_urlsafe(18)
                person = directory.create_user(connection, name, password, self._password_cost)
            else:
                password = self._password(user)
                person = directory.find_user(connection, user)
            directory.grant_role(connection, person, "member", project)
        created = TestProject(project.id, project.name, region, person.name, password)
        try:
            self._project(region, person.name)
        except KeyError:
            self._projects[region, person.name] = created
        return created

    @property
    def database(self) -> Database:
        """The service's database, for tests that look behind the API."""
        if self._database is None:
            from ecl.server.db.engine import Database
            from ecl.server.process.database import database_url
            from ecl.server.settings.model import Settings

            self._database = Database(database_url(Settings(self.data_dir, database_url=self._database_url)))
        return self._database

    # --- inside -------------------------------------------------------------------------------------------

    @property
    def _log_path(self) -> Path:
        return self._folder / "service.log"

    @property
    def _password_cost(self) -> int:
        return int(self._settings.get("password_cost", _PASSWORD_COST))

    @property
    def _database_url(self) -> str | None:
        if "database_url" not in self._settings:
            self._settings["database_url"] = self._default_database_url(self._folder)
        url: str | None = self._settings["database_url"]
        return url

    def _environment(self) -> dict[str, str]:
        """Return our own environment, with nothing of a service that the user has set up."""
        regions = [self._with_store(entry) for entry in self._regions]
        ours = {"data_dir": str(self.data_dir), "database_url": self._database_url, "regions": regions}
        settings = {"port": 0, "password_cost": _PASSWORD_COST, **self._settings, **ours}
        config = self._folder / "service.json"
        # A database_url may hold a password.
        config.touch(mode=0o600)
        config.write_text(json.dumps(settings, default=str), encoding="utf-8")
        others = {name: value for name, value in os.environ.items() if not name.startswith("ECL_SERVE_")}
        return {**others, "ECL_SERVE_CONFIG": str(config)}

    def _with_store(self, region: dict[str, Any]) -> dict[str, Any]:
        if region.keys() & {"stores", "store_dir", "url"}:
            return region
        store = self._default_store(self._folder, region["name"])
        return region if store is None else {**region, "stores": [store]}

    def _await_ready(self, process: subprocess.Popen[bytes]) -> dict[str, Any]:
        """Return the line that a service writes when it answers."""
        assert process.stdout is not None
        deadline = time.monotonic() + _START_LIMIT
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))
            block = os.read(process.stdout.fileno(), 4096) if ready else b""
            if not block:
                code = self.kill() if not ready else process.wait()
                why = f"it ended with code {code}" if ready else f"no answer within {_START_LIMIT} s"
                self.kill()
                raise ServiceFailed(f"The image service did not start: {why}. Its log:\n{self.log}")
            line += block
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _end(self, *, kill: bool) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        if kill:
            process.kill()
        else:
            process.terminate()
        try:
            code = process.wait(int(self._settings.get("shutdown_timeout", 30)) + _STOP_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        finally:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
        return code

    def _project(self, region: str, user: str) -> TestProject:
        """Return a project that *user* has in *region*; an admin's one project is good for every region."""
        for key in ((region, user), ("", user)):
            if key in self._projects:
                return self._projects[key]
        for name, cloud in self._clouds().items():
            auth = cloud["auth"]
            at = "" if auth["username"] == "admin" else cloud["region_name"]
            found = TestProject(auth["project_id"], name, cloud["region_name"], auth["username"], auth["password"])
            self._projects.setdefault((at, found.username), found)
            if found.username == user and at in ("", region):
                return found
        raise KeyError(f"user {user!r} has no project in region {region!r}")

    def _password(self, user: str) -> str:
        for (_, name), project in self._projects.items():
            if name == user:
                return project.password
        for cloud in self._clouds().values():
            if cloud["auth"]["username"] == user:
                return str(cloud["auth"]["password"])
        raise KeyError(f"there is no user {user!r}")

    def _clouds(self) -> dict[str, Any]:
        import yaml

        if not self.clouds_yaml.exists():
            # On a database that another service has made, nobody new was told a password.
            return {}
        clouds: dict[str, Any] = yaml.safe_load(self.clouds_yaml.read_text(encoding="utf-8"))["clouds"]
        return clouds
