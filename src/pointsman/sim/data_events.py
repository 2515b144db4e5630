"""How OpenAI's streams are written: events without a name, and ``[DONE]``."""

from typing import Any

from pointsman.sim import wire
from pointsman.sim.errors import ApiError
from pointsman.sim.plan import Outcome


class DataEvents:
    """What the shapes of OpenAI's APIs share."""

    done = wire.DONE

    def event(self, value: Any) -> bytes:
        """A nameless event."""
        return wire.event(value)

    def ending(self, outcome: Outcome, usage: dict[str, Any], *, wanted: bool) -> list[Any]:  # noqa: ARG002  (told before)
        """The usage, for clients that asked for it."""
        return [self.usage_event(usage)] if wanted else []

    def usage_event(self, usage: dict[str, Any]) -> Any:
        """An event without choices."""
        raise NotImplementedError

    def error(self, error: ApiError) -> Any:
        """An error as a body and as an event."""
        return error.body()
