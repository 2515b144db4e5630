"""``request_params``: limits on what a client may ask of the model."""

from typing import Any

import msgspec

from pointsman.dialects.body import Body
from pointsman.dialects.known_fields import KNOWN_FIELDS, REQUIRED_FIELDS
from pointsman.plugins.draft import Draft

_TOKEN_FIELDS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "min_tokens")
"""What says how long an answer may be; a least length above the limit would be refused by engines."""
_ANSWER_FIELDS = ("n", "best_of")


class RequestParams(msgspec.Struct, frozen=True):
    """Removes fields and cuts numbers. Where the client asked for no limit, the engine's own applies."""

    blocked: frozenset[str] = frozenset()
    max_tokens: int | None = None
    max_answers: int | None = None
    strip_unknown: bool = False
    type: str = "request_params"

    async def apply(self, draft: Draft) -> Draft:
        """Fields first, then numbers: a blocked field has no number to cut."""
        removed = [name for name in draft.body.fields if self._removes(draft, name)]
        if removed:
            note = f"parameters removed: {', '.join(sorted(removed))}"
            draft = draft.changed(draft.body.without(*removed), note)
        for limit, names in ((self.max_tokens, _TOKEN_FIELDS), (self.max_answers, _ANSWER_FIELDS)):
            for name in names:
                draft = draft if limit is None else _cut(draft, name, limit)
        return draft

    def _removes(self, draft: Draft, name: str) -> bool:
        if name in REQUIRED_FIELDS:
            return False
        unknown = self.strip_unknown and name not in KNOWN_FIELDS[draft.request.dialect]
        return unknown or name in self.blocked


def _cut(draft: Draft, name: str, limit: int) -> Draft:
    asked = _number(draft.body, name)
    if asked is None or asked <= limit:
        return draft
    return draft.changed(draft.body.with_field(name, limit), f"{name}: {asked:g} -> {limit}")


def _number(body: Body, name: str) -> float | None:
    """A field as the number an engine reads in it: some take digits in quotation marks, too."""
    value: Any = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return float("inf") if isinstance(value, int) else None
