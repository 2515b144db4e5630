from hypothesis import given
from hypothesis import strategies as st

from pointsman.pii import Finding, recognise
from pointsman.pii.checksums import luhn, mod_11_2, mod_97
from pointsman.pii.iban import LENGTHS

from .people import card_numbers, grouped, ibans, identity_numbers, naive_luhn, naive_mod_97

DIGITS = "0123456789"
SENTENCES = st.sampled_from(
    ["{}", "Here it is: {}.", "please use {} for it, thanks", "请用{}，谢谢", "({})\n"]
)
SEPARATORS = st.sampled_from(["", " ", "-"])


def proven(text: str, label: str) -> list[tuple[str, Finding]]:
    """What was found with a check digit that holds."""
    return [
        (text[found.start : found.end], found)
        for found in recognise(text)
        if found.label == label and found.checksummed
    ]


def other(digit: str, by: int) -> str:
    """Another digit."""
    return DIGITS[(int(digit) + by) % 10]


@given(st.text(DIGITS, min_size=1, max_size=30))
def test_luhn_is_what_is_told_of_it(digits: str) -> None:
    """The check agrees with the rule as people do it by hand."""
    assert luhn(digits) == naive_luhn(digits)


@given(st.sampled_from(sorted(LENGTHS)), st.text(DIGITS + "ABCXYZ", min_size=10, max_size=30))
def test_mod_97_is_long_division(country: str, rest: str) -> None:
    """The check agrees with a division digit by digit."""
    assert mod_97(f"{country}{rest}") == (naive_mod_97(f"{country}{rest}") == 1)


@given(identity_numbers(), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_never_passes_mod_11_2(number: str, place: int, by: int) -> None:
    """Generated numbers pass, and with any one digit changed none does."""
    assert mod_11_2(number)
    assert not mod_11_2(number[:place] + other(number[place], by) + number[place + 1 :])


@given(card_numbers(), SENTENCES)
def test_every_valid_card_is_found(number: str, sentence: str) -> None:
    """A card of a known network is found whole in any neutral sentence, and its evidence says how."""
    ((written, found),) = proven(sentence.format(number), "CREDIT_CARD")
    assert written == number
    assert found.score >= 0.9


@given(card_numbers().filter(lambda number: len(number) == 16), st.sampled_from(" -"), SENTENCES)
def test_every_printed_card_is_found(number: str, separator: str, sentence: str) -> None:
    """So is one in groups of four."""
    written = grouped(number, separator)
    assert [piece for piece, _ in proven(sentence.format(written), "CREDIT_CARD")] == [written]


@given(card_numbers(), st.integers(0, 18), st.integers(1, 9), SENTENCES)
def test_a_card_with_a_wrong_digit_is_never_proven(number: str, place: int, by: int, sentence: str) -> None:
    """One digit off and nothing claims that the check digit holds."""
    place %= len(number)
    wrong = number[:place] + other(number[place], by) + number[place + 1 :]
    assert proven(sentence.format(wrong), "CREDIT_CARD") == []


@given(ibans(), SEPARATORS, SENTENCES)
def test_every_valid_iban_is_found(number: str, separator: str, sentence: str) -> None:
    """In one piece or in groups, in any neutral sentence, in upper or lower case."""
    written = grouped(number, separator) if separator else number
    for form in (written, written.lower()):
        assert [piece for piece, _ in proven(sentence.format(form), "IBAN_CODE")] == [form]


@given(ibans(), st.integers(2, 33), st.integers(1, 9), SENTENCES)
def test_an_iban_with_a_wrong_digit_is_never_proven(number: str, place: int, by: int, sentence: str) -> None:
    """One digit off and nothing claims that the check digits hold."""
    place = 2 + place % (len(number) - 2)
    wrong = number[:place] + other(number[place], by) + number[place + 1 :]
    assert proven(sentence.format(wrong), "IBAN_CODE") == []


@given(identity_numbers(), SENTENCES)
def test_every_chinese_identity_number_is_found(number: str, sentence: str) -> None:
    """It is labelled US_SSN, the only label for a citizen's number, and the evidence says what it is."""
    ((written, found),) = proven(sentence.format(number), "US_SSN")
    assert written == number
    assert "country:CN" in found.evidence
