"""Counts requests against the rules: all that concern a request must allow it, or nothing is counted."""

import math
import time
from collections.abc import Callable

import msgspec

from pointsman.core.errors import RateLimited
from pointsman.core.request import ChatRequest
from pointsman.quota.estimate import estimated_tokens
from pointsman.quota.ledger import Bucket, Charge, Key, Ledger
from pointsman.quota.rule import Rule
from pointsman.quota.window import Window


class Limiter(msgspec.Struct, frozen=True):
    """The rules of one document over the counts of the process. Without rules everything passes."""

    rules: tuple[Rule, ...] = ()
    ledger: Ledger = msgspec.field(default_factory=Ledger)
    clock: Callable[[], float] = time.monotonic

    def admit(self, request: ChatRequest, model: str, request_id: str = "") -> None:
        """Count a request for the model that was selected.

        Raises ``RateLimited`` for the rule that makes it wait longest.
        """
        rules = [rule for rule in self.rules if rule.concerns(request.identity, model)]
        if not rules:
            return
        needed = estimated_tokens(request) if any(rule.tokens is not None for rule in rules) else 0
        now = self.clock()
        user = request.identity.user
        shares = [
            _Share.of(rule, Key(rule.name, rule.unit, user, model), self.ledger, needed) for rule in rules
        ]
        refusals = [refusal for share in shares for refusal in share.refusals(now)]
        if refusals:
            raise max(refusals, key=lambda refusal: refusal.retry_after or 0)
        charges = [charge for share in shares if (charge := share.charge(now))]
        self.ledger.remember(request_id, tuple(charges))


class _Share(msgspec.Struct, frozen=True):
    """One rule's part in a request."""

    rule: Rule
    key: Key
    bucket: Bucket
    tokens: int
    """What the request is expected to use, at most what the rule ever allows: large ones pass alone."""

    @classmethod
    def of(cls, rule: Rule, key: Key, ledger: Ledger, needed: int) -> "_Share":
        return cls(rule, key, ledger.bucket(key), min(needed, rule.tokens or 0))

    def refusals(self, now: float) -> list[RateLimited]:
        rule = self.rule
        asked = (
            ("requests", rule.requests, self.bucket.requests, 1),
            ("tokens", rule.tokens, self.bucket.tokens, max(1, self.tokens)),
        )
        return [
            _refusal(rule, what, limit, window, need, now)
            for what, limit, window, need in asked
            if limit is not None and window.total(rule.slot(now)) + need > limit
        ]

    def charge(self, now: float) -> Charge | None:
        slot = self.rule.slot(now)
        if self.rule.requests is not None:
            self.bucket.requests.add(slot, 1)
        if self.rule.tokens is None:
            return None
        self.bucket.tokens.add(slot, self.tokens)
        return Charge(self.key, slot, self.tokens)


def _refusal(rule: Rule, what: str, limit: int, window: Window, need: int, now: float) -> RateLimited:
    slot = window.room_at(need, limit)
    wait = rule.unit_s if slot is None else rule.begins(slot) - now
    return RateLimited(
        f'rate limit "{rule.name}": at most {limit} {what} per {rule.unit}',
        limit=limit,
        remaining=max(0, limit - window.total(rule.slot(now))),
        retry_after=max(1, math.ceil(wait)),
    )
