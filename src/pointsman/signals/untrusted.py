"""What a document asks about its callers, although nobody is believed who says who they are."""

from collections.abc import Iterator

from pointsman.config.document import Settings
from pointsman.config.identity import identity_headers
from pointsman.config.routing import Routing
from pointsman.core.problem import Problem, Severity
from pointsman.decisions.asked import asked
from pointsman.signals import authz
from pointsman.signals.derivations import build_derivations, observed

_EVERYONE = frozenset({"", "*"})


def unheard_identity(settings: Settings) -> tuple[Problem, ...]:
    """A warning where roles or limits need the identity headers that our own Envoy removes."""
    if settings.gateway.trust_identity_headers:
        return ()
    users = (*_roles(settings), *_limits(settings))
    if not users:
        return ()
    removed = ", ".join(dict.fromkeys(identity_headers(settings).asserted))
    consequence = "no caller is known there"
    if any("authz" in user for user in users) and not settings.global_.services.authz.fail_open:
        consequence = "requests that such conditions decide about get a 403 there"
    return (
        Problem(
            Severity.WARNING,
            "gateway.trust_identity_headers",
            f"is false, so serve removes {removed} from requests; {' and '.join(users)} need them: "
            f"{consequence}",
            "set it to true if all clients come through a proxy that authenticates them, sets these headers "
            "and removes the clients' own; ext-proc believes them always, and for it alone true is right",
        ),
    )


def _roles(settings: Settings) -> Iterator[str]:
    routings = [("", settings.routing)]
    routings += [(f" of the recipe {recipe.name}", recipe.routing) for recipe in settings.recipes]
    for whose, routing in routings:
        if _asks_roles(routing):
            yield f"the authz conditions{whose}"


def _asks_roles(routing: Routing) -> bool:
    used = frozenset(asked(routing))
    return authz.needed(observed(used, build_derivations(routing, used)))


def _limits(settings: Settings) -> Iterator[str]:
    for provider in settings.global_.services.ratelimit.providers:
        for rule in provider.rules:
            if not {rule.match.user, rule.match.group} <= _EVERYONE:
                yield f"the rate limit {rule.name}"
