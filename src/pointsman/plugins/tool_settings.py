"""From the document's keys on tools to the objects that choose them."""

from collections.abc import Mapping
from typing import Final, Literal

from pointsman.config.document import Settings
from pointsman.config.plugins import Tools as ToolsConfiguration
from pointsman.config.plugins_context import AdvancedFiltering, ToolWeights
from pointsman.config.plugins_context import ToolSelection as SelectionConfiguration
from pointsman.plugins.encoder import TextEncoder
from pointsman.plugins.no_tool import no_tool_vectors
from pointsman.plugins.tool_index import ToolIndex
from pointsman.plugins.tool_ranking import BY_MEANING, COMBINED, Ranking, Weights
from pointsman.plugins.tool_selection import ToolSelection
from pointsman.plugins.tools import ToolPolicy, Tools

THRESHOLD: Final = 0.2
"""Least similarity where the document names none: one in ten of the labelled requests for a tool is below."""
COMBINED_THRESHOLD: Final = 0.15
"""The same for the combined score of advanced filtering, in which most parts are often nothing."""

ToolSets = Mapping[str, ToolIndex]


def selection_from(
    written: SelectionConfiguration, settings: Settings, encoder: TextEncoder, sets: ToolSets
) -> ToolSelection:
    """The plugin of a decision; what it leaves open comes from ``global.integrations.tools``."""
    shared = settings.global_.integrations.tools
    advanced = _enabled(written.advanced_filtering) or _enabled(shared.advanced_filtering)
    min_lead = advanced.min_lead if advanced is not None else None
    fallback = written.fallback_to_empty
    adds = written.mode == "add"
    similarity = _first(written.similarity_threshold, shared.similarity_threshold)
    own = similarity if adds else _first(written.relevance_threshold, similarity)
    return ToolSelection(
        encoder=encoder,
        mode=written.mode,
        known=sets.get(written.tools_db_path or shared.tools_db_path) if adds else None,
        ranking=_ranking(advanced),
        threshold=_threshold(advanced, own),
        top_k=written.top_k or (shared.top_k if adds else None),
        preserve=written.preserve_count or 0,
        fallback_to_empty=shared.fallback_to_empty if fallback is None else fallback,
        category_confidence=_category_confidence(advanced),
        no_tool=no_tool_vectors(encoder) if min_lead is not None else None,
        min_lead=min_lead or 0.0,
    )


def shared_selection(
    settings: Settings, encoder: TextEncoder, sets: ToolSets, mode: Literal["add", "auto"] = "auto"
) -> ToolSelection:
    """What ``global.integrations.tools`` asks for."""
    shared = settings.global_.integrations.tools
    advanced = _enabled(shared.advanced_filtering)
    min_lead = advanced.min_lead if advanced is not None else None
    return ToolSelection(
        encoder=encoder,
        mode=mode,
        known=sets.get(shared.tools_db_path),
        ranking=_ranking(advanced),
        threshold=_threshold(advanced, shared.similarity_threshold),
        top_k=shared.top_k,
        fallback_to_empty=shared.fallback_to_empty,
        category_confidence=_category_confidence(advanced),
        no_tool=no_tool_vectors(encoder) if min_lead is not None else None,
        min_lead=min_lead or 0.0,
    )


def tools_from(
    written: ToolsConfiguration, settings: Settings, encoder: TextEncoder, sets: ToolSets
) -> Tools | None:
    """The ``tools`` plugin; ``None`` where it changes nothing."""
    selects = written.semantic_selection and written.mode != "none"
    if not written.enabled or (written.mode == "passthrough" and not selects):
        return None
    return Tools(
        mode=written.mode,
        policy=ToolPolicy(frozenset(written.allow_tools), frozenset(written.block_tools)),
        strip_history=written.strip_tool_history,
        selection=shared_selection(settings, encoder, sets, "add") if selects else None,
    )


def _enabled(advanced: AdvancedFiltering | None) -> AdvancedFiltering | None:
    return advanced if advanced is not None and advanced.enabled else None


def _ranking(advanced: AdvancedFiltering | None) -> Ranking:
    if advanced is None:
        return Ranking(BY_MEANING)
    return Ranking(
        weights=_weights(advanced.weights),
        pool=advanced.candidate_pool_size,
        min_common_terms=advanced.min_lexical_overlap or 0,
        by_category=advanced.use_category_filter,
        policy=ToolPolicy(frozenset(advanced.allow_tools), frozenset(advanced.block_tools)),
    )


def _weights(written: ToolWeights | None) -> Weights:
    """Parts left out of a list of weights weigh nothing."""
    if written is None:
        return COMBINED
    return Weights(
        embed=written.embed or 0.0,
        lexical=written.lexical or 0.0,
        tag=written.tag or 0.0,
        name=written.name or 0.0,
        category=written.category or 0.0,
    )


def _threshold(advanced: AdvancedFiltering | None, similarity: float | None) -> float:
    least = _first(advanced.min_combined_score if advanced is not None else None, similarity)
    if least is not None:
        return least
    return THRESHOLD if advanced is None else COMBINED_THRESHOLD


def _category_confidence(advanced: AdvancedFiltering | None) -> float:
    return (advanced.category_confidence_threshold or 0.0) if advanced is not None else 0.0


def _first(one: float | None, other: float | None) -> float | None:
    return other if one is None else one
