"""Changes to the headers of a request or an answer."""

from collections.abc import Mapping

import msgspec


class HeaderEdits(msgspec.Struct, frozen=True):
    """``remove`` first, then ``set`` (overwriting). Names are lower case."""

    set: Mapping[str, str] = {}
    remove: tuple[str, ...] = ()
