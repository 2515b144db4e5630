"""Jailbreak and personal data: what is read, what fails, what is told."""

import threading
from typing import Any

import pytest

from pointsman.core.rule import Leaf, Node, Operator
from pointsman.core.signal import SignalSet
from pointsman.decisions.evaluate import evaluate
from pointsman.signals import pii
from pointsman.signals.passages import MESSAGES, PASSAGE, PASSAGES, conversation, passages
from unit.signals import fakes
from unit.signals.fakes import Encoder, Found, document, evaluator, matched, observed

CONTRASTIVE = {"method": "contrastive", "jailbreak_patterns": ["attack"], "benign_patterns": ["harmless"]}
ANGLES = {"attack": 0.0, "harmless": 90.0, "likely": 20.0, "doubtful": 44.0, "unlikely": 46.0}


def jailbreak(encoder: Encoder, *rules: dict[str, Any], timeout_s: float = 60.0, **guard: Any) -> Any:
    """The evaluator of some rules, named by their number."""
    named = [{"name": str(index)} | rule for index, rule in enumerate(rules)]
    settings = document(modules={"prompt_guard": guard})
    return evaluator({"jailbreak": named}, "jailbreak", encoder, settings, timeout_s=timeout_s)


def test_a_threshold_is_the_rules_or_the_modules() -> None:
    """A rule without a written threshold takes the module's; the edge matches."""
    encoder = Encoder(attacks={"text": 0.6})
    built = jailbreak(encoder, {}, {"threshold": 0.7}, {"threshold": 0.6}, threshold=0.5)
    assert matched(built, "text") == {"0", "2"}


def test_a_lead_of_attacks_over_look_alikes_matches() -> None:
    """The contrastive method needs 0.1 unless the rule says more; a text nearer to harmless ones never matches."""
    built = jailbreak(Encoder(ANGLES), CONTRASTIVE, CONTRASTIVE | {"threshold": 0.0})
    assert matched(built, "likely") == {"0", "1"}
    assert matched(built, "doubtful") == {"1"}
    assert not matched(built, "unlikely")


def test_without_look_alikes_ordinary_requests_stand_in() -> None:
    """A text as near to an ordinary request as to an attack is no attack."""
    rule = {"method": "contrastive", "jailbreak_patterns": ["attack"]}
    assert matched(jailbreak(Encoder(ANGLES), rule), "likely")
    assert not matched(jailbreak(Encoder(ANGLES), rule), "an ordinary text")


def test_hybrid_is_either() -> None:
    """The classifier alone and the comparison alone are enough; a written threshold is the classifier's."""
    rule = CONTRASTIVE | {"method": "hybrid", "threshold": 0.9}
    encoder = Encoder(ANGLES, attacks={"unlikely": 0.95, "doubtful": 0.8})
    built = jailbreak(encoder, rule)
    assert matched(built, "likely")
    assert matched(built, "unlikely")
    assert not matched(built, "doubtful")


def test_an_attack_in_the_middle_of_a_long_text_is_compared() -> None:
    """Every passage of a text is compared with the examples."""
    text = "x" * (2 * PASSAGE) + "y" * PASSAGE + "z" * PASSAGE
    angles = ANGLES | {piece: 5.0 for piece in passages(text) if set(piece) == {"y"} or "y" in piece}
    assert matched(jailbreak(Encoder(angles), CONTRASTIVE), text)


def test_history_is_read_only_where_asked_for() -> None:
    """An attack in an earlier message, whoever wrote it, counts with `include_history`."""
    encoder = Encoder(attacks={"bad": 0.9})
    built = jailbreak(encoder, {}, {"include_history": True})
    assert matched(built, "bad", "ok", "go on") == {"1"}
    assert matched(built, "fine", "bad", "go on") == {"1"}


def test_history_is_bounded() -> None:
    """The latest messages are read one by one, all older ones as one text."""
    turns = [f"turn {number}" for number in range(MESSAGES + 5)]
    texts = conversation(fakes.conversation(*turns), history=True)
    assert len(texts) == MESSAGES + 2
    assert texts[0] == turns[-1]
    assert texts[-1] == "\n\n".join(turns[: len(turns) - 1 - MESSAGES])


def failing(**guard: Any) -> SignalSet:
    return SignalSet.of(observed(jailbreak(Encoder(fails=True), {}, **guard), "secret").values())


def test_a_guard_that_fails_is_no_ground_for_any_decision() -> None:
    """Neither the guard nor its negation holds, and the error says nothing of the text."""
    signals = failing()
    (signal,) = signals
    assert signal.error == "RuntimeError"
    assert not evaluate(Leaf(signal.key), signals).matched
    assert not evaluate(Node(Operator.NOT, (Leaf(signal.key),)), signals).matched


