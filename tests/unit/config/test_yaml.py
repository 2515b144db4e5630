"""YAML as far as configuration needs it: everything else is a problem with a line, never a traceback."""

from typing import Any

import pytest

from pointsman.config import parse
from pointsman.config.tree import MAX_BYTES

_BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (_BOMB, "more than 100000 values"),
        ("a: " + "[" * 100_000, "more than 64 levels"),
        ("{" * 1000, "more than 64 levels"),
        ("a: &a [*a]", "not defined before"),
        ("a: *b", "not defined before"),
        ("version: v0.3\nversion: v0.3", "given twice, first near line 1 (line 2)"),
        ("a: {b: 1, b: 2}", "given twice"),
        ("x: &x {a: 1}\ny:\n  <<: *x", "merge key"),
        ("1: a", "key that is not text"),
        ("true: a", "key that is not text"),
        ("? [a, b]\n: c", "key that is not text"),
        ("? {a: {b: c}}\n: {d: e}", "key that is not text"),
        ("a: !!binary aGk=", "tag !!binary"),
        ("a: !!python/object:os.system x", "tag !!python/object:os.system"),
        ("a: !custom {b: c}", "tag !custom"),
        ("a: .nan", "a number beyond"),
        ("a: -.inf", "a number beyond"),
        ("a: 1e999", "a number beyond"),
        ("a: " + "9" * 5000, "a number beyond"),
        ("a: 99999999999999999999", "a number beyond"),
        ("a: 0xffffffffffffffffffff", "a number beyond"),
        ("a: [", "no valid YAML"),
        ("a: 'b", "no valid YAML"),
        ("a: b: c", "no valid YAML"),
        ("\t- a", "no valid YAML"),
        ("a: \x01", "characters that YAML does not allow"),
        ("a: \ud800", "characters that YAML does not allow"),
        ("a: 1\n---\nb: 2", "more than one document"),
        ("x: '" + "x" * MAX_BYTES + "'", "larger than"),
    ],
    ids=lambda value: value[:24].encode("unicode_escape").decode(),
)
def test_what_is_not_read(problems_of: Any, text: str, words: str) -> None:
    """Bombs, tags, merges, odd keys and numbers beyond computing are refused with a remedy."""
    found = problems_of(text).values()
    assert any(words in problem.message for problem in found)
    assert all(problem.remedy for problem in found)


def test_aliases_work_within_bounds() -> None:
    """An anchor may be used again: what is written once may hold in several places."""
    settings = parse("version: v0.3\nlisteners:\n  - &one {name: a, timeout: 10s}\nrecipes: []\n", {})
    twice = parse("version: v0.3\nx-: 1\n".replace("x-: 1\n", "listeners: [&a {name: a}]\n"), {})
    assert settings.listeners[0].name == twice.listeners[0].name
    same = parse(
        "version: v0.3\nrouting: {modelCards: [{name: a, tags: &t [x, y]}, {name: b, tags: *t}]}", {}
    )
    assert same.routing.model_cards[0].tags == same.routing.model_cards[1].tags == ("x", "y")


@pytest.mark.parametrize("word", ["no", "on", "yes", "off", "2026-08-01", "12:30:45", "0b1", "1_000"])
def test_words_stay_words(word: str) -> None:
    """What YAML 1.1 takes for truth values, dates and odd numbers is text, so that ``no`` is Norwegian."""
    settings = parse(f"version: v0.3\nrouting: {{signals: {{language: [{{name: {word}}}]}}}}", {})
    assert settings.routing.signals.language[0].name == word


@pytest.mark.parametrize(
    ("written", "priority"), [("-3", -3), ("0x10", 16), ("0o17", 15), ("+7", 7), ('"8"', 8)]
)
def test_numbers_are_read_as_written(written: str, priority: int) -> None:
    """Decimal, hexadecimal and octal numbers are read, and quoted ones where a number belongs."""
    text = f"version: v0.3\nrouting: {{decisions: [{{name: d, priority: {written}}}]}}"
    assert parse(text, {}).routing.decisions[0].priority == priority
