"""A process behind the management API, without a process."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import aiohttp
import msgspec

from pointsman.core.decision import Decision, DecisionTrace, Match
from pointsman.core.errors import HttpError, RequestError
from pointsman.core.model import Candidate, Selection, Target
from pointsman.core.request import Head
from pointsman.core.rule import Leaf, LeafTrace, Node, NodeTrace, Operator
from pointsman.core.signal import Signal, SignalKey, SignalSet
from pointsman.core.trace import Ruling, Trace
from pointsman.core.verdict import Forward, Reply
from pointsman.dialects import openai_chat
from pointsman.observe import Metrics, Redactor
from pointsman.pii import Finding
from pointsman.transports.api import (
    Classifier,
    EmbeddingModel,
    Engine,
    EngineLoad,
    EngineOrder,
    HttpServer,
    Inspection,
    Limits,
    Readiness,
    Told,
    management_app,
)

T = TypeVar("T")

SECRET = "CANARY-PROVIDER-KEY-1"
MATH = SignalKey("domain", "math")
URGENT = SignalKey("keyword", "urgent")
READY = Readiness(router=True, encoder=True, envoy=True, pools=1, total_models=1)


class NamedPlugin:
    """A plugin as far as a report sees one."""

    type = "system_prompt"


class FakeRouter:
    """Texts with `math` in them match a decision, others go to the default model, `down` has none."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.hold: asyncio.Event | None = None
        self.defect: Exception | None = None

    def preview(self, head: Head, *, managed: bool) -> Reply | None:
        """The list of names, and nothing else."""
        del managed
        body = msgspec.json.encode({"object": "list", "data": [{"id": "MoM", "object": "model"}]})
        return Reply(200, {}, body) if head.path == "/v1/models" else None

    async def route(self, head: Head, body: bytes) -> Ruling:
        """Rule by the text alone."""
        if self.defect:
            raise self.defect
        if self.hold:
            await self.hold.wait()
        trace = Trace(request_id=head.request_id)
        try:
            request = openai_chat.understand(body)
        except RequestError as error:
            return self.refuse(head, error)
        self.asked.append(msgspec.json.decode(body))
        if request.model not in {"MoM", "named"}:
            return self.refuse(head, RequestError(f'model "{request.model}" is not available', param="model"))
        trace = msgspec.structs.replace(trace, request=request, virtual=request.model == "MoM")
        if not trace.virtual:
            chosen = Selection(Candidate(Target("named", "named", "named")), "specified")
            return Ruling(Forward("named"), msgspec.structs.replace(trace, selection=chosen))
        return _ruled(trace, request.text)

    def refuse(self, head: Head, error: HttpError) -> Ruling:
        """A refusal with nothing decided."""
        return Ruling(Reply(error.status, {}, b""), Trace(request_id=head.request_id, error=error.message))


def _ruled(trace: Trace, text: str) -> Ruling:
    math = "math" in text
    signals = SignalSet.of(
        (
            Signal(MATH, matched=math, confidence=0.91, cost_us=2500.0),
            Signal(URGENT, matched=False, error="deadline 4000 ms exceeded"),
        )
    )
    rule = Node(Operator.OR, (Leaf(MATH), Leaf(URGENT)))
    held = NodeTrace(
        Operator.OR,
        matched=math,
        confidence=0.91,
        conditions=(
            LeafTrace(MATH, matched=math, confidence=0.91),
            LeafTrace(URGENT, matched=False, confidence=0.0, error="deadline 4000 ms exceeded"),
        ),
    )
    candidate = Candidate(Target("math-expert", "math-lora", "llama", headers={"authorization": SECRET}))
    decision = Decision("math_route", rule, (candidate,), plugins=(NamedPlugin(),))
    traces = (DecisionTrace("math_route", matched=math, confidence=0.91, priority=10, tier=0, rule=held),)
    match = Match(decision if math else None, 0.91 if math else 0.0, traces)
    trace = msgspec.structs.replace(trace, signals=signals, match=match)
    if "down" in text:
        return Ruling(
            Reply(400, {}, b""), msgspec.structs.replace(trace, error="no default model configured")
        )
    default = Selection(Candidate(Target("general", "general", "llama")), "default")
    selection = Selection(candidate, "static") if math else default
    return Ruling(Forward("llama"), msgspec.structs.replace(trace, selection=selection))


