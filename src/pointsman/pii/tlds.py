"""Top-level domains, the part of IANA's root zone that is seen in practice."""


def _names(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


CERTAIN = _names(
    """
    com org net edu gov mil int info biz museum aero jobs mobi travel xyz online site store shop
    blog cloud tech example agency company email academy bank photos live studio digital ac ae af al am ar
    at au az ba bd be bg bh bo br bw by ca ch ci cl cm cn cr cu cy cz de dk dz ec ee eg es et eu fi
    fr ge gh gl gr gt hk hn hr hu ie il ir it jo jp ke kg kh kr kw kz la lb li lk lt lu lv ly ma mc
    mg mk mm mn mo mt mu mx mz ng nl np nz om pa pe ph pk pt qa ro ru rw sa se sg si sk sn su sv sy
    th tj tm tn tr tw tz ua ug uk us uy uz ve vn ye za zm zw
    """
)
"""Whatever ends in one of these is a domain."""

DOUBTFUL = _names(
    """
    ai app cc co dev do id in io is me md name no page pl pm ps py rs sh so st to top tv ws zip mov
    asia club link news pro space team win work world zone
    """
)
"""Also endings of files, attributes and sentences: `main.rs`, `self.id`, `end.It`. Without a scheme, `www.`
or a word that says so, they make no domain."""
