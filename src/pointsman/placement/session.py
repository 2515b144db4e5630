"""``session``: whoever shares a session shares a replica, until that one is overloaded or gone."""

import hashlib
from collections.abc import Mapping, Sequence
from http.cookies import CookieError, SimpleCookie
from typing import Final

from pointsman.config.placement import Placement, SessionKey
from pointsman.dialects.body import Body
from pointsman.placement.base import Asked, Profile, Scores, View, Weighed
from pointsman.placement.filters import ELIGIBLE
from pointsman.placement.pickers import Best
from pointsman.placement.policy import Policy

_MAX: Final = 1024
"""Characters of a session's id that are read."""


class SessionDraw:
    """Rendezvous hashing: each endpoint draws a number for the session, the same in every router.

    An endpoint that goes moves its own sessions only, one that comes takes an even part of all.
    """

    name = "session"

    def __call__(self, asked: Asked, views: Sequence[View]) -> Scores:
        """The numbers drawn; all 0 for a request without a session, which then goes to the least busy."""
        if not asked.session:
            return [0.0] * len(views)
        key = asked.session.encode("utf-8", "surrogatepass")
        return [_draw(key, view.address) for view in views]


def _draw(key: bytes, address: str) -> float:
    digest = hashlib.blake2b(key, digest_size=8, key=address.encode()[:64]).digest()
    return int.from_bytes(digest, "big") / 2**64


def session_of(where: SessionKey, headers: Mapping[str, str], body: Body) -> str:
    """The session a request names; empty when it names none."""
    found = headers.get(where.header.lower(), "") if where.header else ""
    if not found and where.cookie:
        found = _cookie(headers.get("cookie", ""), where.cookie)
    if not found and where.body:
        written = body.get(where.body)
        found = written if isinstance(written, str) else ""
    return found[:_MAX]


def _cookie(header: str, name: str) -> str:
    try:
        cookie = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return cookie.value if cookie else ""


def session(settings: Placement) -> Policy:
    """The policy."""
    profile = Profile(ELIGIBLE, (Weighed(SessionDraw()),), Best(settings.overload))
    return Policy("session", profile, reads_session=True)
