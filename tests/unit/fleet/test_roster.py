from pointsman.core.endpoint import Endpoint, Health
from pointsman.fleet.roster import Roster


def test_readers_see_whole_pools_and_listeners_only_changes() -> None:
    """A pool is replaced at once, sorted by address; the same set again tells nobody."""
    roster, heard = Roster(), list[int]()
    stop = roster.listen(lambda now: heard.append(len(now.of("a"))))
    two = [Endpoint("10.0.0.2:80", "a"), Endpoint("10.0.0.1:80", "a")]
    before = roster.of("a")
    roster.replace(two)
    roster.replace(reversed(two))
    assert (before, [each.address for each in roster.of("a")]) == ((), ["10.0.0.1:80", "10.0.0.2:80"])
    roster.replace([Endpoint("10.0.0.1:80", "a", health=Health.READY)])
    stop()
    roster.replace([])
    assert heard == [2, 1]
    assert roster.of("a") == ()


def test_the_url_of_an_endpoint_is_its_address_unless_written() -> None:
    """Probes go where the operator wrote, else to the address."""
    assert Endpoint("[::1]:8000", "a").base_url == "http://[::1]:8000"
    assert Endpoint("10.0.0.1:80", "a", url="http://vllm:8000/").base_url == "http://vllm:8000"
