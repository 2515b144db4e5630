"""``pointsman schema``: the document's JSON Schema."""

import json

import click

from pointsman.config import json_schema


@click.command()
def schema() -> None:
    """Print the JSON Schema (draft 2020-12) of the document.

    \b
    pointsman schema > pointsman.schema.json
    An editor with a YAML language server completes and checks a document that begins with
      # yaml-language-server: $schema=pointsman.schema.json
    """
    click.echo(json.dumps(json_schema(), indent=2))
