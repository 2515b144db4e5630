"""The one place that opens things: ``build`` turns settings into an immutable generation of the router."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from pointsman.cache.answers import Answers
from pointsman.cache.news import Tell, untold
from pointsman.config import Settings
from pointsman.config.identity import identity_headers
from pointsman.config.routing import Routing
from pointsman.config.validate import DEFAULT_RECIPE
from pointsman.core.decision import Decision
from pointsman.core.errors import ConfigError, StartError
from pointsman.core.problem import Problem, Severity
from pointsman.core.signal import SignalSet
from pointsman.decisions.asked import asked
from pointsman.decisions.compile import compile_rule, referenced
from pointsman.dialects.forwarded import Forwarded
from pointsman.encoder import Encoder, EngineMissing, ModelFilesError, PlugsRefused
from pointsman.fleet.breaker import Patience
from pointsman.fleet.catalog import Catalog
from pointsman.fleet.discovery.static import written_endpoints
from pointsman.fleet.lookout import Lookout, News, open_lookout
from pointsman.fleet.observed import Capacity, ObservedFleet
from pointsman.fleet.roster import Roster
from pointsman.fleet.served import Served
from pointsman.fleet.state import Measured
from pointsman.fleet.static import candidates_from, catalog_from
from pointsman.guards.build import request_guards
from pointsman.guards.watching import Report, unreported
from pointsman.pipeline import Limits, Pipeline
from pointsman.placement.build import build_placer
from pointsman.placement.memory import Memory
from pointsman.plugins import table as plugin_table
from pointsman.plugins.table import build_plugins
from pointsman.plugins.tool_sets import open_tool_sets
from pointsman.policy import Policy
from pointsman.quota.ledger import Ledger
from pointsman.quota.limiter import Limiter
from pointsman.quota.rules import rate_rules
from pointsman.selection import table as selection_table
from pointsman.selection.table import build_selector
from pointsman.signals import authz, classifier
from pointsman.signals.derivations import build_derivations, observed
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
    encoder: Encoder | None
    """``None`` where nothing reads a text: then none was loaded."""
    pipeline: Pipeline
    ledger: Ledger
    """Counts of the rate limits: handed to the next generation, and told what requests really used."""
    fleet: ObservedFleet = field(default_factory=ObservedFleet)
    """What traffic shows of the pools: handed to the next generation, and told of every request."""
    lookout: Lookout | None = None
    """What keeps ``roster`` true while it runs; ``None`` for a router that sends no requests anywhere."""
    roster: Roster = field(default_factory=Roster)
    """Who is there: the one place readers look, handed to the next generation."""
    memory: Memory = field(default_factory=Memory)
    """What placing remembers: handed to the next generation, and told of every request that is placed."""
    answers: Answers = field(default_factory=Answers)
    """Answers that may be given again: handed to the next generation."""

    def close(self) -> None:
        """End the encoder's threads; requests still waiting for a pass get failed signals."""
        if self.encoder is not None:
            self.encoder.close()


def build(
    settings: Settings,
    env: Mapping[str, str],
    *,
    ledger: Ledger | None = None,
    fleet: ObservedFleet | None = None,
    roster: Roster | None = None,
    memory: Memory | None = None,
    answers: Answers | None = None,
    report: Report = unreported,
    news: News | None = None,
    recalled: Tell = untold,
    classify: bool = True,
) -> Runtime:
    """Open the encoder and compile the document.

    Raises ``ConfigError`` for rules that cannot run and ``StartError`` when the model files are not usable.
    ``env`` supplies the provider keys that the document refers to by name. ``ledger`` has the counts of the
    rate limits where an earlier generation was running, ``fleet`` what it saw of the pools.
    ``report`` is told what guards find in answers, which end long after the ruling; ``news`` what the search
    for replicas meets: without it nobody searches; ``recalled`` what caches of answers do. ``roster``,
    ``memory`` and ``answers`` are an earlier generation's.
    ``classify``: whether the management API reads texts, which needs the encoder whatever the document says.
    """
    ledger = Ledger() if ledger is None else ledger
    catalog = catalog_from(settings, env)
    sources = _sources(settings)
    limits = settings.gateway.limits
    signal_timeout_s = _DECISION_SHARE * limits.decision_timeout_ms / 1000
    fleet = ObservedFleet() if fleet is None else fleet
    fleet.heed(*_bounds(settings))
    roster = Roster() if roster is None else roster
    _seed(roster, settings)
    lookout = open_lookout(settings, catalog, env, roster, news) if news is not None else None
    if lookout is not None:
        fleet.follow(lookout.usable)
    memory = Memory() if memory is None else memory
    answers = Answers() if answers is None else answers
    answers.heed(settings.global_.stores.response_cache)
    encoder = _load_encoder(settings, sources) if classify or _reads_texts(settings, sources) else None
    guards = None
    policies = {source.name: Policy(source.name) for source in sources}
    if encoder is not None:
        try:
            # The first pass allocates what all later ones use: it belongs to the start, not to a request.
            encoder.encode_now(_WARM_UP)
            given = plugin_table.Dependencies(
                encoder,
                settings,
                tool_sets=open_tool_sets(settings, encoder),
                report=report,
                answers=answers,
                recalled=recalled,
                engine=encoder.identity,
            )
            policies = {
                source.name: _policy(
                    settings,
                    source,
                    catalog,
                    encoder,
                    fleet,
                    given,
                    classifier_timeout_s=_CLASSIFIER_SHARE * signal_timeout_s,
                )
                for source in sources
            }
            for policy in policies.values():
                # So does compiling the decisions, which the first choice does.
                policy.plan.choose(SignalSet())
            guards = request_guards(settings, encoder, timeout_s=signal_timeout_s)
        except BaseException:
            encoder.close()
            raise
    pipeline = Pipeline(
        catalog=catalog,
        policy=policies[DEFAULT_RECIPE],
        recipes={
            name: policies[entrypoint.recipe]
            for entrypoint in settings.entrypoints
            for name in entrypoint.model_names
        },
        fleet=fleet,
        guards=guards,
        limiter=Limiter(rules, ledger) if (rules := rate_rules(settings)) else None,
        placer=build_placer(settings, roster, memory),
        served=Served(catalog, roster) if settings.gateway.serve_discovered_models else None,
        forwarded=Forwarded(settings.gateway.forwarded_paths),
        unknown_model=settings.gateway.unknown_model_status,
        identity=identity_headers(settings),
        clear_route=settings.global_.router.clear_route_cache,
        limits=Limits(limits.max_messages, signal_timeout_s),
        started=int(time.time()),
    )
    return Runtime(settings, catalog, encoder, pipeline, ledger, fleet, lookout, roster, memory, answers)


