import msgspec
import pytest

from pointsman.pii import MODEL, Finding, confident, masked, merge, recognise


class Piece(msgspec.Struct, frozen=True):
    """What the token classifier reports."""

    label: str
    start: int
    end: int
    score: float


def at(text: str, part: str, label: str, score: float = 0.9) -> Piece:
    """A piece of the text."""
    start = text.index(part)
    return Piece(label, start, start + len(part), score)


def rule(text: str, part: str, label: str, score: float, *evidence: str) -> Finding:
    """A recogniser's finding."""
    place = at(text, part, label)
    return Finding(label, place.start, place.end, score, evidence)


def shown(text: str, findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    """Label and text of each."""
    return [(finding.label, text[finding.start : finding.end]) for finding in findings]


def test_a_check_digit_beats_the_model() -> None:
    """A sure model that calls a card a phone number loses, however long its span, and keeps what sticks out."""
    text = "call Ann 4111111111111111"
    findings = merge(text, recognise(text), [at(text, "Ann 4111111111111111", "PHONE_NUMBER", 1.0)])
    assert shown(text, findings) == [("PHONE_NUMBER", "Ann"), ("CREDIT_CARD", "4111111111111111")]


def test_a_check_digit_fixes_the_span() -> None:
    """The model's longer card shrinks to the digits that check, and both are evidence."""
    text = "card 4111111111111111 exp 09/27"
    (first, *_) = merge(text, recognise(text), [at(text, "4111111111111111 exp 09/27", "CREDIT_CARD", 0.6)])
    assert text[first.start : first.end] == "4111111111111111"
    assert {"luhn", MODEL} <= set(first.evidence)


def test_the_model_alone_makes_no_card() -> None:
    """Digits without a card's form are no card whatever the model says; a name needs no form."""
    text = "the series 1234567890123456 by Nora"
    entities = [at(text, "1234567890123456", "CREDIT_CARD", 0.99), at(text, "Nora", "PERSON", 0.9)]
    assert shown(text, merge(text, recognise(text), entities)) == [("PERSON", "Nora")]


def test_a_form_fixes_the_span() -> None:
    """What the model adds around an address of a network is not part of it."""
    text = "from (172.16.254.3 port 22: refused)"
    found = merge(text, recognise(text), [at(text, "(172.16.254.3 port 22", "IP_ADDRESS", 0.9)])
    assert shown(text, found) == [("IP_ADDRESS", "172.16.254.3")]


def test_the_longer_span_of_one_label_wins() -> None:
    """What overlaps under one label is one finding with the evidence of both."""
    text = "I live at 221 Baker Street, London"
    entity = at(text, "221 Baker Street, London", "STREET_ADDRESS")
    (finding,) = merge(text, recognise(text), [entity])
    assert shown(text, (finding,)) == [("STREET_ADDRESS", "221 Baker Street, London")]
    assert finding.evidence == ("street", MODEL)


def test_agreement_is_surer_than_either() -> None:
    """Two witnesses of 0.6 are right together with 0.84."""
    text = "on 1 May"
    found = rule(text, "1 May", "DATE_TIME", 0.6, "written")
    (finding,) = merge(text, [found], [at(text, "1 May", "DATE_TIME", 0.6)])
    assert finding.score == pytest.approx(0.84)


def test_between_labels_the_surer_wins() -> None:
    """Without check digits the higher score decides, and a loser inside the winner is gone."""
    text = "write to john.smith@example.org"
    findings = merge(text, recognise(text), [at(text, "john.smith", "PERSON", 0.8)])
    assert shown(text, findings) == [("EMAIL_ADDRESS", "john.smith@example.org")]


def test_the_models_borders_between_words_stand() -> None:
    """What the model tells apart stays apart: two places in a row, a date and a time."""
    text = "Rome Paris, 3 May 9:00"
    entities = [at(text, part, "GPE") for part in ("Rome", "Paris")]
    entities += [at(text, part, "DATE_TIME") for part in ("3 May", "9:00")]
    findings = merge(text, (), entities)
    assert [found for _, found in shown(text, findings)] == ["Rome", "Paris", "3 May", "9:00"]


@pytest.mark.parametrize(
    ("label", "entity", "found"),
    [
        ("PERSON", "Ann Lee\nRome", ["Ann Lee", "Rome"]),
        ("STREET_ADDRESS", "(1 High St,\nLeeds),", ["1 High St,\nLeeds"]),
        ("ORGANIZATION", "Acme (Holding)", ["Acme (Holding)"]),
        ("STREET_ADDRESS", "42.50", []),
        ("PHONE_NUMBER", "（010-83944871", ["010-83944871"]),
        ("PHONE_NUMBER", "12-34", []),
        ("US_SSN", "R-157-385-782", []),
        ("ZIP_CODE", "258", []),
        ("DOMAIN_NAME", "app", []),
    ],
)
def test_what_the_model_says_is_tidied(label: str, entity: str, found: list[str]) -> None:
    """A line ends a name; marks around a span fall away; what cannot be of its kind is none."""
    text = f"x {entity} y"
    assert [span for _, span in shown(text, merge(text, (), [at(text, entity, label)]))] == found


def test_a_recogniser_knows_where_a_number_ends() -> None:
    """Of a phone number both saw, the recogniser's borders stand and both are evidence."""
    text = "call (+44 7700 900318 now"
    entities = [at(text, "(+44 7700 900318 now", "PHONE_NUMBER")]
    (finding,) = merge(text, recognise(text), entities)
    assert text[finding.start : finding.end] == "+44 7700 900318"
    assert "model" in finding.evidence


def test_pieces_of_a_word_are_joined() -> None:
    """Pieces without anything between them are one, whatever the label."""
    text = "in Mannheim"
    findings = merge(text, (), [at(text, "Mann", "GPE"), at(text, "heim", "GPE")])
    assert shown(text, findings) == [("GPE", "Mannheim")]


def test_a_models_faint_doubt_changes_nothing() -> None:
    """An entity below the floor neither appears nor lengthens what a recogniser found."""
    text = "aged 30, of Rome"
    findings = merge(text, recognise(text), [at(text, "30, of Rome", "AGE", 0.1)])
    assert shown(text, findings) == [("AGE", "30")]


def test_labels_have_thresholds_of_their_own() -> None:
    """A weekday alone is no personal date, unless a lower threshold is asked for; labels can be chosen."""
    text = "on Friday at 10.0.0.1"
    findings = merge(text, recognise(text))
    assert [each.label for each in confident(findings)] == ["IP_ADDRESS"]
    assert [each.label for each in confident(findings, threshold=0.5)] == ["DATE_TIME", "IP_ADDRESS"]
    assert [each.label for each in confident(findings, threshold=0.5, labels={"DATE_TIME"})] == ["DATE_TIME"]


def test_masks_say_who_is_who() -> None:
    """Equal values share a placeholder; numbers count for each label."""
    text = "a@x.org wrote to b@x.org, b@x.org from 10.0.0.1"
    covered, placeholders = masked(text, merge(text, recognise(text)))
    assert covered == "[EMAIL_ADDRESS_0] wrote to [EMAIL_ADDRESS_1], [EMAIL_ADDRESS_1] from [IP_ADDRESS_0]"
    assert placeholders[1] == placeholders[2]


def test_one_entity_over_a_page_of_cards_is_many_cards() -> None:
    """Each check digit stands for itself, and tens of thousands of them are no matter."""
    text = "4111111111111111 " * 30_000
    findings = merge(text, recognise(text), [Piece("CREDIT_CARD", 0, len(text), 0.9)])
    assert len(findings) == 30_000
    assert all(MODEL in finding.evidence for finding in findings)
