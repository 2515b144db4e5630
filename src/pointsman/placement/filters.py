"""Which endpoints may serve a request at all."""

from collections.abc import Sequence

from pointsman.core.endpoint import Health, Role
from pointsman.placement.base import Asked, View


def healthy(asked: Asked, views: Sequence[View]) -> Sequence[View]:  # noqa: ARG001  # the same for every request
    """Those known to be ready; while there are none, those nobody has asked yet."""
    ready = [view for view in views if view.endpoint.health is Health.READY]
    return ready or [view for view in views if view.endpoint.health is Health.UNKNOWN]


def reachable(asked: Asked, views: Sequence[View]) -> Sequence[View]:  # noqa: ARG001  # the same for every request
    """Those that answered the latest requests sent to them; where that is nobody, all are tried again."""
    return [view for view in views if not view.load.down] or views


def serving(asked: Asked, views: Sequence[View]) -> Sequence[View]:
    """Those that serve the model; an adapter may be loaded where its base model is served.

    Engines list what they serve under names of their own. Where no endpoint lists the name, the list is not
    about it, and all stay: a wrong guess here would refuse requests that an engine can answer.
    """
    listing = [view for view in views if not view.endpoint.models or asked.model in view.endpoint.models]
    return listing or views


def in_role(asked: Asked, views: Sequence[View]) -> Sequence[View]:
    """Those of the role asked for, else those that do both; without a role, all but prefill-only ones."""
    if asked.role is Role.BOTH:
        return [view for view in views if view.endpoint.role is not Role.PREFILL]
    exact = [view for view in views if view.endpoint.role is asked.role]
    return exact or [view for view in views if view.endpoint.role is Role.BOTH]


def in_subset(asked: Asked, views: Sequence[View]) -> Sequence[View]:
    """Those the caller restricted the choice to, if it did."""
    return [view for view in views if view.address in asked.subset] if asked.subset else views


ELIGIBLE = (in_subset, healthy, serving, in_role, reachable)
"""What every policy begins with."""
