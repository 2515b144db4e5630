"""One thing wrong, or worth knowing, in a configuration document."""

from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """How much a problem matters, most serious first."""

    ERROR = "error"
    """The document does not run."""
    REFUSED = "refused"
    """The document asks for a guard that is not implemented: refused unless explicitly allowed."""
    WARNING = "warning"
    """The document runs, but probably not as its author meant (unreachable, shadowed)."""
    UNIMPLEMENTED = "unimplemented"
    """The key is understood and has no effect yet."""


class Problem(msgspec.Struct, frozen=True):
    """What is wrong (``message``, naming the value), where (``path``), and what to do (``remedy``)."""

    severity: Severity
    path: str
    """Dotted key path with list indexes, e.g. ``routing.decisions[3].modelRefs[0].lora_name``."""
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f" -> {self.remedy}" if self.remedy else ""
        return f"{self.severity}: {self.path or '(document)'}: {self.message}{remedy}"
