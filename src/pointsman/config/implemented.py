"""Which keys are understood but have no effect yet. To land a feature, remove its line from ``GAPS``."""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from pointsman.config.base import Part
from pointsman.config.document import Settings
from pointsman.config.shape import keys
from pointsman.core.problem import Problem, Severity


class Gap(msgspec.Struct, frozen=True):
    """Keys without effect."""

    pattern: str
    """Key path with ``[]`` for any index and ``[type]`` for a plugin of that type."""
    meanwhile: str = ""
    """What happens instead."""
    unless: tuple[Any, ...] = ()
    """Values that mean what happens anyway."""
    severity: Severity = Severity.UNIMPLEMENTED


_PLUGINS: Final = (
    "router_replay",
    "memory",
    "rag",
    "image_gen",
)
_GUARD_PLUGINS: Final = ("hallucination",)
_DECISION: Final = "routing.decisions[]"
_PLUGGED: Final = "routing.signals.classifiers[]"
_MODEL: Final = "providers.models[]"
_ROUTER: Final = "global.router"
_SERVICES: Final = "global.services"
_MODULES: Final = "global.model_catalog.modules"
_CLASSIFIER: Final = f"{_MODULES}.classifier"
_SEMANTIC: Final = "global.model_catalog.embeddings.semantic"
_EXTERNAL: Final = "global.model_catalog.external[]"
_MODEL_KEYS: Final = ("model_ref", "model_id", "use_cpu", "use_mmbert_32k")
_ENCODER: Final = "the built-in encoder is used"
_SELECTION: Final = f"{_ROUTER}.model_selection"
_ALGORITHMS: Final = (
    "static",
    "weighted",
    "router_dc",
    "latency_aware",
    "multi_factor",
    "hybrid",
    "knn",
)
_OTHER_ALGORITHMS: Final = (
    "automix",
    "prompt",
    "kmeans",
    "svm",
    "mlp",
    "confidence",
    "ratings",
    "remom",
    "fusion",
    "workflows",
)
_FIRST: Final = "candidates are chosen as static does"
_IN_RECIPES: Final = "recipes[]."
"""What the routing of a recipe has before the key paths of the top-level routing."""

