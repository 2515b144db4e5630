"""``pointsman serve``: Envoy and the router together."""

import os
from pathlib import Path

import click

from pointsman.cli.document import allow_option, config_option, load_document
from pointsman.cli.host import HostOptions
from pointsman.cli.serving import run
from pointsman.transports.envoy import binary
from pointsman.transports.envoy.planning import listeners_of


@click.command(epilog="\b\nExample:\n  pointsman serve -c examples/mom.yaml")
@config_option
@click.option("--envoy", type=click.Path(path_type=Path), help="Envoy binary; by default the installed one.")
@click.option("--api-port", type=click.IntRange(1, 65535), help="Management API port (document: 8080).")
@click.option("--api-bind", help="Management API address (document: 127.0.0.1).")
@click.option("--metrics-port", type=click.IntRange(1, 65535), help="Also serve /metrics alone on this port.")
@allow_option
def serve(
    config: Path,
    envoy: Path | None,
    api_port: int | None,
    api_bind: str | None,
    metrics_port: int | None,
    *,
    allow_unimplemented: bool,
) -> None:
    """Run Envoy and the router together.

    Clients connect to the document's listeners; the management API is on its own port, on loopback unless the
    document says otherwise. Ctrl-C lets running answers finish, then leaves nothing behind.
    """
    settings = load_document(config)
    management = settings.global_.services.management_api
    address = api_bind or management.bind_address
    chosen = envoy or (Path(settings.gateway.envoy.binary) if settings.gateway.envoy.binary else None)
    options = HostOptions(
        api=(address, api_port or management.port),
        metrics=(address, metrics_port) if metrics_port else None,
        envoy=binary.find(chosen, os.environ),
    )

    def ready() -> None:
        for listener in listeners_of(settings):
            click.echo(f"serving on http://{listener.address}:{listener.port}", err=True)

    run(settings, str(config), options, allow_unimplemented=allow_unimplemented, ready=ready)
