"""The rules of a document."""

from pointsman.config.document import Settings
from pointsman.quota.rule import Rule


def rate_rules(settings: Settings) -> tuple[Rule, ...]:
    """The limits that this process counts, in the order they are written."""
    return tuple(
        Rule(
            name=rule.name,
            unit=rule.unit,
            requests=rule.requests_per_unit,
            tokens=rule.tokens_per_unit,
            user=rule.match.user,
            group=rule.match.group,
            model=rule.match.model,
        )
        for provider in settings.global_.services.ratelimit.providers
        if provider.type == "local-limiter"
        for rule in provider.rules
    )
