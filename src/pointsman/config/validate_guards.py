"""What must hold within ``guards``: a route that leads somewhere."""

from collections.abc import Iterator

from pointsman.config.document import Settings
from pointsman.config.faults import error
from pointsman.config.names import ModelNames
from pointsman.core.problem import Problem


def validate_guards(settings: Settings) -> Iterator[Problem]:
    """A route without a model, a model nobody serves, a model that no action uses."""
    models = ModelNames(settings, settings.routing)
    for name, guard in (("jailbreak", settings.guards.jailbreak), ("pii", settings.guards.pii)):
        if guard is None:
            continue
        path = f"guards.{name}.model"
        if guard.action == "route" and not guard.model:
            yield error(path, "the action route needs a model to send requests to", "name one")
        elif guard.action != "route" and guard.model:
            message = f"{guard.model!r} gets nothing while the action is {guard.action}"
            yield error(path, message, "write action: route, or remove the model")
        elif guard.model and (problem := models.problem_with(guard.model)):
            yield error(path, *problem)