GAPS: Final[tuple[Gap, ...]] = (
    Gap("listeners[].timeout", "gateway.limits.stream_idle_timeout_s bounds silence within a response"),
    *(
        Gap(f"{_MODEL}.pricing.{key}", "prices are compared without caches")
        for key in ("cached_input_per_1m", "cache_write_per_1m")
    ),
    Gap(f"{_MODEL}.backend_refs[].api_version", "no version is sent", unless=("",)),
    Gap("routing.signals.embeddings[].query_modality", "these signals are never computed", unless=("text",)),
    *(
        Gap(f"routing.signals.complexity[].{level}.image_candidates", "only texts are compared", unless=((),))
        for level in ("hard", "easy")
    ),
    Gap(f"{_PLUGGED}.use_cpu", "it runs on the CPU", unless=(True,)),
    Gap(
        "routing.signals.domains[].model_scores[].use_reasoning",
        "modelRefs[].use_reasoning says whether a candidate reasons",
        unless=(False,),
    ),
    Gap(f"{_DECISION}.algorithm.type", _FIRST, unless=_ALGORITHMS),
    *(Gap(f"{_DECISION}.algorithm.{kind}", _FIRST) for kind in _OTHER_ALGORITHMS),
    Gap(f"{_DECISION}.algorithm.static", "it has no settings"),
    Gap(f"{_DECISION}.algorithm.minimum_candidates", "any number will do"),
    *(
        Gap(f"{where}.{key}", meanwhile, unless)
        for where in (f"{_DECISION}.algorithm.router_dc", f"{_SELECTION}.router_dc")
        for key, meanwhile, unless in (
            ("dimension_size", "vectors have the encoder's dimensions", ()),
            ("use_query_contrastive", "vectors are compared as they are", (False,)),
            ("use_model_contrastive", "vectors are compared as they are", (False,)),
        )
    ),
    *(Gap(f"{_DECISION}.plugins[{kind}]", "it does not run") for kind in _PLUGINS),
    *(
        Gap(f"{_DECISION}.plugins[{kind}]", "answers are not checked", severity=Severity.REFUSED)
        for kind in _GUARD_PLUGINS
    ),
    Gap(f"{_DECISION}.output_contract", unless=("",)),
    Gap(f"{_DECISION}.output_contract_spec"),
    Gap(f"{_DECISION}.adaptations", "nothing is learned"),
    Gap(f"{_DECISION}.candidateIterations", "only modelRefs are candidates"),
    *(
        Gap(f"{_DECISION}.emits[].retention.{key}", "conversations stay by other means", unless=(False,))
        for key in ("keep_current_model", "prefer_prefix_retention")
    ),
    Gap(f"{_ROUTER}.config_source", "this file is the document", unless=("file",)),
    Gap(f"{_ROUTER}.streamed_body", "bodies are buffered, up to gateway.limits.max_body_bytes"),
    Gap(f"{_ROUTER}.skip_processing", "every request is processed"),
    Gap(f"{_SELECTION}.method", "decisions without an algorithm are static"),
    *(Gap(f"{_SELECTION}.{kind}", _FIRST) for kind in ("automix", "momentum")),
    *(Gap(f"{_SELECTION}.ml.{kind}", _FIRST) for kind in ("kmeans", "svm", "mlp")),
    *(Gap(f"{_SELECTION}.ml.{key}", _ENCODER) for key in ("model_type", "embedding_dim")),
    Gap(f"{_ROUTER}.learning", "nothing is learned"),
    Gap(f"{_SERVICES}.api.batch_classification.concurrency_threshold"),
    Gap(f"{_SERVICES}.api.batch_classification.metrics"),
    Gap(f"{_SERVICES}.response_api", "/v1/responses is not offered"),
    Gap(f"{_SERVICES}.router_replay", "nothing is recorded"),
    Gap(f"{_SERVICES}.startup_status"),
    Gap(f"{_SERVICES}.management_api.remote_exposure", "bind_address alone decides", unless=(False,)),
    Gap(
        f"{_SERVICES}.management_api.auth",
        "the management API takes no tokens",
        unless=("disabled",),
        severity=Severity.REFUSED,
    ),
    Gap(f"{_SERVICES}.observability.tracing", "no spans are sent"),
    Gap(f"{_SERVICES}.observability.metrics", "metrics are served as they are"),
    Gap(f"{_SERVICES}.authz.providers", "credentials are those of providers.models"),
    Gap("global.stores.memory", "nothing is remembered of users"),
    Gap("global.stores.vector_store", "no documents are kept"),
    Gap("global.stores.response_cache.backend_type", "answers are kept in this process", unless=("memory",)),
    *(
        Gap(f"global.stores.response_cache.{backend}", "answers are kept in this process")
        for backend in ("redis", "valkey", "milvus", "qdrant")
    ),
    Gap("global.stores.response_cache.embedding_model", _ENCODER),
    Gap(
        f"{_DECISION}.plugins[response_cache].configuration.request_controls.max_target_tokens",
        "answers have no target",
    ),
    Gap(
        f"{_DECISION}.plugins[response_cache].configuration.personalized",
        "requests are not enriched with what is known of users",
        unless=("disabled",),
    ),
    *(
        Gap(f"{_DECISION}.plugins[context_compression].configuration.{key}", meanwhile, unless=unless)
        for key, meanwhile, unless in (
            ("targets.rag", "no such context is injected", ("preserve",)),
            ("targets.memory", "no such context is injected", ("preserve",)),
            ("scoring.method", "passages are ranked by bm25", ("bm25",)),
            ("scoring.embedding_model_ref", "passages are ranked by bm25", ("",)),
            ("recovery", "what is left out cannot be asked for", ()),
        )
    ),
    Gap("global.integrations.looper", "no calls of our own are made"),
    *(
        Gap(f"{place}.{key}", meanwhile, unless=unless)
        for place in (
            "global.integrations.tools.advanced_filtering",
            f"{_DECISION}.plugins[tool_selection].configuration.advanced_filtering",
        )
        for key, meanwhile, unless in (
            ("retrieval_strategy", "candidates are the nearest in meaning", ("", "embedding")),
            ("hybrid_history", "earlier calls do not count", ()),
        )
    ),
    Gap(
        f"{_DECISION}.plugins[tool_selection].configuration.strategy",
        "earlier calls do not count",
        unless=("default",),
    ),
    Gap(
        f"{_DECISION}.plugins[tools].configuration.strategy",
        "tools are chosen by meaning",
        unless=("", "default"),
    ),
    *(
        Gap(f"{_SEMANTIC}.{key}", _ENCODER)
        for key in (
            "qwen3_model_path",
            "gemma_model_path",
            "mmbert_model_path",
            "multimodal_model_path",
            "bert_model_path",
            "use_cpu",
            "endpoint",
            "embedding_config.backend",
            "embedding_config.model_type",
            "embedding_config.target_dimension",
            "embedding_config.target_layer",
        )
    ),
    Gap(f"{_SEMANTIC}.embedding_config.preload_embeddings", "examples are embedded at start", unless=(True,)),
    Gap("global.model_catalog.system", "the built-in encoder is used"),
    Gap(f"{_EXTERNAL}.model_role", "prompted classifiers alone ask it", unless=("", "classifier")),
    Gap(f"{_EXTERNAL}.parser_type", "its answer is read as JSON", unless=("", "json")),
    Gap(f"{_EXTERNAL}.threshold", "conditions set their own bounds"),
    Gap(f"{_EXTERNAL}.llm_endpoint.use_chat_template", "it is asked by chat", unless=(True,)),
    Gap(f"{_EXTERNAL}.llm_endpoint.prompt_template", "the classifier's instructions are used", unless=("",)),
    Gap("global.model_catalog.modules.prompt_compression", "prompts are not shortened"),
    *(
        Gap(f"{_MODULES}.prompt_guard.{key}", _ENCODER)
        for key in (
            "model_ref",
            "model_id",
            "use_cpu",
            "variant",
            "backend",
            "jailbreak_mapping_path",
            "positive_labels",
            "use_vllm",
        )
    ),
    Gap(
        f"{_MODULES}.hallucination_mitigation.enabled",
        "answers are not checked",
        unless=(False,),
        severity=Severity.REFUSED,
    ),
    *(
        Gap(f"{_MODULES}.hallucination_mitigation.{key}", "answers are not checked")
        for key in ("on_hallucination_detected", "detector", "explainer")
    ),
    *(Gap(f"{_MODULES}.hallucination_mitigation.fact_check.{key}", _ENCODER) for key in _MODEL_KEYS),
    *(
        Gap(f"{_MODULES}.feedback_detector.{key}", _ENCODER)
        for key in (*_MODEL_KEYS, "use_modernbert", "feedback_mapping_path")
    ),
    Gap(f"{_MODULES}.modality_detector.classifier", _ENCODER),
    Gap(
        f"{_MODULES}.complexity.prototype_scoring.margin_threshold",
        "each rule's threshold decides",
        unless=(0.0,),
    ),
    Gap(f"{_CLASSIFIER}.mcp"),
    *(Gap(f"{_CLASSIFIER}.pii.{key}", _ENCODER) for key in (*_MODEL_KEYS, "pii_mapping_path")),
    Gap(f"{_CLASSIFIER}.preference.use_contrastive", "examples decide", unless=(True,)),
    Gap(f"{_CLASSIFIER}.preference.embedding_model", _ENCODER, unless=("",)),
    *(Gap(f"{_CLASSIFIER}.domain.{key}", _ENCODER) for key in (*_MODEL_KEYS, "category_mapping_path")),
    Gap(f"{_CLASSIFIER}.domain.fallback_category"),
)
"""Every gap. A document that sets one is told so; one that is REFUSED keeps it from starting."""


