import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pointsman.encoder import Encoder, EncoderError, Scan
from pointsman.encoder.encoder import _Asked
from pointsman.encoder.folder import SHIPPED, open_folder
from pointsman.encoder.load import joined
from pointsman.encoder.tokenizer import Reading, WordPieces, cut
from unit.encoder import toy

MAX = 512


@pytest.fixture(scope="module")
def words() -> WordPieces:
    return WordPieces((SHIPPED / "tokenizer.json").read_bytes(), max_tokens=MAX)


@pytest.fixture
def engine() -> toy.TableEngine:
    return toy.TableEngine()


@pytest.fixture
def encoder(tmp_path: Path, engine: toy.TableEngine, words: WordPieces) -> Iterator[Encoder]:
    """An encoder whose network is a table, whose token head knows a name and a mail host."""
    shutil.copy(SHIPPED / "tokenizer.json", tmp_path)
    toy.write_heads(tmp_path)
    known = {"john": "B-PERSON", "smith": "I-PERSON", "@": "I-EMAIL_ADDRESS", "example": "I-EMAIL_ADDRESS"}
    vectors = np.stack([engine.table[words.encoded([word], placed=False)[0].ids[0]] for word in known])
    tags = [toy.LABELS["pii"].index(tag) for tag in known.values()]
    (tmp_path / "pii.npz").write_bytes(toy.npz(toy.fitted_pii(vectors, tags)))
    toy.write_manifest(tmp_path)
    model = joined(open_folder(tmp_path), engine)
    made = Encoder(model=model, threads=2, max_pending=64, cache_entries=64, scan_tokens=1024)
    yield made
    made.close()


def found(scan: Scan, text: str) -> list[tuple[str, str]]:
    return [(entity.label, text[entity.start : entity.end]) for entity in scan.entities]


def test_one_pass_tells_everything_about_a_short_text(encoder: Encoder, engine: toy.TableEngine) -> None:
    """`encode` and `scan` of a text of one window cost one pass between them."""

    async def both() -> None:
        encoding, scan = await asyncio.gather(
            encoder.encode("ask john smith"), encoder.scan("ask john smith")
        )
        assert sum(encoding.domains.values()) == pytest.approx(1)
        assert sum(encoding.complexity.values()) == pytest.approx(1)
        assert tuple(encoding.domains) == encoder.labels == toy.DOMAINS
        assert tuple(encoding.complexity) == ("easy", "medium", "hard")
        assert scan.jailbreak.probability == encoding.jailbreak
        assert (scan.jailbreak.start, scan.jailbreak.end) == (0, 14)
        assert found(scan, "ask john smith") == [("PERSON", "john smith")]
        assert scan.pii == {"PERSON": scan.entities[0].score}
        assert (encoding.tokens, scan.tokens, scan.sampled) == (3, 3, False)

    asyncio.run(both())
    assert engine.shapes == [(1, 5)]


def test_an_embedding_is_the_mean_of_what_was_read(encoder: Encoder, engine: toy.TableEngine) -> None:
    """The sentence embedding is the mean over all tokens, markers included, brought to unit length."""
    embedding = encoder.encode_now("hello world").embedding
    mean = engine.table[[101, 7592, 2088, 102]].mean(axis=0)
    assert embedding.tolist() == pytest.approx((mean / np.linalg.norm(mean)).tolist(), abs=1e-6)


def test_a_batch_gives_what_each_text_gives_alone(encoder: Encoder, engine: toy.TableEngine) -> None:
    """Padding reaches neither the vectors nor any head."""
    texts = ["hi", "john went home", "a somewhat longer text than the others are", ""]
    alone = [encoder.encode_now(text) for text in texts]
    encoder._cache.clear()
    engine.shapes.clear()
    readings = [encoder._model.read([reading])[0].scan for reading in _readings(texts)]
    together = encoder._model.read(_readings(texts))
    assert engine.shapes[-1] == (4, 10)
    for one, mine, its in zip(alone, readings, together, strict=True):
        assert np.allclose(one.embedding, its.encoding.embedding, atol=1e-6)
        assert dict(its.encoding.domains) == pytest.approx(dict(one.domains), abs=1e-5)
        assert its.encoding.jailbreak == pytest.approx(one.jailbreak, abs=1e-5)
        assert mine is not None
        assert its.scan is not None
        assert mine.entities == its.scan.entities
        assert not its.alone


