import json

import pytest

from pointsman.core.request import Head
from pointsman.evaluation.case import BadCases, read_cases
from pointsman.evaluation.known import Known, require_known

GOOD = '{"text": "2+2?", "expect": {"decision": "maths"}}'


def refused(text: str) -> str:
    with pytest.raises(BadCases) as caught:
        read_cases(text, "f.jsonl")
    return str(caught.value)


def test_lines_keep_their_numbers() -> None:
    """Comments and empty lines are skipped and still counted."""
    cases = read_cases(f"\ufeff// a remark\n\n# another\n{GOOD}\r\n  \n{GOOD}\n")
    assert [each.line for each in cases] == [4, 6]


def test_a_line_separator_within_a_text_ends_no_line() -> None:
    """U+2028 may stand in a JSON string as it is."""
    (case,) = read_cases('{"text": "a\u2028b", "expect": {"reply": true}}')
    assert case.case.text == "a\u2028b"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"text": "a"', "no JSON"),
        ("[1]", "a JSON object"),
        ('{"text": "a"}', "missing required field `expect`"),
        ('{"text": "a", "expect": {}}', "expect is empty"),
        ('{"text": "a", "expect": {"decison": "x"}}', "did you mean expect.decision?"),
        ('{"txt": "a", "expect": {"decision": "x"}}', "did you mean text?"),
        ('{"text": "a", "expect": {"decision": 3}}', "at `expect.decision`"),
        ('{"text": "a", "expect": 3}', "at `expect`"),
        ('{"expect": {"decision": "x"}}', "exactly one of text, messages and body is needed, got none"),
        ('{"text": "a", "body": {}, "expect": {"decision": "x"}}', "got text and body"),
        ('{"text": "a", "expect": {"signals": ["math"]}}', "write it as domain:math"),
        ('{"text": "a", "expect": {"signals": ["d:m"], "not_signals": ["d:m"]}}', "in signals and in"),
        ('{"text": "\\ud800", "expect": {"decision": "x"}}', "no JSON"),
    ],
)
def test_a_bad_line_is_named_with_its_fault(line: str, said: str) -> None:
    """The message has file, line and what is wrong, with a remedy where one is known."""
    message = refused(f"{GOOD}\n{line}\n{GOOD}")
    assert message.startswith("f.jsonl:2: ")
    assert said in message


def test_every_bad_line_is_told_at_once() -> None:
    """All faults are listed, twenty at most, and the rest counted."""
    message = refused("\n".join(["{"] * 23))
    assert message.count("f.jsonl:") == 20
    assert message.endswith("3 more")


def test_no_case_at_all_is_a_fault() -> None:
    """An empty file would otherwise pass every threshold."""
    assert "no cases" in refused("// nothing here\n")


def test_a_file_has_a_bound() -> None:
    """One case more than allowed is refused."""
    assert len(read_cases(f"{GOOD}\n{GOOD}", most=2)) == 2
    with pytest.raises(BadCases, match="more than 2 cases"):
        read_cases("\n".join([GOOD] * 3), most=2)


def test_a_text_becomes_a_chat_request() -> None:
    """The virtual model is asked for unless the case names one; header names are lower case."""
    (each,) = read_cases('{"text": "hi", "headers": {"X-User": "u"}, "expect": {"reply": false}}')
    head, body = each.case.request("MoM")
    assert head == Head("POST", "/v1/chat/completions", {"x-user": "u"})
    assert json.loads(body) == {"model": "MoM", "messages": [{"role": "user", "content": "hi"}]}


def test_a_body_is_sent_as_it_is() -> None:
    """Only a missing model is put in, and one beside the body takes its place."""
    whole = '"body": {"messages": [], "stream": true}, "path": "/v1/messages", "expect": {"reply": true}'
    (plain, named) = read_cases(f'{{{whole}}}\n{{"model": "m", {whole}}}')
    head, body = plain.case.request("MoM")
    assert head.path == "/v1/messages"
    assert json.loads(body) == {"model": "MoM", "messages": [], "stream": True}
    assert json.loads(named.case.request("MoM")[1])["model"] == "m"


def test_unknown_names_are_faults_not_misses() -> None:
    """What can never come true is refused, with the nearest name that can."""
    known = Known(frozenset({"maths"}), frozenset({"small"}), frozenset({"domain:math"}))
    fine = '{"text": "a", "expect": {"decision": null, "model": "small", "signals": ["domain:math"]}}'
    wrong = (
        '{"text": "a", "expect": {"decision": "math"}}\n'
        '{"text": "a", "expect": {"model": "smal", "not_signals": ["domain:maths"]}}'
    )
    require_known(read_cases(fine), known, "f.jsonl")
    with pytest.raises(BadCases) as caught:
        require_known(read_cases(wrong), known, "f.jsonl")
    first, second, third = str(caught.value).splitlines()
    assert first.startswith("f.jsonl:1: decision 'math'")
    assert first.endswith("did you mean maths?")
    assert second.endswith("did you mean small?")
    assert third.startswith("f.jsonl:2: signal 'domain:maths'")
    require_known(
        read_cases(wrong),
        known | Known(frozenset({"math"}), frozenset({"smal"}), frozenset({"domain:maths"})),
        "f",
    )
