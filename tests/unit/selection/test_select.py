import asyncio
from collections.abc import Sequence

from pointsman.core.model import Candidate, Selection, Target
from pointsman.core.request import ChatRequest, Dialect
from pointsman.core.signal import SignalSet
from pointsman.selection.base import Asked, Choice
from pointsman.selection.select import select

ONE, TWO, THREE = (Candidate(Target(name, name, name)) for name in ("one", "two", "three"))
ASKED = Asked(ChatRequest(Dialect.OPENAI_CHAT, "MoM", (), b""), SignalSet(), "d")


class Last:
    """Takes the last candidate, after a while."""

    algorithm = "last"

    def __init__(self, delay_s: float = 0.0, error: Exception | None = None) -> None:
        self.delay_s, self.error = delay_s, error

    async def choose(self, candidates: Sequence[Candidate], asked: Asked) -> Choice:
        await asyncio.sleep(self.delay_s)
        if self.error:
            raise self.error
        return Choice(candidates[-1], f"of {len(candidates)} for {asked.decision}")


def chosen(selector: Last | None, able: tuple[Candidate, ...] = (ONE, TWO, THREE)) -> Selection:
    return asyncio.run(select(selector, (ONE, TWO, THREE), able, ASKED, timeout_s=0.05))


def test_an_algorithm_chooses_among_those_that_can_serve() -> None:
    """It never sees a candidate that cannot, and its reason is kept."""
    assert chosen(Last(), (ONE, TWO)) == Selection(TWO, "last", "of 2 for d")


def test_without_an_algorithm_the_first_that_can_serve_is_taken() -> None:
    """The reason says when others were passed over."""
    assert chosen(None) == Selection(ONE, "static")
    assert chosen(None, (TWO, THREE)) == Selection(TWO, "static", "others cannot serve now")


def test_a_failing_algorithm_costs_its_choice_only() -> None:
    """It raises, or is late: the first candidate is taken and the fallback is on record."""
    failed = chosen(Last(error=ValueError("secret prompt")))
    assert failed == Selection(ONE, "last", "failed: ValueError", fallback=True)
    assert chosen(Last(delay_s=5.0)) == Selection(ONE, "last", "failed: TimeoutError", fallback=True)


def test_one_candidate_needs_no_choice() -> None:
    """A decision with a single candidate says so, whatever its algorithm."""
    assert asyncio.run(select(Last(), (ONE,), (ONE,), ASKED)) == Selection(ONE, "single")
