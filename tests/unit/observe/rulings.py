"""Rulings to count, log and join."""

from pointsman.core import headers as names
from pointsman.core.decision import Decision, DecisionTrace, Match
from pointsman.core.model import Candidate, Selection, Target
from pointsman.core.request import ChatRequest, Dialect, Message
from pointsman.core.rule import Leaf, LeafTrace
from pointsman.core.signal import Signal, SignalKey, SignalSet
from pointsman.core.trace import Ruling, Trace
from pointsman.core.verdict import Forward, Reply, Verdict

PROMPT = "CANARY-PROMPT what is 2+2"
CREDENTIAL = "CANARY-CREDENTIAL-8842"
MATH = SignalKey("domain", "math")


class NamedPlugin:
    """A plugin as far as metrics see one."""

    def __init__(self, kind: str) -> None:
        self.type = kind


def ruling(
    request_id: str = "r-1",
    *,
    model: str = "MoM",
    virtual: bool = True,
    stream: bool = False,
    signals: tuple[Signal, ...] = (Signal(MATH, matched=True, confidence=0.9, cost_us=2000.0),),
    plugins: tuple[str, ...] = (),
    verdict: Verdict | None = None,
    use_reasoning: bool = True,
) -> Ruling:
    """A request for `model` that the decision `math_route` sends to `math-expert` in the pool `llama`."""
    target = Target("math-expert", "math-lora", "llama", headers={"authorization": f"Bearer {CREDENTIAL}"})
    candidate = Candidate(target, use_reasoning=use_reasoning, effort="high")
    rule = Leaf(MATH)
    decision = Decision("math_route", rule, (candidate,), plugins=tuple(map(NamedPlugin, plugins)))
    evaluated = DecisionTrace(
        "math_route",
        matched=True,
        confidence=0.9,
        priority=0,
        tier=0,
        rule=LeafTrace(MATH, matched=True, confidence=0.9),
    )
    raw = b'{"messages": "' + PROMPT.encode() + b'"}'
    trace = Trace(
        request_id=request_id,
        request=ChatRequest(Dialect.OPENAI_CHAT, model, (Message("user", PROMPT),), raw, stream=stream),
        virtual=virtual,
        signals=SignalSet.of(signals),
        match=Match(decision, 0.9, (evaluated,)),
        selection=Selection(candidate, "static"),
        rewrites=("model: math-lora",),
        phases_us={"understand": 10.0, "decide": 5.0, "total": 2100.0},
    )
    return Ruling(verdict or Forward("llama"), trace)


def refusal(request_id: str = "r-1", *, status: int = 400, model: str = "no-such-model") -> Ruling:
    """A request refused before a model was chosen."""
    request = ChatRequest(Dialect.OPENAI_CHAT, model, (Message("user", PROMPT),), b"{}")
    trace = Trace(request_id=request_id, request=request, error=f'model "{model}" is not available')
    return Ruling(Reply(status, {}, b"{}"), trace)


def early_answer(by: str) -> Ruling:
    """A request that the plugin `by` answered instead of a model."""
    reply = Reply(200, {names.RESPONSE_PATH: by}, b"{}")
    return ruling(plugins=("fast_response", "system_prompt"), verdict=reply)
