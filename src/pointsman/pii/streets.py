"""Street addresses in their commonest English and Chinese forms."""

from collections.abc import Iterator

import re2

from pointsman.pii.finding import Finding, Label
from pointsman.pii.page import Page

_USUAL = (
    r"(?:Street|Avenue|Road|Lane|Drive|Boulevard|Court|Circle|Place|Square|Terrace|Parkway|Highway|Trail|Crescent"
    r"|Alley|Mews|Turnpike|Expressway|Freeway|Throughway|Stravenue|Skyway|Trafficway"
    r"|(?:St|Ave|Av|Rd|Ln|Dr|Blvd|Ct|Cir|Pl|Sq|Pkwy|Hwy)\b\.?)"
)
"""Words that end the names of streets and little else."""
_RARE = (
    r"(?:Branch|Bridge|Brooks?|Burgs?|Bypass|Camp|Canyon|Cape|Causeway|Centers?|Circles|Cliffs?|Close|Club|Common"
    r"|Corners?|Course|Courts|Coves?|Creek|Crest|Crossing|Crossroad|Curve|Dale|Dam|Divide|Drives|Estates?|Extensions?"
    r"|Falls|Ferry|Fields?|Flats?|Fords?|Forest|Forges?|Forks?|Fort|Gardens?|Gateway|Glens?|Greens?|Groves?|Harbors?"
    r"|Haven|Heights|Highway|Hills?|Hollow|Inlet|Islands?|Isle|Junctions?|Keys?|Knolls?|Lakes?|Land|Landing|Lights?"
    r"|Loaf|Locks?|Lodge|Loop|Mall|Manors?|Meadows?|Mills?|Mission|Motorway|Mount|Mountains?|Neck|Orchard|Oval"
    r"|Overpass|Park|Parks|Parkways|Pass|Passage|Path|Pike|Pines?|Plains?|Plaza|Points?|Ports?|Prairie|Radial|Ramp"
    r"|Ranch|Rapids?|Rest|Ridges?|River|Roads|Route|Row|Run|Rue|Shoals?|Shores?|Springs?|Spurs?|Squares|Station"
    r"|Stream|Streets|Summit|Trace|Track|Tunnel|Underpass|Unions?|Valleys?|Via|Viaduct|Views?|Villages?|Ville|Vista"
    r"|Walks?|Wall|Ways?|Wells?)"
)
"""The others among the US Postal Service's suffixes (Publication 28, appendix C1), all words of their own."""
_NAME = r"(?:\p{Lu}[\pL'-]+ ){1,3}?"
_UNIT_FIRST = r"(?:(?:Apt|Apartment|Suite|Unit|Flat|Level|Studio)\.? [0-9A-Za-z]+,? ?)?"
_UNIT = (
    r"(?:,? (?:Apt|Apartment|Suite|Ste|Unit|Flat|Room|Floor|No)\.? ?#?[0-9A-Za-z-]+\b|,? #[0-9]+[A-Za-z]?\b)?"
)
_POSTCODE = (
    r"(?:[0-9]{4,5}(?:-[0-9]{4})?|[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2}|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9])\b"
)
_TOWN = rf"(?:,?\s{{1,2}}(?:\p{{Lu}}[\pL'-]+,? ){{1,4}}?(?:\p{{Lu}}{{2,3}},? )?{_POSTCODE})"
_PROVINCE = (
    r"(?:(?:河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃|青海"
    r"|台湾)省|(?:北京|上海|天津|重庆)市?|(?:内蒙古|广西壮族|西藏|宁夏回族|新疆维吾尔)自治区)"
)
_NUMBERED = (
    r"[0-9A-Za-z]{1,5}(?:号|號|弄|座)(?:[0-9A-Za-z-]{1,6}(?:号楼|栋|室|单元|层|楼)){0,3}(?: [0-9]{6}\b)?"
)
_OPENING = rf"{_UNIT_FIRST}\b(?:[0-9]{{1,4}}/)?[0-9]{{1,6}}[A-Za-z]? {_NAME}"
_ORDINAL = "[0-9]{1,3}(?:st|nd|rd|th)"
_BASE = r"(?:(?:PSC|Unit|CMR) [0-9]{1,5},? Box [0-9]{1,5}|(?:USS|USNS|USNV|USCGC) \pL+)"
_FORMS = (
    ("street", 0.85, rf"\b({_OPENING}{_USUAL}(?:\b|$){_UNIT}{_TOWN}?)"),
    ("street, town", 0.85, rf"\b({_OPENING}{_RARE}\b{_UNIT}{_TOWN})"),
    ("street", 0.58, rf"\b({_OPENING}{_RARE}\b{_UNIT})"),
    (
        "numbered street",
        0.8,
        rf"(?i)\b([0-9]{{1,6}} (?:[NSEW] )?{_ORDINAL} {_USUAL}(?:\b|$){_UNIT})",
    ),
    ("box", 0.85, r"(?i)\b(P\.? ?O\.? Box [0-9]{1,6})"),
    ("military", 0.9, rf"\b({_BASE},? [AFD]PO,? A[AEP],? [0-9]{{5}})"),
    ("chinese", 0.85, rf"({_PROVINCE}\p{{Han}}{{2,16}}[路街道巷弄]{_NUMBERED})"),
)
_PATTERNS = tuple((form, score, re2.compile(pattern)) for form, score, pattern in _FORMS)


def streets(page: Page) -> Iterator[Finding]:
    """House number, name and kind of street, with unit and town where they follow; boxes; Chinese ones."""
    for form, score, pattern in _PATTERNS:
        for start, end in page.hits(pattern, 1):
            if page.alone(start, end):
                yield Finding(Label.STREET_ADDRESS, start, end, score, (form,))