def examine(settings: Settings) -> tuple[Problem, ...]:
    """The keys a document sets that have no effect yet."""
    gaps = {gap.pattern: gap for gap in GAPS}
    found = [
        problem
        for path, generic, value in _set_keys(settings, "", "")
        if (gap := gaps.get(generic.removeprefix(_IN_RECIPES)))
        for problem in _problem(gap, path, value)
    ]
    return (*found, *_weights(settings), *_shared_limits(settings), *_unshipped(settings))


def _weights(settings: Settings) -> Iterator[Problem]:
    """Weights beside an algorithm that looks at other things."""
    routings = [("routing", settings.routing)]
    routings += [(f"recipes[{i}].routing", recipe.routing) for i, recipe in enumerate(settings.recipes)]
    for where, routing in routings:
        for index, decision in enumerate(routing.decisions):
            kind = decision.algorithm.type if decision.algorithm else "weighted"
            if kind != "weighted" and any(ref.weight != 1 for ref in decision.model_refs):
                path = f"{where}.decisions[{index}].modelRefs"
                message = f"weights have no effect with the algorithm {kind}"
                yield Problem(Severity.UNIMPLEMENTED, path, message, "remove them, or use weighted")


def _shared_limits(settings: Settings) -> Iterator[Problem]:
    """Limits counted by a service that is not asked yet: refused, unless the document lets them fail open."""
    limits = settings.global_.services.ratelimit
    for index, provider in enumerate(limits.providers):
        if provider.type == "local-limiter":
            continue
        yield Problem(
            Severity.UNIMPLEMENTED if limits.fail_open else Severity.REFUSED,
            f"global.services.ratelimit.providers[{index}].type",
            f"{provider.type} is not implemented yet; meanwhile it limits nothing",
            "use local-limiter, or set fail_open: true to run without these limits",
        )


