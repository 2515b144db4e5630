"""The one place that opens things: ``build`` turns settings into an immutable generation of the router."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from pointsman.config import Settings
from pointsman.core.decision import Decision
from pointsman.core.errors import ConfigError, StartError
from pointsman.decisions.asked import asked
from pointsman.decisions.compile import compile_rule, referenced
from pointsman.encoder import Encoder, ModelFilesError, Plug, PlugsRefused
from pointsman.fleet.catalog import Catalog
from pointsman.fleet.static import candidates_from, catalog_from
from pointsman.pipeline import Limits, Pipeline
from pointsman.plugins.table import build_plugins
from pointsman.signals import classifier
from pointsman.signals.table import Dependencies, build_evaluators

_WARM_UP = "A text nobody asks about, so that no answer comes from the cache it warms."
_CLASSIFIER_SHARE = 0.9
"""Of what signals may use, what a classifier of the user's own may; the rest is for saying that it failed."""
_DECISION_SHARE = 0.8
"""Of the decision deadline, what signals may use; the rest is for deciding on what they said."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """Everything one generation of the router needs. ``close`` ends what it opened."""

    settings: Settings
    catalog: Catalog
    encoder: Encoder
    pipeline: Pipeline

    def close(self) -> None:
        """End the encoder's threads; requests still waiting for a pass get failed signals."""
        self.encoder.close()


def build(settings: Settings, env: Mapping[str, str]) -> Runtime:
    """Open the encoder and compile the document.

    Raises ``ConfigError`` for rules that cannot run and ``StartError`` when the model files are not usable.
    ``env`` supplies the provider keys that the document refers to by name.
    """
    catalog = catalog_from(settings, env)
    decisions = tuple(
        Decision(
            name=decision.name,
            rule=compile_rule(decision.rules),
            candidates=candidates_from(settings, catalog, index),
            priority=decision.priority,
            tier=decision.tier,
            description=decision.description,
            algorithm=decision.algorithm.type if decision.algorithm else "",
            plugins=build_plugins(decision),
        )
        for index, decision in enumerate(settings.routing.decisions)
    )
    signals, limits = settings.routing.signals, settings.gateway.limits
    signal_timeout_s = _DECISION_SHARE * limits.decision_timeout_ms / 1000
    questions = asked(settings.routing.decisions)
    encoder = _load_encoder(settings, classifier.plugs(signals, questions))
    try:
        # The first pass allocates what all later ones use: it belongs to the start, not to a request.
        encoder.encode_now(_WARM_UP)
        evaluators = build_evaluators(
            signals,
            referenced(decisions),
            Dependencies(
                encoder,
                settings.global_.model_catalog.modules.classifier.domain.threshold,
                classifier.Opened(encoder, questions, timeout_s=_CLASSIFIER_SHARE * signal_timeout_s),
            ),
        )
    except BaseException:
        encoder.close()
        raise
    pipeline = Pipeline(
        catalog=catalog,
        decisions=decisions,
        evaluators=evaluators,
        strategy=settings.strategy(),
        clear_route=settings.global_.router.clear_route_cache,
        limits=Limits(limits.max_messages, signal_timeout_s),
        started=int(time.time()),
    )
    return Runtime(settings, catalog, encoder, pipeline)


def _load_encoder(settings: Settings, plugs: Mapping[str, Plug]) -> Encoder:
    limits = settings.gateway.limits
    try:
        return Encoder.load(
            threads=limits.encoder_threads,
            cache_entries=limits.encoder_cache_entries,
            max_pending=limits.encoder_max_pending,
            plugs=plugs,
        )
    except PlugsRefused as error:
        raise ConfigError(classifier.refusals(settings.routing.signals, error)) from error
    except ModelFilesError as error:
        raise StartError(f"the encoder cannot be loaded: {error}; reinstall pointsman") from error
