"""Letters of other alphabets that look like Latin ones (after Unicode's confusables, UTS 39)."""

import re

_CYRILLIC = ("АВЕЅІЈКМНОРСТУХԚԜҮаеѕіјорсухԛԝһӏвкмнтгԁ", "ABESIJKMHOPCTYXQWYaesijopcyxqwhlbkmhtrd")
_GREEK = ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαβγεικνορτυωχϲϳ", "ABEZHIKMNOPTYXaByeikvoptuwxcj")

_LATIN_OF_CYRILLIC = str.maketrans(*_CYRILLIC)
_LATIN_OF_ALL = str.maketrans(_CYRILLIC[0] + _GREEK[0], _CYRILLIC[1] + _GREEK[1])

_FEW = 3
"""Fewer Latin letters than this beside Greek ones are a formula, such as \u03b1x + \u03b2y."""

_LETTER = r"[\w\u0300-\u036f]"
_FOREIGN = "\u0370-\u03ff\u0400-\u052f"
_LATIN = "A-Za-z\u00c0-\u024f\u1e00-\u1eff"
_MIXED = re.compile(
    # A word begins where no letter stands before it, so each word is looked at from one place only.
    rf"(?<!{_LETTER})(?=[^\W{_LATIN}{_FOREIGN}\u0300-\u036f]*(?:[{_LATIN}]{_LETTER}*?[{_FOREIGN}]"
    rf"|[{_FOREIGN}]{_LETTER}*?[{_LATIN}])){_LETTER}+"
)
"""A word that holds letters of both kinds."""


def fold(text: str) -> str:
    """Replace Cyrillic and Greek look-alikes by Latin letters, in words that also hold Latin ones.

    The result has the length of the text: one letter stands for one.
    """
    return text if text.isascii() else _MIXED.sub(_folded, text)


def _folded(word: re.Match[str]) -> str:
    latin = sum(letter.isascii() and letter.isalpha() for letter in word[0])
    return word[0].translate(_LATIN_OF_CYRILLIC if latin < _FEW else _LATIN_OF_ALL)