def _problem(gap: Gap, path: str, value: Any) -> Iterator[Problem]:
    if _has_no_wish(value) or value in gap.unless or _value(value, "mode", "type") in gap.unless:
        return
    meanwhile = f"; meanwhile {gap.meanwhile}" if gap.meanwhile else ""
    if gap.severity is Severity.REFUSED:
        remedy = "remove it, or allow unimplemented guards explicitly"
    else:
        remedy = "remove it, or leave it for a later release"
    plugin = re.search(r"plugins\[(\w+)\]$", gap.pattern)
    what = f"the plugin {plugin[1]}" if plugin else gap.pattern.rpartition(".")[2]
    yield Problem(gap.severity, path, f"{what} is not implemented yet{meanwhile}", remedy)


def _value(value: Any, *names: str) -> Any:
    """The first of the named fields that a part has; ``None`` for anything else."""
    return next((getattr(value, name) for name in names if hasattr(value, name)), None)


def _has_no_wish(value: Any) -> bool:
    """Whether a value asks for nothing: an empty or switched-off part."""
    if isinstance(value, Part):
        settings = getattr(value, "configuration", value)
        return getattr(settings, "enabled", True) is False or not value.model_fields_set
    return value in ((), {})


def _set_keys(part: Part, path: str, generic: str) -> Iterator[tuple[str, str, Any]]:
    """Key path, path with generic indexes, and value of every key that was set, parents first."""
    for key, info in keys(type(part)).items():
        name = next(name for name, field in type(part).model_fields.items() if field is info)
        if name not in part.model_fields_set:
            continue
        value = getattr(part, name)
        here, pattern = f"{path}.{key}".lstrip("."), f"{generic}.{key}".lstrip(".")
        yield here, pattern, value
        items = (
            [("", "", value)]
            if not isinstance(value, tuple)
            else [
                (f"[{index}]", f"[{item.type}]" if key == "plugins" else "[]", item)
                for index, item in enumerate(value)
            ]
        )
        for index, kind, item in items:
            if not isinstance(item, Part):
                continue
            if kind:
                yield here + index, pattern + kind, item
            yield from _set_keys(item, here + index, pattern + kind)


def _unshipped(settings: Settings) -> Iterator[Problem]:
    """Rules on knowledge bases whose data the semantic router ships, and this package does not."""
    declared = {kb.name for kb in settings.global_.model_catalog.kbs}
    routings = [("routing", settings.routing)]
    routings += [(f"recipes[{index}].routing", each.routing) for index, each in enumerate(settings.recipes)]
    for where, routing in routings:
        for index, rule in enumerate(routing.signals.kb):
            if rule.kb not in declared:
                message = f"the data of {rule.kb} is not in this package, no signal of it can be computed"
                remedy = "declare it under global.model_catalog.kbs with its files as source"
                yield Problem(Severity.UNIMPLEMENTED, f"{where}.signals.kb[{index}].kb", message, remedy)
        for index, score in enumerate(routing.projections.scores):
            for position, given in enumerate(score.inputs):
                if given.type == "kb_metric" and given.kb not in declared:
                    message = f"the data of {given.kb} is not in this package, the score cannot be computed"
                    remedy = "declare it under global.model_catalog.kbs with its files as source"
                    at = f"{where}.projections.scores[{index}].inputs[{position}].kb"
                    yield Problem(Severity.UNIMPLEMENTED, at, message, remedy)
