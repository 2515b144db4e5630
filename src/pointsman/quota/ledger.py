"""What was counted so far. It outlives the pipeline: a new document keeps the counts of the old one."""

from collections import OrderedDict
from typing import Final

import msgspec

from pointsman.quota.window import Window

MAX_BUCKETS: Final = 65_536
"""Users times models times rules remembered; about 1 KB each when busy."""
MAX_CHARGES: Final = 16_384
"""Requests whose real usage may still become known."""


class Key(msgspec.Struct, frozen=True):
    """What is counted apart. The rule goes by its name, so that counts survive a reload."""

    rule: str
    unit: str
    user: str
    model: str


class Bucket:
    """The two windows of a key."""

    __slots__ = ("requests", "tokens")

    def __init__(self) -> None:
        self.requests = Window()
        self.tokens = Window()


class Charge(msgspec.Struct, frozen=True):
    """Tokens counted for a request before its usage was known."""

    key: Key
    slot: int
    tokens: int


class Ledger:
    """Counts of the rate limits, made once a process and handed to every pipeline it builds.

    At most ``max_buckets`` are kept; the one longest unused is forgotten for a new one, and with it what
    its user had used up. User names come from the gateway before us, so no client can make them up to force
    this. Charges that wait for their usage are bounded likewise: a forgotten one stays as estimated.
    Not for use from several threads.
    """

    def __init__(self, *, max_buckets: int = MAX_BUCKETS, max_charges: int = MAX_CHARGES) -> None:
        if max_buckets < 1 or max_charges < 1:
            raise ValueError(f"bounds must be positive: {max_buckets}, {max_charges}")
        self.evicted = 0
        """Buckets forgotten to make room."""
        self._max_buckets = max_buckets
        self._max_charges = max_charges
        self._buckets: OrderedDict[Key, Bucket] = OrderedDict()
        self._charges: OrderedDict[str, tuple[Charge, ...]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    @property
    def waiting(self) -> int:
        """Requests whose usage may still become known."""
        return len(self._charges)

    def bucket(self, key: Key) -> Bucket:
        """The counts of a key, made when it is new."""
        bucket = self._buckets.get(key)
        if bucket is not None:
            self._buckets.move_to_end(key)
            return bucket
        if len(self._buckets) >= self._max_buckets:
            self._buckets.popitem(last=False)
            self.evicted += 1
        bucket = self._buckets[key] = Bucket()
        return bucket

    def remember(self, request_id: str, charges: tuple[Charge, ...]) -> None:
        """Keep what was charged for a request, until ``settle``. Without an id there is nothing to find."""
        if not request_id or not charges:
            return
        self._charges.pop(request_id, None)
        if len(self._charges) >= self._max_charges:
            self._charges.popitem(last=False)
        self._charges[request_id] = charges

    def settle(self, request_id: str, tokens: int) -> None:
        """The tokens a request really used, prompt and answer; corrects the estimate once.

        Anything that learns of usage calls this: nothing happens for an id that is unknown, settled, or
        whose window has passed.
        """
        for charge in self._charges.pop(request_id, ()):
            bucket = self._buckets.get(charge.key)
            if bucket is not None:
                bucket.tokens.correct(charge.slot, tokens - charge.tokens)
