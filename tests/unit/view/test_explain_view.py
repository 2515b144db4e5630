import io
import json
import re
from typing import Any

import msgspec
import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from pointsman.cli.view.explain import explain_json, explain_view
from pointsman.core.decision import Decision, Match, Strategy
from pointsman.core.guard import GuardOutcome, Outcome
from pointsman.core.model import Candidate, Selection, Target
from pointsman.core.request import ChatRequest, Dialect, Message
from pointsman.core.rule import Leaf, Node, Operator
from pointsman.core.signal import Signal, SignalKey, SignalSet
from pointsman.core.trace import Trace
from pointsman.core.verdict import Forward, HeaderEdits, Reply
from pointsman.decisions.rank import choose

LABELS = ("math", "law", "physics", "biology", "history", "health", "other")
QUESTION = "Differentiate x squared and explain every step of it to a child of ten, please"
SECRET = "sk-very-secret-key"


def domain(name: str) -> Leaf:
    """A condition on a domain."""
    return Leaf(SignalKey("domain", name))


THINKING = Leaf(SignalKey("keyword", "thinking"))
JAILBREAK = Leaf(SignalKey("jailbreak", "guard"))
CANDIDATE = Candidate(Target("math-expert", "math-expert", "base-model"), use_reasoning=True, effort="high")
DECISIONS = [
    Decision(
        "math_decision",
        Node(Operator.AND, (domain("math"), Node(Operator.NOT, (THINKING,)))),
        (CANDIDATE,),
        priority=10,
    ),
    Decision("general", Node(Operator.AND), priority=1),
    Decision("law_decision", domain("law"), priority=10),
    Decision("guarded", Node(Operator.NOT, (JAILBREAK,)), priority=99),
]
SIGNALS = SignalSet.of(
    [
        *(
            Signal(
                SignalKey("domain", name), name == "math", 0.9 if name == "math" else 0.02, 300.0, "math 0.90"
            )
            for name in LABELS
        ),
        Signal(THINKING.key, matched=False, cost_us=4.0),
        Signal(JAILBREAK.key, matched=False, error="deadline 50 ms exceeded"),
    ]
)


def body(*messages: tuple[str, str]) -> bytes:
    """A chat request's body."""
    return msgspec.json.encode(
        {
            "model": "math-expert",
            "messages": [{"role": role, "content": content} for role, content in messages],
        }
    )


def traced(text: str = QUESTION, match: Match | None = None) -> Trace:
    """A request that was decided."""
    return Trace(
        request_id="r1",
        request=ChatRequest(Dialect.OPENAI_CHAT, "MoM", (Message("user", text),), body(("user", text))),
        virtual=True,
        signals=SIGNALS,
        match=match or choose(DECISIONS, SIGNALS, Strategy.PRIORITY),
        selection=Selection(CANDIDATE, "single"),
        rewrites=("model: MoM -> math-expert", "system prompt: inserted"),
        phases_us={"understand": 12.0, "observe": 2400.0, "decide": 20.0, "total": 2500.0},
    )


def forward(text: str = QUESTION) -> Forward:
    """Where the request goes: rewritten, with a provider key."""
    return Forward(
        "base-model",
        body(("system", "You are a mathematician."), ("user", text)),
        HeaderEdits({"authorization": f"Bearer {SECRET}", "x-selected-model": "math-expert"}),
    )


def printed(view: RenderableType, *, width: int = 80, encoding: str = "utf-8", colour: bool = False) -> str:
    """What a terminal of a width and encoding shows."""
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(
        file=file, width=width, force_terminal=colour, color_system="standard" if colour else None
    )
    console.print(view)
    file.seek(0)
    return file.read()


def test_the_screen_answers_what_was_decided_and_why() -> None:
    """Decision, model, adapter, reasoning, rewrites and the losers' reasons are all there."""
    screen = printed(explain_view(traced(), forward()))
    for fact in (
        "math_decision",
        "confidence 0.95",
        "LoRA on base-model",
        "reasoning on (high)",
        "system prompt: inserted",
        "priority 1 < 10",
        "2.5 ms in all",
        "You are a mathematician.",
    ):
        assert fact in screen


def test_the_rule_shows_the_truth_of_every_leaf() -> None:
    """The winning rule is a tree in which each condition has its mark."""
    screen = printed(explain_view(traced(), forward()))
    assert "✓ domain:math" in screen
    assert "✓ NOT" in screen
    assert "✗ keyword:thinking" in screen


def test_a_failed_signal_is_told_apart_from_an_unmatched_one() -> None:
    """A signal that could not be computed shows why, and decisions it blocked are counted."""
    screen = printed(explain_view(traced(), forward()))
    assert "! deadline 50 ms" in screen
    assert "1 of them with a signal that failed" in screen


def test_unmatched_signals_are_summed_up() -> None:
    """Of many unmatched domains three are shown and the rest counted."""
    screen = printed(explain_view(traced(), forward()))
    assert sum(f"{label} " in screen for label in LABELS[1:]) <= 3
    assert "3 more, up to 0.02" in screen


TEXTS = [QUESTION, "解释" * 100, "a\tb\nc" * 50, "\x1b[31mred\x1b[0m \x07", "\u202eabc", ""]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("width", [80, 60, 132])
def test_every_line_fits(text: str, width: int) -> None:
    """No line is wider than the terminal, in cells, whatever the prompt holds."""
    for line in printed(explain_view(traced(text), forward(text)), width=width).splitlines():
        assert cell_len(line.rstrip()) <= width


