"""All recognisers over one text."""

from collections.abc import Callable, Iterator

from pointsman.pii.ages import ages
from pointsman.pii.cards import cards
from pointsman.pii.dates import dates
from pointsman.pii.domains import domains
from pointsman.pii.finding import Finding
from pointsman.pii.iban import ibans
from pointsman.pii.identity import chinese_identity, driver_licences, social_security
from pointsman.pii.network import emails, ip_addresses
from pointsman.pii.page import Page
from pointsman.pii.phones import phones
from pointsman.pii.postcodes import postcodes
from pointsman.pii.streets import streets
from pointsman.pii.titles import titles

Recogniser = Callable[[Page], Iterator[Finding]]

RECOGNISERS: tuple[Recogniser, ...] = (
    cards,
    ibans,
    social_security,
    chinese_identity,
    driver_licences,
    ip_addresses,
    emails,
    phones,
    domains,
    postcodes,
    dates,
    ages,
    titles,
    streets,
)


def recognise(text: str) -> tuple[Finding, ...]:
    """Everything the recognisers find, in time linear in the text. Findings may overlap: see `merge`.

    Names of people, organisations, places and groups have no form of their own: they are the model's.
    """
    page = Page(text)
    return tuple(page.placed(finding) for recogniser in RECOGNISERS for finding in recogniser(page))
