"""``pointsman ext-proc``: the router alone, for an Envoy that somebody else runs."""

from pathlib import Path

import click

from pointsman.cli.document import allow_option, config_option, load_document
from pointsman.cli.host import HostOptions
from pointsman.cli.serving import run
from pointsman.core.errors import StartError
from pointsman.transports.extproc.server import Tls


@click.command(
    "ext-proc", epilog="\b\nExample:\n  pointsman ext-proc --config values.yaml --port 50051 --api-port 8080"
)
@config_option
@click.option("--bind", default="0.0.0.0", show_default=True, help="Address of the gRPC server.")  # noqa: S104  # other pods call it
@click.option("--port", default=50051, show_default=True, type=click.IntRange(1, 65535), help="gRPC port.")
@click.option("--api-port", type=click.IntRange(0, 65535), help="Management API port (document: 8080).")
@click.option("--api-bind", help="Management API address (document: 127.0.0.1).")
@click.option(
    "--metrics-port",
    default=9190,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0 serves none here.",
)
@click.option(
    "--enable-api", type=bool, is_flag=False, flag_value="true", default=True, help="true or false."
)
@click.option("--secure", type=bool, is_flag=False, flag_value="true", default=False, help="gRPC over TLS.")
@click.option(
    "--cert-path",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory with tls.crt and tls.key, for --secure.",
)
@allow_option
def ext_proc(
    config: Path,
    bind: str,
    port: int,
    api_port: int | None,
    api_bind: str | None,
    metrics_port: int,
    *,
    enable_api: bool,
    secure: bool,
    cert_path: Path | None,
    allow_unimplemented: bool,
) -> None:
    """Run the router alone: an ext_proc server on gRPC, a management API, metrics.

    Point an Envoy's ext_proc filter at the gRPC port (request headers SEND, request body BUFFERED). The gRPC
    health service answers for liveness and readiness.
    """
    settings = load_document(config)
    management = settings.global_.services.management_api
    address = f"[{bind}]:{port}" if ":" in bind else f"{bind}:{port}"
    options = HostOptions(
        api=(api_bind or management.bind_address, api_port or management.port) if enable_api else None,
        metrics=(bind, metrics_port) if metrics_port else None,
        grpc=address,
        tls=_tls(cert_path) if secure else None,
    )
    run(
        settings,
        str(config),
        options,
        allow_unimplemented=allow_unimplemented,
        ready=lambda: click.echo(f"ext_proc on {address}", err=True),
    )


def _tls(directory: Path | None) -> Tls:
    if directory is None:
        raise StartError("--secure needs --cert-path DIR with tls.crt and tls.key")
    try:
        return Tls((directory / "tls.crt").read_bytes(), (directory / "tls.key").read_bytes())
    except OSError as error:
        raise StartError(f"--cert-path {directory}: {error}") from error
