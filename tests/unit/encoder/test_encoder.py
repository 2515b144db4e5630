import asyncio
import threading
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.encoder import Encoder, EncoderBusy, EncoderError, Encoding
from pointsman.encoder.encoder import _Asked
from pointsman.encoder.findings import Findings
from pointsman.encoder.tokenizer import Reading, cut

LABELS = {
    "biology",
    "business",
    "chemistry",
    "computer science",
    "economics",
    "engineering",
    "health",
    "history",
    "law",
    "math",
    "other",
    "philosophy",
    "physics",
    "psychology",
}


@pytest.fixture(scope="module")
def encoder() -> Iterator[Encoder]:
    loaded = Encoder.load()
    yield loaded
    loaded.close()


def test_an_encoding_has_a_unit_vector_and_probabilities_that_sum_to_one(encoder: Encoder) -> None:
    """The embedding has 384 dimensions and length one; the fourteen domains sum to one."""
    encoding = encoder.encode_now("How do vaccines work?")
    assert encoding.embedding.shape == (384,)
    assert encoding.embedding.dtype == np.float32
    assert np.linalg.norm(encoding.embedding) == pytest.approx(1, abs=1e-5)
    assert set(encoding.domains) == LABELS
    assert tuple(encoding.domains) == encoder.labels
    assert sum(encoding.domains.values()) == pytest.approx(1)
    assert not encoding.truncated


def test_two_encoders_agree_to_the_last_bit(encoder: Encoder) -> None:
    """The same text gives bit-equal results in another encoder, whatever that one read before."""
    other = Encoder.load()
    other.encode_now("Something else entirely, read first.")
    texts = ["x", "What is entropy?", "long " * 700]
    for text in texts:
        mine, its = encoder.encode_now(text), other.encode_now(text)
        assert mine.embedding.tobytes() == its.embedding.tobytes()
        assert (mine.domains, mine.tokens, mine.truncated) == (its.domains, its.tokens, its.truncated)
    other.close()


def test_a_vector_is_not_changed_by_its_neighbours(encoder: Encoder) -> None:
    """Texts embedded at the same time give the same bits as each one alone."""
    texts = [f"Question number {number} about chemistry" for number in range(12)]
    alone = Encoder.load(cache_entries=0)

    async def together() -> list[bytes]:
        vectors = await asyncio.gather(*(encoder.embed(text) for text in texts))
        return [vector.tobytes() for vector in vectors]

    assert asyncio.run(together()) == [alone.encode_now(text).embedding.tobytes() for text in texts]
    alone.close()


def test_similar_questions_are_closer_than_different_ones(encoder: Encoder) -> None:
    """A paraphrase has a higher cosine similarity than another topic."""
    question, paraphrase, stranger = (
        encoder.encode_now(text).embedding
        for text in ("How do I reset my password?", "I forgot my password, what now?", "Boil pasta in water.")
    )
    assert question @ paraphrase > 0.6
    assert question @ stranger < 0.3


@pytest.mark.parametrize(
    ("question", "domain"),
    [
        ("What is the derivative of f(x) = x^3?", "math"),
        ("Solve the quadratic equation x^2 - 5x + 6 = 0", "math"),
        ("求函数 f(x) = x^3 的导数", "math"),
        ("光合作用是怎么进行的？", "biology"),
        ("牛顿第二定律是什么？", "physics"),
        ("Write a Python function that reverses a linked list", "computer science"),
        ("How does photosynthesis work?", "biology"),
        ("Balance the equation H2 + O2 -> H2O", "chemistry"),
        ("What is Newton's second law of motion?", "physics"),
        ("What are the symptoms of type 2 diabetes?", "health"),
        ("How do supply and demand determine prices?", "economics"),
        ("What is a good marketing strategy for a startup?", "business"),
        ("What did Kant mean by the categorical imperative?", "philosophy"),
        ("Explain classical conditioning in psychology", "psychology"),
        ("Who was the first emperor of Rome?", "history"),
        ("What is the difference between civil law and criminal law?", "law"),
        ("How do I design a reinforced concrete beam?", "engineering"),
        ("Tell me a joke", "other"),
    ],
)
def test_obvious_questions_find_their_domain(encoder: Encoder, question: str, domain: str) -> None:
    """A question nobody would argue about gets its domain with a clear majority."""
    domains = encoder.encode_now(question).domains
    assert max(domains, key=lambda label: domains[label]) == domain
    assert domains[domain] > 0.6


def test_the_empty_text_is_answered(encoder: Encoder) -> None:
    """Nothing to read still gives a whole encoding, of no tokens."""
    encoding = encoder.encode_now("")
    assert encoding.tokens == 0
    assert np.isfinite(encoding.embedding).all()
    assert sum(encoding.domains.values()) == pytest.approx(1)


@settings(max_examples=150, deadline=None)
@given(text=st.text(st.characters(codec=None), max_size=400))
def test_no_string_crashes_the_encoder(encoder: Encoder, text: str) -> None:
    """Any Python string, with NUL bytes and lone surrogates, gives a finite encoding."""
    encoding = encoder.encode_now(text)
    assert np.isfinite(encoding.embedding).all()
    assert sum(encoding.domains.values()) == pytest.approx(1)


@pytest.mark.parametrize("text", ["\x00", "\ud800", "a\udfffb", "\ud83d\ude00", "\u200b" * 50, "\U0010ffff"])
def test_hostile_characters_are_read(encoder: Encoder, text: str) -> None:
    """The characters most likely to break a tokenizer each give a whole encoding, also by `encode`."""
    assert asyncio.run(encoder.encode(text)).domains == encoder.encode_now(text).domains


