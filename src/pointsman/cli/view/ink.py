"""Marks, bars and safe text, in the characters a terminal can show."""

from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.console import ConsoleOptions

BAR_CELLS = 10


@dataclass(frozen=True, slots=True)
class Ink:
    """What to draw with. Marks carry the meaning; colour only repeats it."""

    encoding: str
    yes: str = "✓"
    no: str = "✗"
    failed: str = "!"
    full: str = "█"
    empty: str = "░"
    more: str = "…"
    arrow: str = "→"
    dot: str = "·"
    micro: str = "µs"

    @classmethod
    def of(cls, options: ConsoleOptions) -> "Ink":
        """The ink for a console: plain ASCII where its encoding is not UTF."""
        if options.ascii_only:
            return cls(options.encoding, "+", "-", "!", "#", ".", "...", "->", "-", "us")
        return cls(options.encoding)

    def plain(self, text: str) -> str:
        """Text on one line that cannot steer the terminal and that its encoding can write."""
        line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
        return line.encode(self.encoding, "replace").decode(self.encoding, "replace")

    def clip(self, text: str, cells: int) -> str:
        """``plain`` text of at most ``cells`` columns (a Chinese character takes two)."""
        line = self.plain(text)
        if cell_len(line) <= cells:
            return line
        return set_cell_size(line, max(0, cells - cell_len(self.more))).rstrip() + self.more

    def mark(self, *, matched: bool, error: str = "") -> str:
        """Whether something matched, did not, or could not be known."""
        return self.failed if error else self.yes if matched else self.no

    def bar(self, confidence: float) -> str:
        """A confidence as a bar."""
        filled = round(min(max(confidence, 0.0), 1.0) * BAR_CELLS)
        return self.full * filled + self.empty * (BAR_CELLS - filled)

    def duration(self, us: float) -> str:
        """A duration given in microseconds, in the unit that suits it."""
        if us < 1000:
            return f"{us:.0f} {self.micro}"
        return f"{us / 1000:.1f} ms" if us < 1_000_000 else f"{us / 1_000_000:.1f} s"


def colour(*, matched: bool, error: str = "") -> str:
    """The style that goes with a mark."""
    return "red" if error else "green" if matched else "dim"
