"""``pointsman envoy``: the Envoy configuration of a document, for reading or for running elsewhere."""

import json
from pathlib import Path

import click

from pointsman.cli.document import config_option, load_document
from pointsman.transports.envoy.bootstrap import self_contained
from pointsman.transports.envoy.planning import plan_from


@click.command()
@config_option
@click.option(
    "--run-dir",
    default="/run/pointsman",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Where the router's sockets are.",
)
def envoy(config: Path, run_dir: Path) -> None:
    """Print the Envoy bootstrap that `serve` would run, in one self-contained JSON document.

    \b
    pointsman envoy -c examples/mom.yaml > envoy.json
    envoy --mode validate -c envoy.json
    """
    plan = plan_from(load_document(config), run_dir)
    click.echo(json.dumps(self_contained(plan), indent=2))
