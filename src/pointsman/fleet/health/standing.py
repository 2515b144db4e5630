"""What is known of one replica after its probes. Pure."""

from enum import StrEnum

import msgspec

from pointsman.core.endpoint import Health


class Answer(StrEnum):
    """What a probe met."""

    WELL = "well"
    ASLEEP = "asleep"
    UNWELL = "unwell"
    """A server error, or no answer in time."""
    UNREACHABLE = "unreachable"
    """Nobody listens there: refused, or no such host."""


class Probed(msgspec.Struct, frozen=True):
    """What one probe told."""

    answer: Answer
    models: frozenset[str] | None = None
    """Names it serves; ``None`` when not asked or not told."""
    can_sleep: bool | None = None
    """Whether the engine has a sleep mode; ``None`` when not asked."""
    detail: str = ""


class Standing(msgspec.Struct, frozen=True):
    """A replica as its probes show it."""

    health: Health = Health.UNKNOWN
    failures: int = 0
    """Probes in a row that failed."""
    models: frozenset[str] = frozenset()
    can_sleep: bool | None = None

    def after(self, probed: Probed, patience: int) -> "Standing":
        """One probe later; ``patience`` failures in a row make it down, nobody listening does at once."""
        models = self.models if probed.models is None else probed.models
        can_sleep = self.can_sleep if probed.can_sleep is None else probed.can_sleep
        if probed.answer is Answer.WELL:
            return Standing(Health.READY, 0, models, can_sleep)
        if probed.answer is Answer.ASLEEP:
            return Standing(Health.ASLEEP, 0, models, can_sleep)
        failures = self.failures + 1
        down = probed.answer is Answer.UNREACHABLE or failures >= patience
        # What comes back may be another engine: its abilities are asked for anew.
        return Standing(Health.DOWN if down else self.health, failures, models, None if down else can_sleep)

    def answered(self) -> "Standing":
        """A request was answered: failed probes were bad luck. Only a probe brings back what is down."""
        return msgspec.structs.replace(self, failures=0) if self.health is Health.READY else self