class FakeBackend:
    """Everything the API asks for, each piece replaceable by a test."""

    def __init__(self) -> None:
        self.state = READY
        self.fake: FakeRouter | None = FakeRouter()
        self.virtual = "MoM"
        self.counts = Metrics()
        self.domains: Mapping[str, float] = {"math": 0.2, "law": 0.75, "other": 0.05}
        self.risk = 0.1
        self.sampled = False
        self.disguised = False
        self.inspected = 0
        self.orders: list[EngineOrder] = []
        self.told: Sequence[Told] = (Told("pod-a", "10.0.0.1:8000", 200),)
        self.hold: asyncio.Event | None = None
        self.document: dict[str, Any] = {
            "version": "v0.3",
            "providers": {"models": [{"name": "llama", "api_key": SECRET, "api_key_env": "LLAMA_KEY"}]},
            "note": f"the key is {SECRET}",
        }

    def readiness(self) -> Readiness:
        """As set."""
        return self.state

    def router(self) -> FakeRouter | None:
        """As set."""
        return self.fake

    def virtual_model(self) -> str:
        """As set."""
        return self.virtual

    def classifiers(self) -> Sequence[Classifier]:
        """One."""
        return (Classifier("minilm", "intent_classification", loaded=True, categories=("math", "law")),)

    async def domain_probabilities(self, text: str) -> Mapping[str, float]:
        """As set, whatever the text."""
        del text
        return self.domains

    async def inspect(self, text: str) -> Inspection:
        """`Ann` is a person, `Rome` maybe a place; the risk is as set."""
        self.inspected += 1
        if self.hold:
            await self.hold.wait()
        words = (("Ann", "PERSON", 0.9), ("Rome", "GPE", 0.4))
        found = [
            Finding(label, at, at + len(word), score, ("model",))
            for word, label, score in words
            for at in range(len(text))
            if text.startswith(word, at)
        ]
        return Inspection(
            jailbreak=self.risk,
            threshold=0.7,
            place=(0, len(text)),
            findings=tuple(sorted(found, key=lambda each: each.start)),
            sampled=self.sampled,
            disguised=self.disguised,
        )

    def embedding_model(self) -> EmbeddingModel:
        """Two dimensions."""
        return EmbeddingModel("tiny/fp32", 2)

    async def embed(self, text: str) -> Sequence[float]:
        """Texts with `x` in them point along the first axis, others along the second."""
        if self.hold:
            await self.hold.wait()
        return (1.0, 0.0) if "x" in text else (0.0, 1.0)

    def engines(self) -> Sequence[Engine]:
        """One."""
        load = EngineLoad(1, 2, reachable=True)
        return (Engine("pod-a", "10.0.0.1:8000", "llama", ["llama"], "ready", "both", {}, load),)

    async def tell_engines(self, order: EngineOrder) -> tuple[str, Sequence[Told]]:
        """As set."""
        self.orders.append(order)
        return order.model or "llama", self.told

    def config(self) -> Mapping[str, Any]:
        """As set."""
        return self.document

    def metrics(self) -> bytes:
        """Real ones."""
        return self.counts.render()


def drive(
    scenario: Callable[[aiohttp.ClientSession], Awaitable[T]],
    backend: FakeBackend | None = None,
    limits: Limits | None = None,
) -> T:
    """Run `scenario` with a client of an API that listens on a real socket."""

    async def run() -> T:
        app = management_app(backend or FakeBackend(), redactor=Redactor([SECRET]), limits=limits)
        async with (
            HttpServer(app, purpose="management API", port=0) as server,
            aiohttp.ClientSession(server.url) as http,
        ):
            return await scenario(http)

    return asyncio.run(run())


class Answer(msgspec.Struct):
    """An answer read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return msgspec.json.decode(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The error inside the body."""
        return self.json["error"]  # type: ignore[no-any-return]  # an object by the contract


def call(
    method: str,
    path: str,
    *,
    backend: FakeBackend | None = None,
    limits: Limits | None = None,
    **request: Any,
) -> Answer:
    """One request to a fresh API."""

    async def scenario(http: aiohttp.ClientSession) -> Answer:
        async with http.request(method, path, **request) as response:
            return Answer(response.status, response.headers, await response.read())

    return drive(scenario, backend, limits)
