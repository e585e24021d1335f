"""``ecl serve`` as its user meets it: start, stop, TLS, what goes wrong, and who may log in."""

from __future__ import annotations

import http.client
import json
import os
import resource
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
import yaml
from keystoneauth1 import session as keystone
from keystoneauth1.exceptions import SSLError, Unauthorized
from keystoneauth1.identity import generic, v3

ECL = Path(sys.executable).with_name("ecl")
LIMIT = 60


class Served:
    """A running ``ecl serve``."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.words: list[str] = []
        self.url = ""
        assert process.stderr is not None
        for line in process.stderr:
            self.words.append(line)
            if "Image service ready at " in line:
                self.url = line.split("ready at ")[1].split(",")[0]
            if "OS_CLOUD=demo" in line:
                return

    def wait_for(self, text: str) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.words.append(line)
            if text in line:
                return
        raise AssertionError(f"the service never said {text!r}")

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=LIMIT)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """A function that starts ``ecl serve`` on a free port, and ends it after the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, folder: Path = tmp_path / "data") -> Served:
        words = [ECL, "serve", "--bind", "127.0.0.1:0", "--data-dir", str(folder), *arguments]
        process = subprocess.Popen(words, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        started.append(process)
        return Served(process)

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def run(
    *arguments: str, text: str = "", env: dict[str, str] | None = None, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ECL, *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        env={**os.environ, **(env or {})},
        cwd=folder,
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture
def new_session() -> Iterator[Callable[..., keystone.Session]]:
    """A function that makes a keystoneauth1 session for a plugin; its connections are closed after the test."""
    with ExitStack() as stack:
        yield lambda auth, **more: keystone.Session(auth, stack.enter_context(requests.Session()), **more)


@pytest.fixture
def log_in(new_session, tmp_path: Path) -> Callable[..., keystone.Session]:
    """A function that logs in to the cloud *name* of the service's clouds.yaml, with some changes."""

    def session(name: str, *, verify: object = True, **changes: object) -> keystone.Session:
        clouds = yaml.safe_load((tmp_path / "data" / "clouds.yaml").read_text())["clouds"]
        return new_session(generic.Password(**{**clouds[name]["auth"], **changes}), verify=verify)

    return session


# --- start and stop -----------------------------------------------------------------------------------------


def test_first_start(serve, tmp_path):
    """The first start says what it made, where it is, and how to use it, without any password."""
    served = serve()
    words = "".join(served.words)
    clouds = tmp_path / "data" / "clouds.yaml"

    assert stat.S_IMODE(clouds.stat().st_mode) == 0o600
    assert f"export OS_CLIENT_CONFIG_FILE={clouds} OS_CLOUD=demo" in words
    assert "demo and admin" in words
    assert "Warning" not in words
    for cloud in yaml.safe_load(clouds.read_text())["clouds"].values():
        assert cloud["auth"]["password"] not in words


def test_start_time(serve):
    """From nothing to the first answer takes a second on an idle machine, and never many."""
    begin = time.monotonic()
    served = serve()
    connection = served.connection()
    connection.request("GET", "/")
    with connection.getresponse() as answer:
        status = answer.status
    connection.close()

    assert status == 300
    assert time.monotonic() - begin < 10


def test_start_loads_no_client():
    """The service starts without the SDK's HTTP, which only copies between regions need."""
    script = "import sys, ecl.server.app; print({'requests', 'keystoneauth1', 'alembic'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=LIMIT, check=True)

    assert done.stdout == "set()\n"


def test_early_client_waits(tmp_path):
    """A client that connects while the service is still loading gets its answer."""
    port = free_port()
    words = [ECL, "serve", "--bind", f"127.0.0.1:{port}", "--data-dir", str(tmp_path)]
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + LIMIT
        while True:
            try:
                client = socket.create_connection(("127.0.0.1", port), timeout=LIMIT)
                break
            except ConnectionRefusedError:
                assert time.monotonic() < deadline
        with client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 300")
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stop_finishes_what_is_in_flight(serve, tmp_path, number):
    """After Ctrl-C or SIGTERM a request that has begun is answered, new clients are refused, and the code is 0."""
    served = serve()
    auth = yaml.safe_load((tmp_path / "data" / "clouds.yaml").read_text())["clouds"]["demo"]["auth"]
    user = {"name": "demo", "domain": {"id": "default"}, "password": auth["password"]}
    body = json.dumps({"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}).encode()
    slow = served.connection()
    slow.putrequest("POST", "/v3/auth/tokens")
    slow.putheader("Content-Length", str(len(body)))
    slow.endheaders(body[:10])
    # Once a later request is answered, the service has the first one in its hands.
    other = served.connection()
    other.request("GET", "/healthcheck")
    with other.getresponse() as answer:
        answer.read()
    other.close()

    served.process.send_signal(number)
    served.wait_for("Stopping")
    deadline = time.monotonic() + LIMIT
    while True:
        try:
            socket.create_connection((slow.host, slow.port), timeout=LIMIT).close()
            assert time.monotonic() < deadline
        except (ConnectionRefusedError, ConnectionResetError):
            # Reset: the listener closed while this connection was being made.
            break
    slow.send(body[10:])

    with slow.getresponse() as answer:
        assert answer.status == 201
    slow.close()
    assert served.process.wait(LIMIT) == 0


def test_second_ctrl_c_stops_at_once(serve):
    """With a request that never ends, a second Ctrl-C ends the service with code 130."""
    served = serve()
    slow = served.connection()
    slow.putrequest("POST", "/v3/auth/tokens")
    slow.putheader("Content-Length", "10")
    slow.endheaders(b"{")
    served.process.send_signal(signal.SIGINT)
    served.wait_for("Stopping")
    served.process.send_signal(signal.SIGINT)

    assert served.process.wait(LIMIT) == 130
    slow.close()


def test_shutdown_timeout(serve, tmp_path):
    """A request that never ends holds the service for no longer than shutdown_timeout."""
    config = tmp_path / "service.toml"
    config.write_text("shutdown_timeout = 1\n")
    served = serve("--config", str(config))
    slow = served.connection()
    slow.putrequest("POST", "/v3/auth/tokens")
    slow.putheader("Content-Length", "10")
    slow.endheaders(b"{")
    served.process.send_signal(signal.SIGTERM)

    assert served.process.wait(LIMIT / 2) == 0
    slow.close()


# --- TLS ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key."""
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ecl test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    cert_path, key_path = folder / "cert.pem", folder / "key.pem"
    cert_path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_path, key_path


def test_tls(serve, log_in, certificate):
    """With a certificate the service speaks https alone, and its links say so."""
    cert, key = certificate
    served = serve("--tls-cert", str(cert), "--tls-key", str(key))
    session = log_in("demo", verify=str(cert))

    assert served.url.startswith("https://127.0.0.1:")
    assert session.get_endpoint(service_type="image") == f"{served.url}/image/jp1"
    with pytest.raises(SSLError):
        log_in("demo").get_token()


def test_tls_with_a_self_signed_certificate(serve, certificate, tmp_path):
    """The printed line works as it is, from another folder, at the first start and after the certificate has moved."""
    cert, key = certificate
    for number in range(2):
        moved = tmp_path / f"cert-{number}.pem"
        moved.write_bytes(cert.read_bytes())
        relative = [os.path.relpath(path) for path in (moved, key, tmp_path / "data")]
        served = serve("--tls-cert", relative[0], "--tls-key", relative[1], folder=Path(relative[2]))
        printed = served.words[-1].split()
        env = dict(word.split("=", 1) for word in printed[1:])
        listed = run("image", "list", "-f", "json", env=env, folder=tmp_path)

        assert (listed.returncode, listed.stdout, listed.stderr) == (0, "[]\n", "")
        assert Path(env["OS_CLIENT_CONFIG_FILE"]).read_text().count(f'cacert: "{moved}"') == 4
        served.process.terminate()
        served.process.wait(LIMIT)


def test_silent_tls_client(serve, certificate, tmp_path):
    """A client that connects to the TLS port and says nothing is cut off when a head would have to be there."""
    cert, key = certificate
    settings = tmp_path / "ecl.toml"
    settings.write_text("[http]\nhead_timeout = 1\n")
    served = serve("--config", str(settings), "--tls-cert", str(cert), "--tls-key", str(key))
    host, port = served.url.removeprefix("https://").split(":")

    # Half of what asyncio gives a handshake by itself.
    with socket.create_connection((host, int(port)), timeout=30) as client:
        assert client.recv(1) == b""


def test_wrong_certificate(tmp_path, certificate):
    """A certificate that is missing, no certificate, or alone is one sentence, and nothing is made."""
    cert, _ = certificate
    folder = tmp_path / "data"
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    missing = run("serve", "--data-dir", str(folder), "--tls-cert", "no.pem", "--tls-key", "no.pem")
    wrong = run("serve", "--data-dir", str(folder), "--tls-cert", str(cert), "--tls-key", str(nonsense))
    alone = run("serve", "--data-dir", str(folder), "--tls-cert", str(cert))

    assert (missing.returncode, wrong.returncode, alone.returncode) == (1, 1, 2)
    assert "no.pem is not there" in missing.stderr
    assert "not PEM files that belong together" in wrong.stderr
    assert "both tls_cert and tls_key" in alone.stderr
    assert not folder.exists()


def test_limit_of_open_files(serve, tmp_path):
    """The service may open as many files as the system allows; it says so if its own bounds need more."""
    settings = tmp_path / "ecl.toml"
    settings.write_text("[http]\nmax_connections = 2000000000\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
    try:
        enough, too_few = serve(), serve("--config", str(settings), folder=tmp_path / "other")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert resource.prlimit(enough.process.pid, resource.RLIMIT_NOFILE) == (hard, hard)
    assert not [line for line in enough.words if "Warning" in line]
    (warning,) = [line for line in too_few.words if "Warning" in line]
    assert f"may open {hard} files, and 2000000" in warning
    assert "ulimit -n" in warning


# --- what goes wrong ----------------------------------------------------------------------------------------


def test_port_in_use(tmp_path):
    """A port in use is one sentence that says what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        failed = run("serve", "--bind", f"127.0.0.1:{port}", "--data-dir", str(tmp_path))

    assert failed.returncode == 1
    assert failed.stderr == (
        f"Error: Cannot listen on 127.0.0.1:{port}: the port is in use; choose another address with --bind.\n"
    )


def test_two_services_on_one_folder(serve, tmp_path):
    """The second service on a folder is refused with the first one's process ID."""
    served = serve()
    failed = run("serve", "--bind", "127.0.0.1:0", "--data-dir", str(tmp_path / "data"))

    assert failed.returncode == 1
    assert f"Another service (process {served.process.pid}) is using the data folder" in failed.stderr


def test_wrong_folder(tmp_path):
    """A data folder that cannot be one is named."""
    file = tmp_path / "file"
    file.touch()
    failed = run("serve", "--bind", "127.0.0.1:0", "--data-dir", str(file / "data"))

    assert failed.returncode == 1
    assert failed.stderr == f"Error: The data folder {file / 'data'} cannot be used: Not a directory.\n"


def test_no_database(tmp_path):
    """A database file that is none is one sentence."""
    (tmp_path / "ecl.db").write_bytes(b"nonsense " * 1000)
    failed = run("serve", "--bind", "127.0.0.1:0", "--data-dir", str(tmp_path))

    assert failed.returncode == 1
    assert failed.stderr == "Error: The database cannot be used: file is not a database.\n"


@pytest.mark.parametrize("address", ["x:y", ":", "::1", "127.0.0.1:99999999", "[::1", "1:2:3", ""])
def test_wrong_address(tmp_path, address):
    """What is no address is refused before anything is made."""
    failed = run("serve", "--bind", address, "--data-dir", str(tmp_path / "data"))

    assert failed.returncode == 2
    assert "Traceback" not in failed.stderr
    assert not (tmp_path / "data").exists()


def test_wrong_setting(tmp_path):
    """A wrong setting is a usage error."""
    failed = run("serve", "--data-dir", str(tmp_path), env={"ECL_SERVE_PROT": "1"})

    assert failed.returncode == 2
    assert "did you mean ECL_SERVE_PORT" in failed.stderr


def test_warning_beyond_loopback(serve):
    """Listening beyond this machine without TLS is said aloud."""
    served = serve("--bind", "0.0.0.0:0")

    assert "listens on 0.0.0.0 without TLS" in "".join(served.words)


# --- who may log in -----------------------------------------------------------------------------------------


def test_stock_plugins(serve, log_in, new_session):
    """keystoneauth1's own plugins log in: password, token, application credential; generic and v3."""
    served = serve()
    session = log_in("demo-jp2")
    project_id = session.get_project_id()
    user = session.get_user_id()
    path = f"/v3/users/{user}/application_credentials"
    body = {"application_credential": {"name": "stock"}}
    made = session.post(served.url + path, json=body).json()["application_credential"]
    plugins = [
        generic.Token(served.url, token=session.get_token(), project_id=project_id),
        v3.Token(f"{served.url}/v3", token=session.get_token(), project_id=project_id),
        v3.ApplicationCredential(
            f"{served.url}/v3",
            application_credential_id=made["id"],
            application_credential_secret=made["secret"],
        ),
        v3.ApplicationCredential(
            f"{served.url}/v3",
            application_credential_name="stock",
            user_id=user,
            application_credential_secret=made["secret"],
        ),
    ]

    for plugin in plugins:
        other = new_session(plugin)
        assert other.get_project_id() == project_id
        assert other.get_endpoint(service_type="image") == f"{served.url}/image/jp2"
        assert other.get_endpoint(service_type="image", region_name="jp1") == f"{served.url}/image/jp1"


def test_users_and_projects(serve, log_in, tmp_path):
    """Users and projects are managed while the service runs, and count at once."""
    served = serve()
    where = ("--data-dir", str(tmp_path / "data"))
    project = run("serve", "project", "create", "team", "--region", "jp2", *where)
    user = run("serve", *where, "user", "create", "ann", "--password-file", "-", text="first\nrest\n")
    granted = run("serve", "user", "grant", "ann", "member", "team", *where)
    assert (project.returncode, user.returncode, granted.returncode) == (0, 0, 0), user.stderr + granted.stderr
    ann = {"username": "ann", "password": "first", "project_id": project.stdout.strip()}
    session = log_in("demo", **ann)
    assert session.get_endpoint(service_type="image") == f"{served.url}/image/jp2"

    listed = run("serve", "user", "list", *where).stdout
    assert [line.split()[0] for line in listed.splitlines()] == ["NAME", "admin", "ann", "demo", "replicator"]
    assert "member on team" in listed

    changed = run("serve", "user", "set-password", "ann", "--generate", *where)
    with pytest.raises(Unauthorized):
        session.get(f"{served.url}/v3/auth/projects")
    session = log_in("demo", **{**ann, "password": changed.stdout.strip()})
    assert session.get_project_id() == ann["project_id"]

    assert run("serve", "user", "revoke", "ann", "member", "team", *where).returncode == 0
    with pytest.raises(Unauthorized):
        log_in("demo", **{**ann, "password": changed.stdout.strip()}).get_token()
    assert run("serve", "project", "delete", "team", *where).returncode == 0
    assert run("serve", "user", "delete", "ann", *where).returncode == 0
    names = run("serve", "project", "list", *where).stdout
    assert "team" not in names
    assert "demo-jp1" in names


@pytest.mark.parametrize("words", ["user delete admin", "user revoke admin admin admin", "project delete admin"])
def test_last_administrator_goes_only_on_purpose(tmp_path, words):
    """Without a terminal --yes is needed; where another administrator is left, nothing is asked."""
    from ecl.testing import ImageService

    with ImageService(data_dir=tmp_path / "data"):
        pass
    where = ("--data-dir", str(tmp_path / "data"))
    refused = run("serve", *words.split(), *where)
    assert refused.returncode == 2
    assert refused.stderr == (
        "Error: This removes the last administrator of the service. Go on?"
        " There is no terminal to ask on: give --yes to agree.\n"
    )

    run("serve", "user", "create", "ann", "--generate", *where)
    run("serve", "user", "grant", "ann", "admin", "demo-jp1", *where)
    assert run("serve", *words.split(), *where).returncode == 0
    last = ("serve", "user", "revoke", "ann", "admin", "demo-jp1", *where)
    assert (run(*last).returncode, run(*last, "--yes").returncode) == (2, 0)


REFUSED = {
    "user create demo --generate": (1, "There is already a user named 'demo'."),
    "user create x": (2, "use --generate or --password-file"),
    "user delete nobody": (1, "There is no user 'nobody'."),
    "user delete replicator": (1, "is the service's own"),
    "user grant demo king demo-jp1": (1, "There is no role 'king'; the roles are admin, member, reader, service."),
    "user grant demo member nothing": (1, "There is no project 'nothing'."),
    "user revoke demo admin demo-jp1": (1, "does not have the role admin"),
    "project create x --region mars": (2, "There is no region 'mars'; there are jp1, jp2."),
    "project create demo-jp1 --region jp1": (1, "There is already a project named 'demo-jp1'."),
    "project delete service": (1, "is the service's own"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a service that has run once."""
    from ecl.testing import ImageService

    path = tmp_path_factory.mktemp("served")
    with ImageService(data_dir=path):
        return path


@pytest.mark.parametrize(("words", "answer"), REFUSED.items(), ids=REFUSED)
def test_refused(folder, words, answer):
    """What cannot be done is one sentence with the right exit code."""
    done = run("serve", "--data-dir", str(folder), *words.split())

    assert (done.returncode, answer[1] in done.stderr) == (answer[0], True), done.stderr
    assert "Traceback" not in done.stderr


def test_no_service_yet(tmp_path):
    """Managing users of a service that was never started says what to do."""
    failed = run("serve", "user", "list", "--data-dir", str(tmp_path))

    assert failed.returncode == 1
    assert "start `ecl serve` once" in failed.stderr


# --- the command itself -------------------------------------------------------------------------------------


def test_help_loads_click_alone():
    """``ecl --help`` answers without the SDK, the server or anything heavy."""
    script = (
        "import sys\nfrom ecl.cli.main import cli\ncli.main(['--help'], standalone_mode=False)\n"
        "print(sorted({'requests', 'sqlalchemy', 'keystoneauth1', 'uvicorn', 'rich', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=LIMIT, check=True)

    assert "serve" in done.stdout
    assert done.stdout.endswith("[]\n")


def test_unknown_command():
    """An unknown command is exit code 2."""
    assert run("nonsense").returncode == 2
    assert run("--version").stdout.startswith("ecl ")
