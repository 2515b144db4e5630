"""What of a faulty document can still be cross-checked, so that one run shows most problems."""

import copy
from typing import Any

from pydantic import ValidationError

from pointsman.config.document import Settings

_SHARED = frozenset({"listeners", "global", "fleet", "gateway"})
"""Top-level parts that no name in other parts depends on."""


def without_faults(data: dict[str, Any], error: ValidationError) -> Settings | None:
    """Settings from ``data`` with its faulty, self-contained parts left out.

    ``None`` when a fault lies where other parts look up names: cross-checks would then report
    consequences as if they were causes.
    """
    kept = copy.deepcopy(data)
    for details in error.errors(include_url=False, include_context=False, include_input=False):
        location = details["loc"]
        if location and location[0] in _SHARED:
            kept.pop(str(location[0]), None)
        elif len(location) > 2 and location[:2] == ("routing", "decisions") and isinstance(location[2], int):
            # A stand-in keeps the positions of the decisions after it.
            kept["routing"]["decisions"][location[2]] = {"name": f"(decision {location[2]})"}
        else:
            return None
    try:
        return Settings.model_validate(kept, by_alias=True, by_name=False)
    except ValidationError:
        return None
