"""``weighted``: each candidate gets its share of conversations, and a conversation keeps its candidate."""

import hashlib
import math
from collections.abc import Sequence

from pointsman.config.decisions import Decision
from pointsman.core.errors import ConfigError
from pointsman.core.model import Candidate
from pointsman.core.problem import Problem, Severity
from pointsman.core.request import ChatRequest
from pointsman.selection.base import Asked, Choice
from pointsman.selection.dependencies import Dependencies

_OPENING = 4096
"""Characters of a conversation's beginning that tell it from others."""


class Weighted:
    """Rendezvous hashing: a candidate that goes away moves its own conversations only."""

    algorithm = "weighted"

    async def choose(self, candidates: Sequence[Candidate], asked: Asked) -> Choice:
        """By session, else user, else how the conversation began; a weight of 0 gets nothing."""
        word, key = conversation(asked.request)
        weighed = [candidate for candidate in candidates if candidate.weight > 0]
        if not weighed:
            return Choice(candidates[0], "nothing else can serve now")
        best = max(weighed, key=lambda each: _draw(f"{asked.decision}\0{key}", each))
        return Choice(best, f"share {best.weight:g} of {sum(each.weight for each in weighed):g}, by {word}")


def weighted(decision: Decision, dependencies: Dependencies) -> Weighted:
    """The selector. Raises ``ConfigError`` when nothing has a weight."""
    if decision.model_refs and not any(ref.weight for ref in decision.model_refs):
        message = "all weights are 0, so nothing would be chosen"
        problem = Problem(Severity.ERROR, f"{dependencies.where}.modelRefs", message, "raise one")
        raise ConfigError([problem])
    return Weighted()


def conversation(request: ChatRequest) -> tuple[str, str]:
    """What tells a conversation from others, and by which word that goes."""
    if request.identity.session:
        return "session", request.identity.session
    if request.identity.user or request.user:
        return "user", request.identity.user or request.user
    # Later turns repeat the first ones, so that a conversation keeps its beginning.
    opening = []
    for message in request.messages:
        opening.append(f"{message.role}:{message.text[:_OPENING]}")
        if message.role == "user":
            break
    return "opening", "\n".join(opening)


def _draw(key: str, candidate: Candidate) -> float:
    """An exponential draw of the candidate's rate, always the same for a key: the highest wins its share."""
    text = f"{key}\0{candidate.target.name}".encode("utf-8", "surrogatepass")
    drawn = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")
    return math.log((drawn + 1) / (2**64 + 1)) / candidate.weight