def test_only_the_ends_of_a_long_text_are_read(encoder: Encoder) -> None:
    """What lies between head and tail changes nothing, and the encoding says that it was not read."""
    head, tail = "start of it " * 200, " the very end" * 200
    one = encoder.encode_now(head + "integrals " * 2000 + tail)
    two = encoder.encode_now(head + "poems " * 3000 + tail)
    assert one.truncated
    assert one.tokens == 510
    assert one.embedding.tobytes() == two.embedding.tobytes()
    assert one.embedding.tobytes() != encoder.encode_now(head + tail + head).embedding.tobytes()


def test_both_ends_of_a_text_just_over_one_pass_are_read(encoder: Encoder) -> None:
    """Of 600 short words, few enough characters to tokenise whole, 256 and 254 pieces are read."""
    one = encoder.encode_now("a " * 300 + "b " * 300)
    assert (one.tokens, one.truncated) == (510, True)
    assert one.embedding.tobytes() != encoder.encode_now("a " * 600).embedding.tobytes()


def test_a_text_of_a_million_characters_is_cut_before_it_is_read(encoder: Encoder) -> None:
    """The tail is found from the end, so a very long text still yields a full pass and no more."""
    encoding = encoder.encode_now("word " * 200_000)
    assert (encoding.tokens, encoding.truncated) == (510, True)


def test_a_result_cannot_be_changed_by_who_shares_it(encoder: Encoder) -> None:
    """Neither the vector nor the probabilities accept a write."""
    encoding = encoder.encode_now("shared")
    with pytest.raises(ValueError, match="read-only"):
        encoding.embedding[0] = 1
    with pytest.raises(TypeError):
        encoding.domains["math"] = 1.0  # type: ignore[index]


def test_the_second_reading_comes_from_memory() -> None:
    """An equal text gives the very same object, by either way of asking."""
    encoder = Encoder.load()
    first = encoder.encode_now("remember me")
    assert encoder.encode_now("remember me") is first
    assert asyncio.run(encoder.encode("remember me")) is first
    encoder.close()


def test_memory_is_bounded_and_forgets_the_oldest() -> None:
    """With room for two results, the third drops the one used longest ago."""
    encoder = Encoder.load(cache_entries=2)
    first, second = encoder.encode_now("one"), encoder.encode_now("two")
    assert encoder.encode_now("one") is first
    encoder.encode_now("three")
    assert len(encoder._cache) == 2
    assert encoder.encode_now("one") is first
    assert encoder.encode_now("two") is not second
    encoder.close()


def test_embedding_now_reads_no_text_twice_unless_it_shared_a_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read alone is not read again; what was read beside another text is, and then it is kept."""
    encoder = Encoder.load()
    passes: list[int] = []
    read = encoder._model.read
    monkeypatch.setattr(encoder._model, "read", lambda each: (passes.append(len(each)), read(each))[1])
    alone = encoder.encode_now("read alone")
    assert encoder.embed_now("read alone") is alone.embedding
    assert passes == [1]
    together = [_Asked.of(cut(text)) for text in ("read beside", "another one")]
    beside = encoder._read(together)[0].encoding.embedding
    exact = encoder.embed_now("read beside")
    assert exact is not beside
    assert encoder.embed_now("read beside") is exact
    assert passes == [1, 2, 1]
    encoder.close()


def test_equal_texts_in_flight_share_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty callers with one text cost one pass and get one object."""
    encoder = Encoder.load(cache_entries=0)
    passes: list[int] = []
    everyone_asked = threading.Event()
    read = encoder._model.read

    def counted(readings: Sequence[Reading]) -> list[Findings]:
        # Else a fast pass may end before the last caller has asked, who then rightly gets a pass of its own.
        assert everyone_asked.wait(60)
        passes.append(len(readings))
        return read(readings)

    monkeypatch.setattr(encoder._model, "read", counted)

    async def crowd() -> list[Encoding]:
        callers = [asyncio.create_task(encoder.encode("the same question")) for _ in range(20)]
        # Each task runs to its first wait, which is the one for the pass.
        await asyncio.sleep(0)
        everyone_asked.set()
        return await asyncio.gather(*callers)

    assert len({id(encoding) for encoding in asyncio.run(crowd())}) == 1
    assert passes == [1]
    encoder.close()


def test_too_many_different_texts_are_refused() -> None:
    """With room for three passes, the fourth different text is refused and the three are answered."""
    encoder = Encoder.load(threads=1, max_pending=3)

    async def crowd() -> list[Encoding | BaseException]:
        tasks = [asyncio.create_task(encoder.encode(f"text {number} " + "x " * 400)) for number in range(4)]
        return await asyncio.gather(*tasks, return_exceptions=True)

    outcomes = asyncio.run(crowd())
    assert [isinstance(outcome, EncoderBusy) for outcome in outcomes] == [False, False, False, True]
    encoder.close()


def test_close_ends_the_threads_and_refuses_more() -> None:
    """After `close` no worker thread is left, and a new text is an error that says so."""
    before = set(threading.enumerate())
    encoder = Encoder.load()
    asyncio.run(encoder.encode("start the workers"))
    assert set(threading.enumerate()) - before
    encoder.close()
    encoder.close()
    assert not set(threading.enumerate()) - before
    with pytest.raises(EncoderError, match="closed"):
        asyncio.run(encoder.encode("too late"))


def test_nonsensical_bounds_are_refused() -> None:
    """No threads, no room in the queue, or a negative memory is a ValueError at load."""
    for bounds in ({"threads": 0}, {"max_pending": 0}, {"cache_entries": -1}):
        with pytest.raises(ValueError, match="must"):
            Encoder.load(**bounds)
