"""The record of one request for programs: keys stay, new ones may come."""

from collections.abc import Sequence
from typing import Any

from pointsman.cli.view.body import abbreviated
from pointsman.core.guard import GuardOutcome
from pointsman.core.headers import INTERNAL_REQUEST_HEADERS
from pointsman.core.model import Selection
from pointsman.core.placement import Placement
from pointsman.core.request import ChatRequest
from pointsman.core.rule import LeafTrace, RuleTrace
from pointsman.core.signal import Signal
from pointsman.core.trace import Trace
from pointsman.core.verdict import Forward, Reply, Verdict

_TEXT_SHOWN = 200


def explain_json(trace: Trace, verdict: Verdict, limits: Sequence[str] = ()) -> dict[str, Any]:
    """What was decided and why, as JSON-ready values; no credentials, no prompt beyond ``request.text``.

    ``limits``: the rate limits that concern the request, in words.
    """
    match = trace.match
    winner = match.decision.name if match and match.decision else None
    decisions = [
        {
            "name": each.name,
            "won": each.name == winner,
            "matched": each.matched,
            "confidence": each.confidence,
            "priority": each.priority,
            "tier": each.tier,
            "rule": _rule(each.rule),
        }
        for each in (match.traces if match else ())
    ]
    return {
        "request_id": trace.request_id,
        "request": _request(trace.request, virtual=trace.virtual) if trace.request else None,
        "signals": [_signal(signal) for signal in trace.signals],
        "decision": winner,
        "confidence": match.confidence if match and winner else None,
        "decisions": decisions,
        "guards": [_guard(outcome) for outcome in trace.guards],
        "selection": _selection(trace.selection) if trace.selection else None,
        "placement": _placement(trace.placement) if trace.placement else None,
        "limits": list(limits),
        "rewrites": list(trace.rewrites),
        "verdict": _verdict(verdict, trace.request),
        "phases_us": dict(trace.phases_us),
        "error": trace.error or None,
    }


def _placement(placement: Placement) -> dict[str, Any]:
    return {
        "policy": placement.policy,
        "endpoints": list(placement.destinations),
        "reason": placement.reason,
        "tokens": placement.tokens,
        "cached": placement.cached,
        "scores": [
            {"endpoint": each.address, "score": each.score, "parts": dict(each.parts)}
            for each in placement.scores
        ],
    }


def _request(request: ChatRequest, *, virtual: bool) -> dict[str, Any]:
    return {
        "dialect": str(request.dialect),
        "model": request.model,
        "virtual": virtual,
        "stream": request.stream,
        "messages": len(request.messages),
        "text": request.text[:_TEXT_SHOWN],
    }


def _signal(signal: Signal) -> dict[str, Any]:
    return {
        "family": signal.key.family,
        "name": signal.key.name,
        "matched": signal.matched,
        "confidence": signal.confidence,
        "cost_us": signal.cost_us,
        "detail": signal.detail,
        "error": signal.error or None,
    }


def _rule(trace: RuleTrace) -> dict[str, Any]:
    outcome = {"matched": trace.matched, "confidence": trace.confidence}
    if isinstance(trace, LeafTrace):
        return {"signal": str(trace.key), **outcome, "error": trace.error or None}
    return {
        "operator": str(trace.operator),
        **outcome,
        "conditions": [_rule(condition) for condition in trace.conditions],
    }


def _guard(outcome: GuardOutcome) -> dict[str, Any]:
    return {
        "guard": outcome.guard,
        "action": outcome.action,
        "outcome": str(outcome.outcome),
        "score": outcome.score,
        "kinds": list(outcome.kinds),
        "error": outcome.detail or None,
    }


def _selection(selection: Selection) -> dict[str, Any]:
    candidate, target = selection.candidate, selection.candidate.target
    return {
        "model": target.name,
        "wire_name": target.wire_name,
        "provider": target.provider,
        "algorithm": selection.algorithm,
        "reason": selection.reason or None,
        "fallback": selection.fallback,
        "use_reasoning": candidate.use_reasoning,
        "effort": candidate.effort if candidate.use_reasoning else None,
    }


def _verdict(verdict: Verdict, request: ChatRequest | None) -> dict[str, Any]:
    if isinstance(verdict, Reply):
        return {
            "kind": "reply",
            "status": verdict.status,
            "headers": dict(verdict.headers),
            "body": abbreviated(verdict.body, request),
        }
    return {
        "kind": "forward",
        "pool": verdict.pool,
        "path": verdict.path,
        "body": abbreviated(verdict.body, request) if verdict.body is not None else None,
        "headers": _request_headers(verdict),
        "response_headers": {**verdict.response_headers, **verdict.success_headers},
    }


def _request_headers(verdict: Forward) -> dict[str, str]:
    # Headers that are not ours carry provider keys.
    return {
        name: value if name in INTERNAL_REQUEST_HEADERS else "(set)"
        for name, value in verdict.headers.set.items()
    }
