"""``ecl serve``: run the embedded service. Its subcommands manage users, projects and metadata definitions."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ecl.cli.serve._service import explained, load, service_options
from ecl.cli.serve.backup import backup, restore
from ecl.cli.serve.check import check
from ecl.cli.serve.metadefs import metadefs
from ecl.cli.serve.project import project
from ecl.cli.serve.user import user

__all__ = ["serve"]

_FILE = click.Path(dir_okay=False, path_type=Path)


class _Address(click.ParamType[tuple[str | None, int | None]]):
    """HOST:PORT, HOST or :PORT; an IPv6 address is in brackets."""

    name = "HOST:PORT"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str | None, int | None]:
        text = str(value)
        host, port = text, ""
        if not text.endswith("]") and ":" in text:
            host, _, port = text.rpartition(":")
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        is_address = bare == host.strip("[]") and (":" not in bare or bare != host)
        if not is_address or not (host or port) or (":" in text and not port.isdecimal() and port):
            self.fail(f"{text!r} is not HOST:PORT, for example 127.0.0.1:9292 or [::1]:9292.", param, ctx)
        return bare or None, int(port) if port else None


@click.group(invoke_without_command=True)
@click.option("--bind", type=_Address(), help="Address to listen on; port 0 takes a free one.  [127.0.0.1:9292]")
@service_options
@click.option("--region", "regions", multiple=True, metavar="NAME", help="Region to serve; repeatable.  [jp1, jp2]")
@click.option("--tls-cert", type=_FILE, help="PEM file with the certificate and its chain.")
@click.option("--tls-key", type=_FILE, help="PEM file with the certificate's key.")
@click.option("--public-url", metavar="URL", help="Address that clients use, if a proxy stands in front.")
@click.option("--access-log", is_flag=True, default=None, help="Log each request.")
@click.option(
    "--testing", is_flag=True, default=None, help="Let tests control the service under /testing, with no login."
)
@click.pass_context
def serve(
    ctx: click.Context,
    bind: tuple[str | None, int | None] | None,
    data_dir: Path | None,
    config: Path | None,
    regions: tuple[str, ...],
    tls_cert: Path | None,
    tls_key: Path | None,
    public_url: str | None,
    access_log: bool | None,
    testing: bool | None,
) -> None:
    """
    Run the embedded image service until Ctrl-C.

    The first start creates the users demo and admin with generated passwords, and writes them to clouds.yaml in the
    data folder. Flags override ECL_SERVE_* variables, which override the --config file.
    """
    ctx.obj = {"data_dir": data_dir, "config": config}
    if ctx.invoked_subcommand is not None:
        return
    host, port = bind or (None, None)
    flags = {
        "host": host,
        "port": port,
        "data_dir": data_dir,
        "tls_cert": tls_cert,
        "tls_key": tls_key,
        "public_url": public_url,
        "access_log": access_log,
        "testing": testing,
    }
    with explained():
        from ecl.server.process.run import serve as run

        sys.exit(run(load(config, flags, regions)))


serve.add_command(check)
serve.add_command(backup)
serve.add_command(restore)
serve.add_command(user)
serve.add_command(project)
serve.add_command(metadefs)
