"""What a migration did with every key, for people."""

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.text import Text

from pointsman.cli.view.ink import Ink
from pointsman.config.migration import Change, Migration


def migration_view(migration: Migration, source: str, target: str) -> "_Account":
    """Keys that moved, moved with a difference, and were left out; then a line to go on from."""
    return _Account(migration, source, target)


class _Account:
    """Renders itself, because arrows and line breaks depend on the console."""

    def __init__(self, migration: Migration, source: str, target: str) -> None:
        self._migration = migration
        self._source = source
        self._target = target

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        ink = Ink.of(options)
        groups = (
            ("Moved", [c for c in self._migration.changes if c.path_new and not c.note], "dim"),
            ("Moved, with a difference", [c for c in self._migration.changes if c.path_new and c.note], ""),
            ("Left out", [c for c in self._migration.changes if not c.path_new], "yellow"),
        )
        for title, changes, style in groups:
            if changes:
                yield Text(title, f"bold {style}".strip())
                yield from _rows(changes, ink, options.max_width, style)
                yield Text("")
        counts = ", ".join(f"{len(changes)} {title.lower()}" for title, changes, _ in groups if changes)
        yield Text(f"{ink.plain(self._source)}: {self._migration.era}; {counts}", "bold", overflow="fold")
        if self._target:
            yield Text(f"Next: pointsman check {ink.plain(self._target)}", overflow="fold")


def _rows(changes: Sequence[Change], ink: Ink, width: int, style: str) -> Iterator[RenderableType]:
    """Each key and where it went, those with the same remark together below it."""
    for note in dict.fromkeys(change.note for change in changes):
        if note:
            yield Padding(Text(ink.plain(note), "italic", overflow="fold"), (0, 0, 0, 2))
        for change in changes:
            if change.note == note:
                row = ink.plain(change.path_old)
                if change.path_new:
                    new = f"{ink.arrow} {ink.plain(change.path_new)}"
                    apart = len(row) + len(new) + 6 > width
                    row += f"\n    {new}" if apart else f" {new}"
                yield Padding(Text(row, style, overflow="fold"), (0, 0, 0, 4 if note else 2))