def _reads_texts(settings: Settings, sources: Sequence["_Source"]) -> bool:
    """Whether decisions or guards look at what requests say."""
    guarded = settings.guards.jailbreak is not None or settings.guards.pii is not None
    return guarded or any(source.routing.decisions for source in sources)


def _seed(roster: Roster, settings: Settings) -> None:
    """Begin with what the document writes down; readiness is found out later."""
    if not roster.pools:
        roster.replace(one for one in written_endpoints(settings) if one.pool)


def _bounds(settings: Settings) -> tuple[Capacity, Patience]:
    """When the document wants a pool passed over."""
    written = settings.fleet
    patience = Patience(written.down_after_failures, written.down_cool_down, written.down_cool_down_max)
    return Capacity(written.max_in_flight_per_model, written.max_in_flight), patience


@dataclass(frozen=True, slots=True)
class _Source:
    """A routing document within the document."""

    name: str
    where: str
    routing: Routing

    @property
    def questions(self) -> classifier.Questions:
        return asked(self.routing, where=self.where)

    @property
    def prefix(self) -> str:
        return "" if self.name == DEFAULT_RECIPE else f"{self.name}::"


def _sources(settings: Settings) -> tuple[_Source, ...]:
    """The top-level routing and every recipe."""
    recipes = (
        _Source(recipe.name, f"recipes[{index}].routing", recipe.routing)
        for index, recipe in enumerate(settings.recipes)
    )
    return (_Source(DEFAULT_RECIPE, "routing", settings.routing), *recipes)


def _policy(
    settings: Settings,
    source: _Source,
    catalog: Catalog,
    encoder: Encoder,
    fleet: Measured,
    given: plugin_table.Dependencies,
    *,
    classifier_timeout_s: float,
) -> Policy:
    decisions = tuple(
        _decision(settings, source, index, catalog, encoder, fleet, given)
        for index in range(len(source.routing.decisions))
    )
    used = referenced(decisions)
    derivations = build_derivations(source.routing, used)
    seen = observed(used, derivations)
    evaluators = build_evaluators(
        source.routing.signals,
        seen,
        Dependencies(
            encoder,
            settings,
            source.where,
            classifier.Opened(encoder, source.questions, source.prefix, timeout_s=classifier_timeout_s),
        ),
    )
    return Policy(
        source.name,
        decisions,
        evaluators,
        derivations,
        strategy=settings.strategy(source.routing),
        needs_identity=not settings.global_.services.authz.fail_open and authz.needed(seen),
    )


def _decision(
    settings: Settings,
    source: _Source,
    index: int,
    catalog: Catalog,
    encoder: Encoder,
    fleet: Measured,
    given: plugin_table.Dependencies,
) -> Decision:
    written = source.routing.decisions[index]
    where = f"{source.where}.decisions[{index}]"
    candidates = candidates_from(settings, catalog, written)
    return Decision(
        name=written.name,
        rule=compile_rule(written.rules),
        candidates=candidates,
        priority=written.priority,
        tier=written.tier,
        description=written.description,
        algorithm=written.algorithm.type if written.algorithm else "",
        plugins=build_plugins(written, replace(given, where=where)),
        selector=build_selector(
            written,
            selection_table.Dependencies(encoder, settings, source.routing, fleet, candidates, where),
        ),
    )


def _load_encoder(settings: Settings, sources: Sequence[_Source]) -> Encoder:
    limits = settings.gateway.limits
    plugs = {
        name: plug
        for source in sources
        for name, plug in classifier.plugs(
            source.routing.signals, source.questions, prefix=source.prefix
        ).items()
    }
    wanted = settings.gateway.encoder
    try:
        return Encoder.load(
            engine=wanted.engine,
            threads=limits.encoder_threads,
            cache_entries=limits.encoder_cache_entries,
            max_pending=limits.encoder_max_pending,
            scan_tokens=wanted.scan_tokens,
            plugs=plugs,
        )
    except EngineMissing as error:
        path, remedy = "gateway.encoder.engine", "or leave it at onnxruntime"
        raise ConfigError(
            [Problem(Severity.ERROR, path, f"{wanted.engine} cannot run: {error}", remedy)]
        ) from error
    except PlugsRefused as error:
        problems = [
            problem
            for source in sources
            for problem in classifier.refusals(
                source.routing.signals, error, prefix=source.prefix, where=source.where
            )
        ]
        raise ConfigError(problems) from error
    except ModelFilesError as error:
        raise StartError(f"the encoder cannot be loaded: {error}; reinstall pointsman") from error
