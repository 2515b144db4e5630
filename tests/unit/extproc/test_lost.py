from typing import Any

from pointsman.transports.extproc.admission import Admission
from pointsman.transports.extproc.events import Events
from pointsman.transports.extproc.exchange import Exchange
from pointsman.transports.extproc.handover import Handover
from pointsman.transports.extproc.ruling import Limits


def ended(kit: Any, *, managed: bool, answered: bool) -> list[str]:
    lost: list[str] = []
    exchange = Exchange(
        kit.router(),
        managed=managed,
        limits=Limits(1000, 30),
        admission=Admission(8),
        handover=Handover(8),
        events=Events(on_lost=lost.append),
    )
    kit.converse(exchange, kit.say.headers(), kit.say.body())
    if answered:
        kit.converse(exchange, kit.say.response_headers())
    exchange.leave()
    exchange.leave()
    return lost


def test_a_foreign_stream_that_ends_without_response_headers_is_told_once(kit: Any) -> None:
    """The client left or the data plane died: nobody will tell how the request ended."""
    assert ended(kit, managed=False, answered=False) == ["r-1"]
    assert ended(kit, managed=False, answered=True) == []


def test_our_own_data_plane_tells_ends_in_its_access_log(kit: Any) -> None:
    """There the stream ends with the verdict, and the request goes on."""
    assert ended(kit, managed=True, answered=False) == []
