"""The path of a request: ``Pipeline.route`` reads like the list of phases in ARCHITECTURE.md."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from pointsman.core import headers as names
from pointsman.core.answer import chained
from pointsman.core.decision import Decision, Match
from pointsman.core.errors import (
    EndpointNotFound,
    Forbidden,
    HttpError,
    MethodNotAllowed,
    RequestError,
    Unavailable,
    UnknownModel,
)
from pointsman.core.guard import GuardOutcome, Outcome
from pointsman.core.model import Candidate, Selection, Target
from pointsman.core.placement import Placement
from pointsman.core.request import ChatRequest, Dialect, Head
from pointsman.core.signal import SignalSet
from pointsman.core.trace import Ruling, Trace
from pointsman.core.verdict import Forward, HeaderEdits, Reply
from pointsman.dialects.body import Body
from pointsman.dialects.endpoints import Endpoint, endpoint_for, not_found
from pointsman.dialects.failures import failure_reply
from pointsman.dialects.forwarded import Forwarded
from pointsman.dialects.identity import IdentityHeaders
from pointsman.dialects.openai_models import ListedModel, is_models_path, models_reply
from pointsman.dialects.request_body import body_of
from pointsman.dialects.routing_headers import (
    UPSTREAM_HEADERS,
    header_safe,
    protocol_headers,
    success_headers,
)
from pointsman.fleet.catalog import Catalog
from pointsman.fleet.served import Served
from pointsman.fleet.state import AllWell, FleetState
from pointsman.guards.headers import by_decision
from pointsman.guards.request import NOTHING, Judgement, Refusal, Refused, RequestGuards
from pointsman.observe.stopwatch import Stopwatch
from pointsman.placement.placer import Placer, Wanted
from pointsman.plugins.base import EarlyAnswer, Rewrite
from pointsman.plugins.draft import Draft
from pointsman.plugins.model_name import rename_model
from pointsman.plugins.pii_mask import PiiMask
from pointsman.plugins.protocol import enter, leave, warnings
from pointsman.plugins.reasoning import set_reasoning
from pointsman.plugins.response_cache import Asking, Recalled, ResponseCache, only_listening
from pointsman.plugins.response_guard import ResponseGuard
from pointsman.policy import Policy
from pointsman.quota.limiter import Limiter
from pointsman.selection.base import Asked
from pointsman.selection.select import select
from pointsman.selection.serving import serving
from pointsman.signals.observe import observe


class Limits(msgspec.Struct, frozen=True):
    """Bounds of one request."""

    max_messages: int = 4096
    signal_timeout_s: float = 4.0


class Pipeline(msgspec.Struct, frozen=True):
    """Decides requests from values built once; implements ``core.router.Router``."""

    catalog: Catalog
    policy: Policy = Policy()
    """What decides for the router's own virtual names."""
    recipes: Mapping[str, Policy] = {}
    """What decides for the virtual names of entrypoints."""
    fleet: FleetState = AllWell()
    guards: RequestGuards | None = None
    """What is looked for in every request; ``None`` looks for nothing."""
    limiter: Limiter | None = None
    """What counts requests against the rate limits; ``None`` counts nothing."""
    placer: Placer | None = None
    """What chooses among the endpoints of a pool; ``None`` leaves that to the data plane."""
    served: Served | None = None
    """Names that engines have beyond those of the document; ``None`` for the document's alone."""
    forwarded: Forwarded = Forwarded()
    """Which paths go to an engine though nobody here knows them."""
    unknown_model: int | None = None
    """Status for a model nobody has; ``None`` leaves it to the endpoint."""
    recalls: bool = True
    """Whether caches of answers are asked."""
    identity: IdentityHeaders = IdentityHeaders()
    limits: Limits = Limits()
    clear_route: bool = True
    """Whether a foreign data plane should choose its route anew."""
    started: int = 0
    """Unix time of the build, for ``created`` in model lists."""
    clock: Callable[[], float] = time.perf_counter
    now: Callable[[], float] = time.time

    def preview(self, head: Head, *, managed: bool) -> Reply | None:
        """Answer from the request line alone, or ``None`` when the body is needed or the path is not ours."""
        path = head.route_path
        try:
            if is_models_path(path):
                _require_get(head)
                return models_reply(path, self._listed(), self.started)
            if managed or path.startswith("/v1/"):
                endpoint = endpoint_for(head, self.forwarded)
                if not managed and not endpoint.known:
                    # A foreign data plane has routes of its own for what we do not know.
                    raise not_found(path)
        except HttpError as error:
            return failure_reply(head, error)
        return None

    async def route(self, head: Head, body: bytes) -> Ruling:
        """Decide one request; the caller's errors come back as a ``Reply`` with the trace so far."""
        watch = Stopwatch(self.clock)
        trace = Trace(request_id=head.request_id)
        try:
            with watch.phase("understand"):
                endpoint = endpoint_for(head, self.forwarded)
                request = endpoint.understand(head, body)
                request = msgspec.structs.replace(
                    request,
                    model=request.model or self._meant(endpoint),
                    identity=self.identity.read(head.headers),
                )
            policy = self._policy_for(request.model)
            trace = msgspec.structs.replace(
                trace, request=request, virtual=policy is not None, recipe=policy.name if policy else ""
            )
            self._admit(trace, request, policy, endpoint)
            with watch.phase("observe"):
                signals, looked = await self._observe_and_look(policy, request)
            with watch.phase("decide"):
                match = policy.plan.choose(signals) if policy else None
            trace = msgspec.structs.replace(trace, signals=signals, match=match)
            with watch.phase("guard"):
                judgement = self._judge(looked, match)
            trace = msgspec.structs.replace(trace, guards=judgement.outcomes)
            if judgement.error is not None:
                raise judgement.error
            if judgement.refusal is not None:
                refusal = self._refused(head, endpoint, request, judgement.refusal)
                return Ruling(refusal, msgspec.structs.replace(trace, phases_us=watch.read()))
            with watch.phase("answer"):
                early = await self._answer_early(endpoint, request, match, signals)
            if early is not None:
                return Ruling(early, msgspec.structs.replace(trace, phases_us=watch.read()))
            with watch.phase("select"):
                selection = await self._select(endpoint, request, signals, match, judgement.model)
            trace = msgspec.structs.replace(trace, selection=selection)
            with watch.phase("limit"):
                self._limit(head, request, selection)
            with watch.phase("rewrite"):
                draft = Draft(request, body_of(request), selection, signals=signals, received=head.headers)
                draft = await self._rewrite(enter(draft), match, judgement)
            with watch.phase("recall"):
                recalled = await self._recall(request, draft, trace, head)
            if recalled.reply is not None:
                again = self._replayed(head, draft, trace, judgement, recalled)
                notes = (*draft.notes, recalled.note)
                return Ruling(again, msgspec.structs.replace(trace, rewrites=notes, phases_us=watch.read()))
            with watch.phase("place"), recalled:
                draft = leave(recalled.recorded(draft), request.dialect, created=int(self.now()))
                placement = await self._choose_endpoint(draft)
                forward = self._forward(request, trace, draft, head, judgement, placement, recalled)
            trace = msgspec.structs.replace(
                trace, placement=placement, rewrites=draft.notes, phases_us=watch.read()
            )
            return Ruling(forward, trace)
        except HttpError as error:
            trace = msgspec.structs.replace(trace, error=error.message, phases_us=watch.read())
            return Ruling(failure_reply(head, error), trace)

    def unmetered(self) -> "Pipeline":
        """The same, for questions about routing that send nothing: no rate limit, and no cache of answers."""
        return msgspec.structs.replace(self, limiter=None, recalls=False)

    def refuse(self, head: Head, error: HttpError) -> Ruling:
        """The reply for ``error`` and a trace that says so."""
        return Ruling(failure_reply(head, error), Trace(request_id=head.request_id, error=error.message))

    def _listed(self) -> tuple[ListedModel, ...]:
        """Every name of the document, and what engines serve beside them unless it hides its models."""
        hidden = all(model.virtual for model in self.catalog.listed)
        found = self.served.listed() if self.served is not None and not hidden else ()
        return (*self.catalog.listed, *found)

    def _meant(self, endpoint: Endpoint) -> str:
        """The model of a request that names none: the only one there is."""
        models = self.catalog.pools
        if len(models) == 1:
            return models[0]
        where = f"in the body's model, or in the header {names.MODEL_NAME}"
        if endpoint.known:
            raise RequestError(f"missing required field: model (name it {where})", param="model")
        raise EndpointNotFound(f"{endpoint.path}: which model it is for is not known; name it {where}")

    def _admit(self, trace: Trace, request: ChatRequest, policy: Policy | None, endpoint: Endpoint) -> None:
        if policy is not None and policy.needs_identity and not request.identity.user:
            raise Forbidden(f"who asks is not known: the header {self.identity.user} is missing or empty")
        if len(request.messages) > self.limits.max_messages:
            message = f"messages: at most {self.limits.max_messages}, got {len(request.messages)}"
            raise RequestError(message, param="messages")
        if trace.virtual and endpoint.wants:
            message = f'model "{request.model}" chooses among chat models; name {endpoint.wants} here'
            raise RequestError(message, param="model")
        if request.opaque and self.guards is not None:
            raise Unreadable("the guards cannot read a body that is neither a JSON object nor a form")

    def _policy_for(self, model: str) -> Policy | None:
        """What decides about a request for this name; ``None`` where the client chose a model itself."""
        recipe = self.recipes.get(model)
        if recipe is not None:
            return recipe
        return self.policy if self.catalog.is_virtual(model) else None

    async def _observe(self, policy: Policy | None, request: ChatRequest) -> SignalSet:
        """The signals some decision refers to; none for a model the client named itself."""
        if policy is None:
            return SignalSet()
        signals = await observe(policy.evaluators, request, timeout_s=self.limits.signal_timeout_s)
        for derivation in policy.derivations:
            signals = derivation.derive(signals)
        return signals

    async def _observe_and_look(
        self, policy: Policy | None, request: ChatRequest
    ) -> tuple[SignalSet, tuple[GuardOutcome, ...]]:
        """The signals and, beside them, what guards find, whichever model the request names."""
        if self.guards is None:
            return await self._observe(policy, request), ()
        return await asyncio.gather(self._observe(policy, request), self.guards.look(request))

    def _judge(self, outcomes: tuple[GuardOutcome, ...], match: Match | None) -> Judgement:
        """What follows from that. Raises nothing: what guards refuse is for the trace first."""
        if self.guards is None:
            return NOTHING
        decision = match.decision if match else None
        return self.guards.judge(outcomes, decision.plugins if decision else ())

    def _refused(self, head: Head, endpoint: Endpoint, request: ChatRequest, refusal: Refusal) -> Reply:
        """A guard's answer: the message as an ordinary completion, or as an error."""
        headers = {**UPSTREAM_HEADERS, names.RESPONSE_PATH: "blocked", **refusal.headers}
        if refusal.status == Refused.status or endpoint.answer is None:
            reply = failure_reply(head, Refused(refusal.message))
            return msgspec.structs.replace(reply, headers={**reply.headers, **headers})
        created = int(self.now())
        return endpoint.answer(refusal.message, stream=request.stream, created=created, headers=headers)

    async def _answer_early(
        self, endpoint: Endpoint, request: ChatRequest, match: Match | None, signals: SignalSet
    ) -> Reply | None:
        if match is None or match.decision is None or endpoint.answer is None:
            return None
        for plugin in match.decision.plugins:
            if isinstance(plugin, EarlyAnswer) and (text := await plugin.answer(request)) is not None:
                headers = {
                    **UPSTREAM_HEADERS,
                    names.RESPONSE_PATH: plugin.type,
                    names.FAST_RESPONSE: "true",
                    names.SELECTED_DECISION: header_safe(match.decision.name),
                    **by_decision(match.decision.rule, signals),
                }
                return endpoint.answer(text, stream=request.stream, created=int(self.now()), headers=headers)
        return None

    async def _select(
        self,
        endpoint: Endpoint,
        request: ChatRequest,
        signals: SignalSet,
        match: Match | None,
        trusted: str = "",
    ) -> Selection:
        """The model; ``trusted``: where a guard sends the request, whatever was decided."""
        if trusted:
            return Selection(Candidate(self.catalog.target(trusted)), "guard")
        if match is None:
            return Selection(Candidate(self._named(request.model, endpoint)), "specified")
        decision = match.decision
        if decision is not None and decision.candidates:
            candidates = serving(decision.candidates, self.fleet)
            return await select(
                decision.selector, decision.candidates, candidates, Asked(request, signals, decision.name)
            )
        if self.catalog.default is None:
            raise RequestError("unable to route request: no model selected and no default model configured")
        return Selection(Candidate(self.catalog.default), "default")

    def _named(self, name: str, endpoint: Endpoint) -> Target:
        """The model a client named. Raises ``UnknownModel``, or ``Unavailable`` for one that is gone."""
        target = self.catalog.targets.get(name)
        if target is None and self.served is not None:
            target = self.served.target(name)
            if target is None and self.served.gone(name):
                raise Unavailable(f'model "{name}" is served by no replica now', retry_after=5)
        if target is None:
            raise UnknownModel(name, self.unknown_model or endpoint.unknown_model)
        return target

    def _limit(self, head: Head, request: ChatRequest, selection: Selection) -> None:
        """Count the request for the model it will reach; models the client named itself are limited too."""
        if self.limiter is not None:
            self.limiter.admit(request, selection.candidate.target.name, head.request_id)

    async def _rewrite(self, draft: Draft, match: Match | None, judgement: Judgement) -> Draft:
        """The decision's edits and the guards' mask; of a model the client named, just its name is mapped."""
        draft = rename_model(draft)
        decision: Decision | None = match.decision if match else None
        if decision is not None and decision.candidates:
            draft = set_reasoning(draft)
        for plugin in self._plugins(decision, judgement):
            if isinstance(plugin, Rewrite):
                draft = await plugin.apply(draft)
        return draft

    def _plugins(self, decision: Decision | None, judgement: Judgement) -> tuple[Any, ...]:
        """The decision's plugins and, in its place before the checks of the answer, the guards' mask."""
        plugins = decision.plugins if decision is not None else ()
        if self.guards is None or judgement.mask is None:
            return plugins
        limit, timeout_s = self.guards.max_characters, self.guards.timeout_s
        mask = PiiMask(self.guards.scanner, judgement.mask, limit=limit, timeout_s=timeout_s)
        checks = [plugin for plugin in plugins if isinstance(plugin, ResponseGuard)]
        return (*(plugin for plugin in plugins if not isinstance(plugin, ResponseGuard)), mask, *checks)

    async def _recall(self, request: ChatRequest, draft: Draft, trace: Trace, head: Head) -> Recalled:
        """What the decision's cache of answers says, asked last: the key is what the model would get."""
        decision = trace.match.decision if trace.match else None
        for plugin in decision.plugins if decision is not None and self.recalls else ():
            if isinstance(plugin, ResponseCache):
                guarded = any(
                    each.outcome is not Outcome.CLEAN and each.action != "mask" for each in trace.guards
                )
                created = int(self.now())
                return await plugin.recall(Asking(request, draft, trace.recipe, head.path, guarded, created))
        return Recalled()

    def _replayed(
        self, head: Head, draft: Draft, trace: Trace, judgement: Judgement, recalled: Recalled
    ) -> Reply:
        """An answer given again. It counts as a request against the rate limits, and uses no tokens."""
        if self.limiter is not None:
            self.limiter.ledger.settle(head.request_id, 0)
        assert recalled.reply is not None  # noqa: S101  # callers checked; narrows the type
        debug = head.headers.get(names.DEBUG) == "true"
        headers = {
            **UPSTREAM_HEADERS,
            **judgement.headers,
            **success_headers(trace, draft.selection, prompted=draft.prompted, debug=debug),
            **recalled.told(debug=debug),
            names.RESPONSE_PATH: "cache",
            "content-type": recalled.reply.content_type,
            "cache-control": "no-cache",
        }
        return Reply(200, headers, recalled.reply.body)

    async def _choose_endpoint(self, draft: Draft) -> Placement | None:
        """The replica, where that is our choice."""
        if self.placer is None:
            return None
        target = draft.selection.candidate.target
        return await self.placer.place(
            Wanted(target, _prompt_of(draft), len(draft.request.raw), draft.received)
        )

    def _forward(
        self,
        request: ChatRequest,
        trace: Trace,
        draft: Draft,
        head: Head,
        judgement: Judgement,
        placement: Placement | None,
        recalled: Recalled,
    ) -> Forward:
        """Name the pool and, where one was chosen, the endpoint with its fallbacks."""
        target = draft.selection.candidate.target
        debug = head.headers.get(names.DEBUG) == "true"
        routing = {**target.headers, **draft.headers.set, names.SELECTED_MODEL: header_safe(target.name)}
        return Forward(
            pool=target.provider,
            body=draft.body.encode() if draft.edited else None,
            headers=HeaderEdits(routing, draft.headers.remove),
            clear_route=self.clear_route,
            path=_provider_path(target, request.dialect, draft.request.dialect, head.path),
            destinations=placement.destinations if placement else (),
            response_headers={
                **UPSTREAM_HEADERS,
                **judgement.headers,
                **recalled.told(debug=debug),
                **protocol_headers(
                    request.dialect, draft.request.dialect, warnings=warnings(draft), debug=debug
                ),
            },
            success_headers=success_headers(trace, draft.selection, prompted=draft.prompted, debug=debug),
            answer=chained(draft.answers),
            listening=only_listening(draft.answers),
        )


