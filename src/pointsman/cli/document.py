"""Reading the document for a command, and saying what it asks for that does not run."""

import os
from importlib.resources import files
from pathlib import Path

import click

from pointsman.config import Settings, examine, load_file, parse
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem, Severity

config_option = click.option(
    "-c",
    "--config",
    "config",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    envvar="CONFIG_FILE",
    help="The document, bare or under `config:` as Helm values carry it.",
)

allow_option = click.option(
    "--allow-unimplemented",
    is_flag=True,
    help="Start although the document asks for guards that do not run yet. Nothing is guarded.",
)

EXAMPLE = "mom.yaml"


def load_document(path: Path) -> Settings:
    """The settings in ``path``. Raises ``ConfigError`` with every problem."""
    return load_file(path)


def load_example() -> Settings:
    """The shipped example: the tutorial's mixture of models over two local engines."""
    text = files("pointsman").joinpath("examples", EXAMPLE).read_text(encoding="utf-8")
    return parse(text, os.environ, f"the shipped example ({EXAMPLE})")


def virtual_name(settings: Settings) -> str:
    """The model name that leaves the choice to the router; the default model where no name does."""
    router = settings.global_.router
    virtual = router.auto_model_name in router.virtual_names
    return router.auto_model_name if virtual else settings.providers.defaults.default_model


def admit(settings: Settings, source: str, *, allow_unimplemented: bool) -> tuple[Problem, ...]:
    """What the document asks for in vain.

    Raises ``ConfigError`` when that includes a guard: silence would be taken for protection.
    """
    problems = examine(settings)
    refused = [problem for problem in problems if problem.severity is Severity.REFUSED]
    if refused and not allow_unimplemented:
        raise ConfigError(
            refused, f"{source} asks for guards that do not run yet (--allow-unimplemented starts anyway)"
        )
    return problems