def test_vectors_to_keep_never_come_from_a_shared_pass(encoder: Encoder, engine: toy.TableEngine) -> None:
    """After a batch, `embed` reads the text again by itself, and remembers that."""
    encoder._read([_Asked.of(reading) for reading in _readings(["one text", "another text"])])

    async def ask() -> None:
        vector = await encoder.embed("one text")
        assert engine.shapes == [(2, 4), (1, 4)]
        assert await encoder.embed("one text") is vector
        assert (await encoder.encode("one text")).embedding is vector

    asyncio.run(ask())
    assert len(engine.shapes) == 2


def test_a_needle_in_a_long_text_is_found_where_it_is(encoder: Encoder) -> None:
    """A name deep inside a text is found at its characters, though hidden characters come before it."""
    text = "so\u200bme plain words " * 120 + "write to john\u200b smith today " + "and more of it " * 100
    scan = asyncio.run(encoder.scan(text))
    assert found(scan, text) == [("PERSON", "john\u200b smith")]
    assert not scan.sampled
    assert scan.disguised
    assert scan.tokens > 700
    assert 0 <= scan.jailbreak.start < scan.jailbreak.end <= len(text)


def test_windows_that_share_an_entity_report_it_once(encoder: Encoder) -> None:
    """Wherever a name falls on the grid of windows, it is one entity."""
    for before in range(40, 70):
        text = "word " * before + "john smith" + " word" * 60
        assert found(asyncio.run(encoder.scan(text)), text) == [("PERSON", "john smith")]


def test_a_text_over_the_budget_is_sampled(encoder: Encoder, engine: toy.TableEngine) -> None:
    """Both ends of a very long text are read, the result says that not all was, and the cost is bounded."""
    text = "john " + "filler " * 40_000 + "smith"
    scan = asyncio.run(encoder.scan(text))
    assert scan.sampled
    assert scan.tokens <= 1024
    assert found(scan, text) == [("PERSON", "john"), ("PERSON", "smith")]
    assert sum(rows * length for rows, length in engine.shapes) <= 1100


def test_scans_in_flight_and_done_are_shared(encoder: Encoder, engine: toy.TableEngine) -> None:
    """Ten callers with one long text cost its windows once, and the next caller nothing."""
    text = "some plain words " * 100

    async def crowd() -> None:
        scans = await asyncio.gather(*(encoder.scan(text) for _ in range(10)))
        windows = sum(rows for rows, _ in engine.shapes)
        assert windows == -(-(300 - 62) // 54) + 1
        assert all(scan == scans[0] for scan in scans)
        assert await encoder.scan(text) == scans[0]
        assert sum(rows for rows, _ in engine.shapes) == windows

    asyncio.run(crowd())


@pytest.mark.parametrize(
    "text", ["", " ", "\u200b", "\ud800", "john \ud83d\ude00 smith", "\x00" * 3000, "\u0301" * 3000]
)
def test_strange_texts_are_scanned(encoder: Encoder, text: str) -> None:
    """Nothing to read, lone surrogates and floods give a scan whose places lie in the text."""
    scan = asyncio.run(encoder.scan(text))
    for place in (scan.jailbreak, *scan.entities):
        assert 0 <= place.start <= place.end <= len(text)


def test_both_halves_of_a_long_text_are_normalised(encoder: Encoder) -> None:
    """Head and tail of a text that is cut are read as people see them."""
    plain = "start " * 400 + "middle " * 2000 + "finish " * 400
    dressed = plain.replace("start", "ｓｔａｒｔ").replace("finish", "fin\u00adish")
    one, two = encoder.encode_now(plain), encoder.encode_now(dressed)
    assert one.truncated
    assert two.truncated
    assert one.domains == pytest.approx(two.domains, abs=1e-6)


def test_closing_in_the_middle_of_a_scan_is_an_error(encoder: Encoder) -> None:
    """A scan that is under way when the encoder closes ends with an error, not never."""

    async def scenario() -> None:
        scan = asyncio.create_task(encoder.scan("some filler words " * 300))
        await asyncio.sleep(0)
        await asyncio.to_thread(encoder.close)
        with pytest.raises(EncoderError, match="closed"):
            await scan

    asyncio.run(scenario())


def _readings(texts: list[str]) -> list[Reading]:
    return [cut(text) for text in texts]
