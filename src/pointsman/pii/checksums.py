"""Check digits."""

_LUHN_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"


def luhn(digits: str) -> bool:
    """Whether the last digit is right (ISO/IEC 7812-1, annex B). `digits` are ASCII digits, at least one."""
    backwards = [ord(digit) - 48 for digit in reversed(digits)]
    return (sum(backwards[::2]) + sum(_LUHN_DOUBLED[digit] for digit in backwards[1::2])) % 10 == 0


def mod_97(iban: str) -> bool:
    """Whether an IBAN in upper case without spaces has the right check digits (ISO 13616-1, ISO 7064)."""
    return int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97 == 1


def mod_11_2(number: str) -> bool:
    """Whether an 18-character Chinese identity number ends rightly (GB 11643-1999, ISO 7064 MOD 11-2)."""
    total = sum(weight * (ord(digit) - 48) for weight, digit in zip(_ID_WEIGHTS, number[:17], strict=True))
    return number[17] == _ID_CHECKS[total % 11]
