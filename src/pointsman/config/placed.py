"""Which pools have their endpoints chosen here, rather than by the data plane."""

from pointsman.config.document import Settings
from pointsman.config.placement import NATIVE
from pointsman.config.providers import ProviderModel
from pointsman.config.validate_replicas import left_to_us


def placed(settings: Settings, model: ProviderModel) -> bool:
    """Whether the policy is one of ours and nothing in the model's own settings is against it.

    Against it are a balancing policy of its own, unequal weights, which the data plane keeps exactly, and
    backends that the data plane resolves or encrypts to.
    """
    if settings.fleet.policy in NATIVE or model.reliability.lb_policy or not left_to_us(model):
        return False
    return len({backend.weight for backend in model.backend_refs if backend.weight > 0}) <= 1
