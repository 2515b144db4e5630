"""``pointsman migrate``: a flat document from before v0.3, rewritten."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pointsman.cli.view.check import check_view
from pointsman.cli.view.migration import migration_view
from pointsman.config import parse
from pointsman.config.migration import rewrite
from pointsman.core.errors import ConfigError, StartError
from pointsman.core.problem import Problem


@click.command()
@click.argument("old", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "-o", "--output", "new", type=click.Path(path_type=Path, dir_okay=False), help="File to write to."
)
@click.option("--force", is_flag=True, help="Overwrite the file that -o names.")
@click.option("--endpoint", default="", metavar="HOST:PORT", help="Serves models for which OLD names none.")
def migrate(old: Path, new: Path | None, *, force: bool, endpoint: str) -> None:
    """Rewrite OLD, a flat document from before v0.3, as v0.3.

    The new document goes to standard output or to the file that -o names; what became of each key goes to
    standard error. OLD may be bare or Helm values, which stay Helm values. ${VARIABLES} stay as they are
    written; comments of OLD are lost. Settings that blocked jailbreaks and personal data become signals and
    decisions that block.

    \b
    pointsman migrate old.yaml                  # look at it
    pointsman migrate old.yaml -o new.yaml      # keep it
    pointsman check new.yaml                    # see what has no effect yet

    Exits 1 when OLD cannot be migrated, or when the new document needs an edit before it runs; it is written
    all the same then. Documents that leave the engines' addresses to a gateway need --endpoint.
    """
    if new is not None and new.exists() and not force:
        raise StartError(f"{new} exists already: give another name, or --force to overwrite it")
    text, migration = rewrite(_read(old), str(old), endpoint=endpoint)
    if new is None:
        click.echo(text, nl=False)
    else:
        _write(new, text)
    console = Console(stderr=True, soft_wrap=False)
    console.print(migration_view(migration, str(old), str(new) if new else ""))
    problems = _problems(text, migration.document)
    if problems:
        console.print(check_view(problems, str(new or "the new document")))
    raise SystemExit(int(bool(problems)))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise StartError(f"{path} cannot be read: {reason}") from None


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StartError(f"{path} cannot be written: {error.strerror}") from None


class _Unset(Mapping[str, str]):
    """An environment in which every variable is set: this machine's has nothing to do with the document."""

    def __getitem__(self, key: str) -> str:
        return "1"

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _problems(text: str, document: Any) -> tuple[Problem, ...]:
    """What keeps the new document from running, values from the environment aside."""
    try:
        parse(text, _Unset())
    except ConfigError as error:
        open_ends = frozenset(_references(document, ""))
        return tuple(problem for problem in error.problems if problem.path not in open_ends)
    return ()


def _references(value: Any, path: str) -> Iterator[str]:
    """Paths of the values that the environment fills in."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _references(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _references(inner, f"{path}[{index}]")
    elif isinstance(value, str) and "$" in value:
        yield path