class Unreadable(RequestError):
    """A body in a form that must be read, and cannot be (415)."""

    status = 415


def _prompt_of(draft: Draft) -> Body:
    """The body as placement reads prompts: where engines keep what they computed of them."""
    fields = draft.body.fields
    if draft.request.dialect is Dialect.ENGINE:
        # A form of its own each: what is called a prompt there need not be one.
        return draft.body.without("messages", "prompt", "system", "tools")
    if draft.request.dialect is Dialect.OPENAI_RESPONSES:
        parts = [bytes(fields[name]) for name in ("instructions", "tools", "input") if name in fields]
        turns = msgspec.Raw(b"[" + b",".join(parts) + b"]")
        return Body({**draft.body.without("tools").fields, "prompt": turns})
    return draft.body


_CHAT_PATHS = {Dialect.OPENAI_CHAT: "/v1/chat/completions", Dialect.ANTHROPIC_MESSAGES: "/v1/messages"}


def _provider_path(target: Target, client: Dialect, spoken: Dialect, path: str) -> str | None:
    """The request path in the provider's API and layout; ``None`` where it is the same."""
    if spoken in _CHAT_PATHS and target.chat_path:
        return target.chat_path
    asked = path if client is spoken else _CHAT_PATHS[spoken]
    placed = asked if target.base_path == "/v1" else f"{target.base_path}{asked.removeprefix('/v1')}"
    return None if placed == path else placed


def _require_get(head: Head) -> None:
    if head.method != "GET":
        raise MethodNotAllowed(f"method {head.method} is not allowed on {head.route_path}; use GET")
