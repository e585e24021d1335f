"""The image service in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ecl.testing._accounts import Accounts
from ecl.testing._door import Door, Refused
from ecl.testing._process import ServiceFailed, await_ready, check_packages, end
from ecl.testing.controls import Clock, Faults, Requests
from ecl.testing.projects import TestProject

if TYPE_CHECKING:
    from ecl.connection import Connection
    from ecl.server.db.engine import Database

__all__ = ["ImageService", "ServiceFailed"]

#: Seconds that a stop may take beyond the service's own ``shutdown_timeout``.
_STOP_LIMIT = 10
#: Cost of the passwords' hashes, unless the settings say otherwise: tests log in often.
_PASSWORD_COST = 14
#: Variable with the folder that the service removes when this process has ended without doing so.
_FOLDER = "ECL_TEMPORARY_FOLDER"
_NOT_STARTED = "The image service is not running: use it as a context manager, or call start() first."


class ImageService:
    """
    An embedded image service in a process of its own.

    Used as a context manager, it is started and stopped, and its folder removed. The user ``demo`` has a project in
    each region, ``admin`` may do everything.

    Args:
        regions: Names of the regions that it serves.
        data_dir: A folder to keep; None: a temporary one.
        settings: Any more settings of `ecl.server.settings.model.Settings` (``limits={"image_size_cap": 1000}``), and
            ``regions`` as a list of dicts where names are not enough. ``testing`` is true, unless there is
            a ``host`` or a ``keystone``.

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
        self._database: Database | None = None
        self._opened: Door | None = None
        self.data_dir = self._folder / "data" if self._temporary else self._folder
        self._accounts = Accounts(self.clouds_yaml)
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
        check_packages()
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
        try:
            ready = await_ready(self._process, lambda: self.log)
        except ServiceFailed:
            self._process = None
            raise
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
            Refused: The service has not been started, or the user has no project in the region.
        """
        if not self.auth_url:
            raise Refused(_NOT_STARTED)
        if region is not None and region not in self.regions:
            raise Refused(f"There is no region {region!r}; the service has {', '.join(self.regions)}.")
        if project is None:
            project = self._accounts.project(region or self.regions[0], user)
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

    def add_project(
        self, region: str | None = None, user: str | None = None, *, role: str = "member", name: str | None = None
    ) -> TestProject:
        """
        Add a project to *region* (None: the first), and a user who has a role on it.

        Args:
            user: Name of the user, who is made if there is none of this name; None: a new one, named as the project is.
            role: ``member``, ``reader``, ``admin`` or ``service``.
            name: Of the project; None: a random one.

        Raises:
            Refused: There is no such region or role, the name is taken, or the password of *user* is not known here.
        """
        wanted = {"region": region, "user": user, "role": role, "name": name}
        if self.is_running and self._has_door:
            answer = self._door().call("POST", "/projects", wanted)
        else:
            answer = self._added(wanted)
        person = answer["user"]
        created = TestProject(
            answer["project"]["id"],
            answer["project"]["name"],
            answer["project"]["region"],
            person["name"],
            person["password"] or self._accounts.password(person["name"]),
            role,
            answer["token"],
            answer["access"],
        )
        self._accounts.add(created)
        return created

    def remove_project(self, project: TestProject) -> None:
        """
        Remove a project with its images, jobs and metadata definitions, and its user if they have no other project.

        Raises:
            Refused: It is gone, or the service is not running.
        """
        self._door().call("DELETE", f"/projects/{project.id}")
        self._accounts.remove(project.id)

    def reset(self) -> None:
        """
        Remove all images and jobs, and the projects and users that were added since the service was started.

        The users ``demo`` and ``admin`` and their projects stay; faults and the journal are empty, and the clock is
        the host's.
        """
        self._door().call("DELETE")
        self._accounts.clear()

    def seed(
        self,
        manifest: str | Path | Mapping[str, Any],
        region: str | None = None,
        user: str = "demo",
        *,
        project: TestProject | None = None,
    ) -> dict[str, str]:
        """
        Create the images of a manifest, as ``ecl image sync --apply`` does; for the others see `credentials`.

        Args:
            manifest: A file, or its content; paths in it are relative to the file, or to the current folder.

        Returns:
            The ID of each image, by its name.

        Raises:
            Refused: The manifest is wrong, or an image cannot be created.
        """
        from ecl.testing._seed import applied

        path = Path(manifest) if isinstance(manifest, str) else manifest
        return applied(path, self.credentials(region, user, project=project), self._settings.get("tls_cert"))

    @property
    def faults(self) -> Faults:
        """The rules by which requests fail."""
        return Faults(self._door)

    @property
    def requests(self) -> Requests:
        """The last requests that the service got."""
        return Requests(self._door)

    @property
    def clock(self) -> Clock:
        """The service's clock."""
        return Clock(self._door)

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
    def _has_door(self) -> bool:
        """True if the service is told to let tests in: by default, unless others could reach it."""
        return bool(self._settings.get("testing", not {"host", "keystone"} & self._settings.keys()))

    def _door(self) -> Door:
        if not self.is_running:
            raise Refused(_NOT_STARTED)
        if not self._has_door:
            raise Refused("The service does not let tests in: start it with ImageService(testing=True).")
        if self._opened is None:
            self._opened = Door(self.url)
        return self._opened

    def _added(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Add a project to the database of a service that does not run, or does not let tests in."""
        from ecl.server.errors import ServiceError
        from ecl.server.settings.model import RegionSettings, Settings
        from ecl.server.testing.projects import NewProject, add_project

        regions = tuple(RegionSettings(name) for name in self.regions)
        try:
            with self.database.write() as connection:
                added = add_project(connection, Settings(self.data_dir, regions=regions), NewProject(**wanted))
        except ServiceError as exc:
            raise Refused(exc.message) from exc
        project = {"id": added.project.id, "name": added.project.name, "region": added.project.region}
        user = {"name": added.content.user.name, "password": added.password}
        return {"project": project, "user": user, "token": "", "access": None}

    @property
    def _log_path(self) -> Path:
        return self._folder / "service.log"

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
        settings = {"port": 0, "password_cost": _PASSWORD_COST, "testing": self._has_door, **self._settings, **ours}
        config = self._folder / "service.json"
        # A database_url may hold a password.
        config.touch(mode=0o600)
        config.write_text(json.dumps(settings, default=str), encoding="utf-8")
        variables = {name: value for name, value in os.environ.items() if not name.startswith(("ECL_SERVE_", _FOLDER))}
        variables["ECL_SERVE_CONFIG"] = str(config)
        if self._temporary:
            variables[_FOLDER] = str(self._folder)
        return variables

    def _with_store(self, region: dict[str, Any]) -> dict[str, Any]:
        if region.keys() & {"stores", "store_dir", "url"}:
            return region
        store = self._default_store(self._folder, region["name"])
        return region if store is None else {**region, "stores": [store]}

    def _end(self, *, kill: bool) -> int | None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None
        process, self._process = self._process, None
        if process is None:
            return None
        return end(process, kill=kill, limit=int(self._settings.get("shutdown_timeout", 30)) + _STOP_LIMIT)
