"""Questions that look alike: which have one answer, and which have two."""

import pytest

from pointsman.cache.veto import Check, Veto, differ, marks_of

DIFFERENT = [
    ("What is the square of 12?", "What is the square of 13?", Veto.NUMBER),
    ("Name three rivers", "Name four rivers", Veto.NUMBER),
    ("What is 5 - 3?", "What is 5 + 3?", Veto.NUMBER),
    ("Convert 3 miles to 5", "Convert 5 miles to 3", Veto.NUMBER),
    ("水的沸点是三度吗", "水的沸点是五度吗", Veto.NUMBER),
    ("Should I take aspirin?", "Should I not take aspirin?", Veto.NEGATION),
    ("Can dogs eat grapes?", "Can't dogs eat grapes?", Veto.NEGATION),
    ("我可以吃葡萄吗", "我不可以吃葡萄吗", Veto.NEGATION),
    ("How do I increase my weight?", "How do I decrease my weight?", Veto.OPPOSITE),
    ("Is it before lunch?", "Is it after lunch?", Veto.OPPOSITE),
    ("flights to Paris", "flights from Paris", Veto.OPPOSITE),
    ("When did the war start?", "Where did the war start?", Veto.FRAME),
    ("Who is the president?", "Who was the president?", Veto.FRAME),
    ("Can I drink this?", "Should I drink this?", Veto.FRAME),
    ("What is my name?", "What is your name?", Veto.FRAME),
    ("How many cats are there?", "How are cats there?", Veto.FRAME),
    ("How do I make soap?", "How do I use soap?", Veto.TOPIC),
    ("Explain recursion", "Give an example of recursion", Veto.TOPIC),
    ("He moved from left to right", "He moved from right to left", Veto.OPPOSITE),
    ("What is the capital of France?", "What is the capital of Spain?", Veto.NAME),
    ("Explain the function getUser", "Explain the function getGroup", Veto.NAME),
    ('What does "bonjour" mean?', 'What does "merci" mean?', Veto.NAME),
    ("translate english to french", "translate french to english", Veto.ORDER),
    ("what is the capital of france", "what is the capital of spain", Veto.TOPIC),
    ("symptoms of diabetes", "symptoms of gestational diabetes", Veto.TOPIC),
    ("How is alkane made?", "How is alkene made?", Veto.TOPIC),
    ("What is ethane?", "What is methane?", Veto.TOPIC),
]
SAME = [
    ("What is photosynthesis?", "Please tell me what photosynthesis is"),
    ("What's a black hole?", "what is a black hole"),
    ("How do I bake bread?", "How can I bake bread? Thanks!"),
    ("Explain supply chains", "Can you explain the supply chain to me?"),
    ("Who wrote Hamlet?", "who wrote hamlet"),
    ("Describe the committee", "Describe the comittee"),
    ("Describe the process", "Describe the porcess"),
]


@pytest.mark.parametrize(("one", "other", "veto"), DIFFERENT)
def test_a_word_that_matters_tells_them_apart(one: str, other: str, veto: Veto) -> None:
    """The first difference is named; without the check there is none."""
    assert differ(marks_of(one), marks_of(other)) is veto
    assert differ(marks_of(other), marks_of(one)) is veto
    assert differ(marks_of(one), marks_of(other), Check.OFF) is None


@pytest.mark.parametrize(("one", "other"), SAME)
def test_ways_to_ask_the_same_are_the_same(one: str, other: str) -> None:
    """Politeness, case, contractions, endings and slips of the pen do not matter."""
    assert differ(marks_of(one), marks_of(other)) is None


def test_the_loose_check_lets_topics_differ_and_nothing_else() -> None:
    """Synonyms may hit then, and so may what is narrower."""
    for one, other, veto in DIFFERENT:
        found = differ(marks_of(one), marks_of(other), Check.LOOSE)
        assert found is (None if veto is Veto.TOPIC else veto)
