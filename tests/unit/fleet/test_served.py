"""Names that engines serve beyond those of the document."""

from pointsman.core.endpoint import Endpoint
from pointsman.core.model import Target
from pointsman.fleet.catalog import Catalog
from pointsman.fleet.roster import Roster
from pointsman.fleet.served import MOST_A_POOL, Served

BASE = Target("base", "vendor/base", "base", headers={"authorization": "k"})
OTHER = Target("other", "other", "other")
KNOWN = Target("known", "known", "base", parent="base")
CATALOG = Catalog({"base": BASE, "known": KNOWN, "other": OTHER}, frozenset({"MoM"}))


def endpoint(pool: str, *models: str, port: int = 1) -> Endpoint:
    return Endpoint(f"10.0.0.1:{port}", pool, models=frozenset(models))


def test_an_adapter_an_engine_has_is_a_model() -> None:
    """It goes to the engine's pool under its own name, with what the pool's requests need."""
    served = Served(CATALOG, Roster([endpoint("base", "vendor/base", "known", "new")]))
    target = served.target("new")
    assert target is not None
    assert (target.provider, target.wire_name, target.parent) == ("base", "new", "base")
    assert target.headers == BASE.headers
    assert [(model.id, model.parent) for model in served.listed()] == [("new", "base")]


def test_names_of_the_document_mean_what_it_says() -> None:
    """Virtual names, models, adapters and the engines' own names for them are never taken over."""
    served = Served(CATALOG, Roster([endpoint("other", "MoM", "base", "known", "vendor/base", "other")]))
    assert served.listed() == ()
    assert served.target("vendor/base") is None


def test_the_document_decides_who_has_a_name_that_two_pools_serve() -> None:
    """The pool that is written first."""
    roster = Roster([endpoint("other", "both", port=2), endpoint("base", "both")])
    target = Served(CATALOG, roster).target("both")
    assert target is not None
    assert target.provider == "base"


def test_a_name_that_is_gone_was_there_once() -> None:
    """Loaded, known; unloaded, gone; never seen, unknown."""
    roster = Roster([endpoint("base", "new")])
    served = Served(CATALOG, roster)
    assert (served.target("new") is None, served.gone("new"), served.gone("never")) == (False, False, False)
    roster.replace([endpoint("base")])
    assert (served.target("new"), served.gone("new"), served.gone("never")) == (None, True, False)
    roster.replace([endpoint("base", "new", port=3)])
    assert (served.target("new") is None, served.gone("new")) == (False, False)


def test_names_are_bounded() -> None:
    """An engine with too many is cut off; of the names that are gone the oldest are forgotten."""
    roster = Roster([endpoint("base", *(f"n{number:05}" for number in range(MOST_A_POOL + 5)))])
    assert len(Served(CATALOG, roster).listed()) == MOST_A_POOL
    roster.replace([endpoint("base", "a")])
    few = Served(CATALOG, roster, most=2)
    for name in "abcd":
        roster.replace([endpoint("base", name)])
        assert few.target(name) is not None
    roster.replace([])
    assert [few.gone(name) for name in "abcd"] == [False, False, True, True]
    roster.replace([endpoint("base", "x", "y", "z")])
    assert len(few.listed()) == 2
