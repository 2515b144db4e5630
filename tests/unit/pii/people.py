"""Numbers with valid check digits, made by other means than the code under test."""

from datetime import date

from hypothesis import strategies as st

from pointsman.pii.iban import LENGTHS

ID_WEIGHTS = [2 ** (17 - place) % 11 for place in range(17)]
"""ISO 7064 MOD 11-2 as a power series."""


def naive_luhn(digits: str) -> bool:
    """The check as it is told: from the right, double every second digit, add the digits of the results."""
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return sum(sum(map(int, str(value))) for value in doubled) % 10 == 0


def naive_mod_97(iban: str) -> int:
    """The remainder digit by digit, as one would by hand."""
    remainder = 0
    for char in iban[4:] + iban[:4]:
        for digit in str("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".index(char)):
            remainder = (remainder * 10 + int(digit)) % 97
    return remainder


@st.composite
def card_numbers(draw: st.DrawFn) -> str:
    """A card of a known network, its last digit found by trying."""
    prefix, length = draw(
        st.sampled_from(
            [("4", 16), ("51", 16), ("2300", 16), ("34", 15), ("6011", 16), ("62", 19), ("36", 14)]
        )
    )
    size = length - len(prefix) - 1
    body = prefix + draw(st.text("0123456789", min_size=size, max_size=size))
    return next(body + last for last in "0123456789" if naive_luhn(body + last))


@st.composite
def ibans(draw: st.DrawFn) -> str:
    """An account number of some country, its check digits found by trying."""
    country = draw(st.sampled_from(sorted(LENGTHS)))
    size = LENGTHS[country] - 4
    account = draw(st.text("0123456789", min_size=size, max_size=size))
    found = (f"{country}{check:02}{account}" for check in range(2, 99))
    return next(iban for iban in found if naive_mod_97(iban) == 1)


@st.composite
def identity_numbers(draw: st.DrawFn) -> str:
    """A Chinese identity number of somebody born on a real day."""
    born = draw(st.dates(min_value=date(1900, 1, 1), max_value=date(2020, 12, 31)))
    region = draw(st.sampled_from(["110105", "440305", "650102"]))
    body = f"{region}{born:%Y%m%d}{draw(st.integers(0, 999)):03}"
    total = sum(weight * int(digit) for weight, digit in zip(ID_WEIGHTS, body, strict=True))
    return next(body + last for last in "0123456789X" if (total + "0123456789X".index(last)) % 11 == 1)


def grouped(number: str, separator: str) -> str:
    """In groups of four."""
    return separator.join(number[at : at + 4] for at in range(0, len(number), 4))
