"""Domain names and the web addresses they stand in."""

from collections.abc import Iterator

import re2

from pointsman.pii.context import Context
from pointsman.pii.finding import Finding, Label
from pointsman.pii.page import Page
from pointsman.pii.tlds import CERTAIN, DOUBTFUL

_HOST = r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
_URL = re2.compile(rf"(?i)\b(?:(?:https?|ftp)://|www\.){_HOST}(?::[0-9]{{1,5}})?(?:[/?#][!-~]*)?")
_BARE = re2.compile(_HOST)
_LONGEST_NAME, _LONGEST_URL = 253, 2048
_TRAILING = ".,;:!?'\"*_`|"
_PAIRS = (("(", ")"), ("[", "]"), ("{", "}"), ("<", ">"))
_ENDS = "\"'<>`|\\{}^"
"""Characters that no web address contains."""
_CONTEXT = Context(
    "website*, site, domain*, web page, webpage, url*, homepage, dns, visit, 网站, 域名, 网址",
    after=12,
)
_JOINS_BEFORE = frozenset("@/\\.-_=&%$")
_JOINS_AFTER = frozenset("@(_=[\\")
_FRAMEWORKS = frozenset({"asp", "vb", "ado", "system", "socket", "paint", "ml"})
"""Before `.net` these are Microsoft's."""


def domains(page: Page) -> Iterator[Finding]:
    """Web addresses with a scheme or `www.`, whole; and bare domain names under a top level that exists."""
    for start, reach in page.hits(_URL):
        end = _end_of_url(page, start, reach)
        if end > start:
            yield Finding(Label.DOMAIN_NAME, start, end, 0.9, ("format", "address"))
    for start, end in page.hits(_BARE):
        stop = start + len(page.plain[start:end].rstrip("-"))
        if end - start <= _LONGEST_NAME and _stands_free(page, start, stop):
            evidence = _evidence(page, start, stop)
            if evidence:
                yield Finding(Label.DOMAIN_NAME, start, stop, 0.75, evidence)


def _end_of_url(page: Page, start: int, reach: int) -> int:
    """Where a web address ends, without the punctuation of the sentence; `start` when it is none."""
    written = page.plain[start : min(reach, start + _LONGEST_URL)]
    cut = min((at for mark in _ENDS if (at := written.find(mark)) >= 0), default=len(written))
    written = written[:cut].rstrip(_TRAILING)
    for opening, closing in _PAIRS:
        if written.endswith(closing) and written.count(closing) > written.count(opening):
            written = written[:-1].rstrip(_TRAILING)
    host = written.split("://")[-1].split("/")[0].split("?")[0].split("#")[0].split(":")[0]
    names = host.lower().split(".")
    # A scheme or `www.` says already that it is a name, so any top level will do.
    if not (names[-1].isalpha() and len(names[-1]) > 1) or len(names) < 2 or not all(names):
        return start
    return start + len(written)


def _stands_free(page: Page, start: int, end: int) -> bool:
    before, after = page.plain[max(0, start - 1) : start], page.plain[end : end + 1]
    return page.alone(start, end) and before not in _JOINS_BEFORE and after not in _JOINS_AFTER


def _evidence(page: Page, start: int, end: int) -> tuple[str, ...]:
    """Why a name with dots is a domain; empty when it is none."""
    names = page.plain[start:end].split(".")
    top = names[-1].lower()
    if not all(names) or any(name.startswith("-") for name in names) or names[-1] not in {top, top.upper()}:
        return ()
    if top == "net" and names[-2].lower() in _FRAMEWORKS:
        return ()
    if top in CERTAIN:
        return ("format", "tld")
    if top in DOUBTFUL and (word := _CONTEXT.clue(page, start, end)):
        return ("format", "tld", f"context:{word}")
    return ()