@pytest.mark.parametrize(("on_error", "blocked"), [("block", True), ("allow", False)])
def test_a_written_on_error_decides_for_a_failed_guard(on_error: str, *, blocked: bool) -> None:
    """`block` takes the failure for an attack, `allow` for none; the failure stays visible."""
    signals = failing(on_error=on_error)
    (signal,) = signals
    assert signal.error
    assert evaluate(Leaf(signal.key), signals).matched is blocked
    assert evaluate(Node(Operator.NOT, (Leaf(signal.key),)), signals).matched is not blocked


def test_a_late_guard_has_failed() -> None:
    """A guard ends before the deadline of all signals does, so that `on_error` is asked."""
    found = observed(jailbreak(Encoder(waits=True), {}, timeout_s=0.001), "text")
    assert found["0"].error == "deadline 1 ms exceeded"


def test_a_guard_switched_off_fails() -> None:
    """Signals of a detector that is switched off name the key that did it."""
    found = observed(jailbreak(Encoder(), {}, enabled=False), "text")
    assert "prompt_guard.enabled" in found["0"].error


@pytest.mark.parametrize("text", ["a" * 5000, "中" * 900, "b" * (PASSAGE + 1)])
def test_passages_cover_a_text(text: str) -> None:
    """Together they are the text, in order, each within its bound."""
    found = passages(text)
    assert len(found) <= PASSAGES
    assert sum(map(len, found)) >= len(text)
    assert max(map(len, found)) <= PASSAGE


def test_passages_of_an_endless_text_are_bounded() -> None:
    """A text of any length costs no more than so many passages, from its first character to its last."""
    found = passages("<" + "a" * 10**6 + ">")
    assert len(found) == PASSAGES
    assert (found[0][0], found[-1][-1]) == ("<", ">")


PERSON = {"I am Ann": [Found("PERSON", 5, 8, 0.55)]}


def personal(encoder: Encoder, *rules: dict[str, Any], **module: Any) -> Any:
    named = [{"name": str(index)} | rule for index, rule in enumerate(rules)]
    settings = document(modules={"classifier": {"pii": module}})
    return evaluator({"pii": named}, "pii", encoder, settings)


def test_what_is_not_allowed_matches_and_only_kinds_are_told() -> None:
    """Recognisers and encoder both count; the detail has no character of what was found."""
    text = "I am Ann, write to ann@example.com"
    encoder = Encoder(entities={text: [Found("PERSON", 5, 8, 0.9)]})
    found = observed(
        personal(
            encoder, {}, {"pii_types_allowed": ["person"]}, {"pii_types_allowed": ["PERSON", "EMAIL_ADDRESS"]}
        ),
        text,
    )
    assert [found[name].matched for name in "012"] == [True, True, False]
    assert (found["0"].detail, found["1"].detail) == ("EMAIL_ADDRESS, PERSON", "EMAIL_ADDRESS")


def test_a_threshold_is_the_rules_the_modules_or_the_kinds() -> None:
    """Where neither rule nor module writes one, each kind has its calibrated own."""
    assert matched(personal(Encoder(entities=PERSON), {}, {"threshold": 0.6}), "I am Ann") == {"0"}
    assert matched(personal(Encoder(entities=PERSON), {}, {"threshold": 0.5}, threshold=0.9), "I am Ann") == {
        "1"
    }


def test_personal_data_in_history_counts_only_where_asked_for() -> None:
    """An earlier message matters to the rule that includes history."""
    built = personal(Encoder(entities=PERSON), {}, {"include_history": True})
    assert matched(built, "I am Ann", "hello", "go on") == {"1"}


def test_a_detector_that_fails_is_not_a_clean_text() -> None:
    """A failed scan makes a failed signal even where the recognisers could have answered."""
    found = observed(personal(Encoder(fails=True), {}), "ann@example.com")
    assert (found["0"].matched, found["0"].error) == (False, "RuntimeError")


def test_long_texts_are_searched_off_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recognisers take milliseconds on a long text: another thread does it."""
    threads: list[threading.Thread] = []

    def recognise(text: str) -> tuple[()]:
        assert text
        threads.append(threading.current_thread())
        return ()

    monkeypatch.setattr(pii, "recognise", recognise)
    observed(personal(Encoder(), {}), "x" * (pii.SHORT + 1))
    observed(personal(Encoder(), {}), "x")
    assert [thread is threading.main_thread() for thread in threads] == [False, True]
