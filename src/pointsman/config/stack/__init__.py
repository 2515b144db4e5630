"""The command line of the production stack's router, understood as a v0.3 document."""

from pointsman.config.stack.document import Translation, translate
from pointsman.config.stack.dynamic import read_dynamic
from pointsman.config.stack.flag import Flag, Kind
from pointsman.config.stack.flags import FLAGS, FLAGS_BY_KEY
from pointsman.config.stack.given import Given, gather

__all__ = [
    "FLAGS",
    "FLAGS_BY_KEY",
    "Flag",
    "Given",
    "Kind",
    "Translation",
    "gather",
    "read_dynamic",
    "translate",
]