def test_it_is_one_screen() -> None:
    """The tutorial's shape of request takes at most forty lines."""
    assert len(printed(explain_view(traced(), forward())).splitlines()) <= 40


def test_a_prompt_cannot_steer_the_terminal() -> None:
    """Escape sequences and directional overrides in a prompt never reach the terminal."""
    text = "\x1b]0;owned\x07\x1b[2Jhi\u202e"
    screen = printed(explain_view(traced(text), forward(text)))
    assert not {"\x1b", "\x07", "\u202e"} & set(screen)


@pytest.mark.parametrize("encoding", ["ascii", "iso8859-1", "cp1252"])
def test_terminals_without_unicode_get_ascii(encoding: str) -> None:
    """Where the encoding cannot write them, marks, bars and guides are ASCII and nothing fails."""
    screen = printed(explain_view(traced("解释 é"), forward()), encoding=encoding)
    assert "+ domain:math" in screen
    assert "####" in screen
    assert not set("✓✗█░…→·") & set(screen.replace("é", ""))


def test_marks_carry_the_meaning_without_colour() -> None:
    """With colours stripped the coloured screen is the plain one."""
    view = explain_view(traced(), forward())
    coloured, plain = printed(view, colour=True), printed(view)
    assert "\x1b" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_the_prompt_appears_in_its_own_line_only() -> None:
    """The body shows how long the client's text is, not the text, wherever it was put."""
    verdict = Forward("base-model", body(("system", f"Be brief. {QUESTION}"), ("user", QUESTION)))
    screen = printed(explain_view(traced(), verdict), width=100)
    assert screen.count("Differentiate") == 1
    assert f"<{len(QUESTION)} characters>" in screen
    assert "Be brief." in screen


def test_an_untouched_body_is_said_to_be_so() -> None:
    """A request that is forwarded as received shows no body."""
    assert "byte for byte" in printed(explain_view(traced(), Forward("base-model")))


def test_a_refusal_shows_what_the_client_was_told() -> None:
    """A request that is refused shows status and message, and no decision."""
    trace = Trace(error='model "x" is not available')
    screen = printed(explain_view(trace, Reply(400, {}, b"{}")))
    assert "HTTP 400" in screen
    assert 'model "x" is not available' in screen


def test_a_canned_answer_is_shown() -> None:
    """A request answered without a model shows status and answer."""
    screen = printed(explain_view(traced(), Reply(200, {}, b'{"choices": [{"text": "closed today"}]}')))
    assert "HTTP 200, without a model" in screen
    assert "closed today" in screen


def test_guards_limits_and_a_failed_choice_are_shown() -> None:
    """Each has its line for people, and its key for programs."""
    guards = (
        GuardOutcome("jailbreak", "block", Outcome.CLEAN, 0.02),
        GuardOutcome("pii", "mask", Outcome.FOUND, kinds=("EMAIL_ADDRESS", "PERSON")),
        GuardOutcome("pii", "block", Outcome.FAILED, detail="late"),
    )
    selection = Selection(CANDIDATE, "knn", "failed: ValueError", fallback=True)
    trace = msgspec.structs.replace(traced(), guards=guards, selection=selection)
    screen = printed(explain_view(trace, forward(), ["hourly: at most 2 requests per hour"]))
    assert re.search(r"guards +jailbreak clean . action block . score 0.02\n", screen)
    assert re.search(r" pii found . action mask . EMAIL_ADDRESS, PERSON\n", screen)
    assert re.search(r" pii failed . action block . late\n", screen)
    assert "knn fell back to the first candidate: failed: ValueError" in screen
    assert re.search(r"limits +hourly: at most 2 requests per hour\n", screen)
    found = explain_json(trace, forward(), ["hourly: at most 2 requests per hour"])
    assert [each["outcome"] for each in found["guards"]] == ["clean", "found", "failed"]
    assert found["selection"]["fallback"] is True
    assert found["limits"] == ["hourly: at most 2 requests per hour"]


def test_no_match_names_the_fallback() -> None:
    """Without a matching decision the screen says who answers."""
    match = choose(DECISIONS[2:3], SIGNALS, Strategy.PRIORITY)
    assert "the default model answers" in printed(explain_view(traced(match=match), forward()))


def record(**changes: Any) -> dict[str, Any]:
    """The machine form after a trip through JSON."""
    loaded: dict[str, Any] = json.loads(json.dumps(explain_json(traced(**changes), forward())))
    return loaded


def test_the_machine_form_has_every_decision_and_signal() -> None:
    """Programs get all signals and decisions, with the rule's outcome as a tree."""
    found = record()
    assert found["decision"] == "math_decision"
    assert len(found["signals"]) == len(SIGNALS)
    assert [each["name"] for each in found["decisions"] if each["won"]] == ["math_decision"]
    assert found["decisions"][0]["rule"]["conditions"][0]["signal"] == "domain:math"
    assert found["selection"]["model"] == "math-expert"


def test_credentials_are_in_neither_form() -> None:
    """Provider keys are set on the request but never shown."""
    assert SECRET not in json.dumps(record())
    assert SECRET not in printed(explain_view(traced(), forward()))
    assert record()["verdict"]["headers"] == {"authorization": "(set)", "x-selected-model": "math-expert"}


def test_the_machine_form_of_an_undecided_request_is_complete() -> None:
    """A request that was refused early has every key, with nothing in it."""
    found = explain_json(Trace(error="bad"), Reply(400, {}, b"not json"))
    assert set(found) == set(record())
    assert (found["decision"], found["selection"], found["error"]) == (None, None, "bad")
    assert found["verdict"]["body"] == "<8 bytes>"
