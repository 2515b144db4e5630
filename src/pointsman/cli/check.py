"""``pointsman check``: what is wrong with a document, what cannot win in it, what does not run yet."""

import os
from pathlib import Path

import click
from rich.console import Console

from pointsman.cli.rehearse import rehearse
from pointsman.cli.view.check import check_view
from pointsman.config import examine, locate_file
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem, Severity
from pointsman.decisions.analysis import analyse_settings
from pointsman.signals.untrusted import unheard_identity

_FAILING = {Severity.ERROR, Severity.REFUSED}


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--strict", is_flag=True, help="Warnings fail too.")
def check(file: Path, *, strict: bool) -> None:
    """Check FILE: errors with path, line and remedy; decisions that cannot win; keys without effect.

    Exits 1 when the document would not start, 0 otherwise.
    """
    problems, era = _problems(file)
    Console(soft_wrap=False).print(check_view(problems, str(file)))
    if era:
        click.echo(f"Read as v0.3, written in {era}. To rewrite it: pointsman migrate {file} -o NEW.yaml")
    failing = _FAILING | ({Severity.WARNING} if strict else set())
    raise SystemExit(int(any(problem.severity in failing for problem in problems)))


def _problems(file: Path) -> tuple[tuple[Problem, ...], str]:
    """The problems, and the era before v0.3 that the document was written in, if it was."""
    try:
        located = locate_file(file, os.environ)
    except ConfigError as error:
        return error.problems, ""
    settings = located.settings
    problems = (
        *rehearse(settings),
        *analyse_settings(settings),
        *unheard_identity(settings),
        *examine(settings),
    )
    return tuple(located.place(problem) for problem in problems), settings.era
