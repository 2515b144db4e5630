import asyncio
import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer

from pointsman.encoder import Encoder, EncoderBusy, EncoderError, Plug, PlugsRefused
from pointsman.encoder.engine import Floats, Numbers
from pointsman.encoder.folder import SHIPPED, open_folder
from pointsman.encoder.load import joined
from pointsman.encoder.perceptron import Perceptron
from pointsman.encoder.plugged import open_plugs
from pointsman.encoder.plugged_graph import PluggedGraph
from pointsman.encoder.tokenizer import cut
from unit.encoder import graphs, toy

WIDTH, WHOLE = toy.DIMENSION, 3 * toy.DIMENSION
MOOD = ("glad", "sad")
Make = Callable[..., Encoder]


def one_layer(inputs: int, **changed: Any) -> dict[str, Any]:
    """Arrays of a linear head over two labels."""
    rng = np.random.default_rng(3)
    weights = rng.standard_normal((2, inputs)).astype(np.float32) / np.float32(np.sqrt(inputs))
    return {"weights": weights, "bias": np.zeros(2, np.float32), "labels": np.array(MOOD), **changed}


def two_layers(inputs: int, **changed: Any) -> dict[str, Any]:
    """Arrays of a head with a hidden layer."""
    return toy.head(np.random.default_rng(4), inputs, MOOD, 20) | changed


def head(path: Path, arrays: Mapping[str, Any]) -> Plug:
    """A plug of a head in a file of its own."""
    path.write_bytes(toy.npz(dict(arrays)))
    return Plug(str(path), MOOD)


class TableEngine(toy.TableEngine):
    """One that computes in 32 bits, as the real ones do."""

    def hidden(self, numbers: Numbers, mask: Numbers) -> Floats:
        return super().hidden(numbers, mask).astype(np.float32)


@pytest.fixture
def engine() -> toy.TableEngine:
    return TableEngine()


@pytest.fixture
def make(tmp_path: Path, engine: toy.TableEngine) -> Iterator[Make]:
    """Makes encoders whose network is a table, with classifiers plugged in."""
    folder = tmp_path / "model"
    folder.mkdir()
    shutil.copy(SHIPPED / "tokenizer.json", folder)
    toy.write_heads(folder)
    toy.write_manifest(folder)
    opened = open_folder(folder)
    made: list[Encoder] = []

    def encoder(plugs: Mapping[str, Plug], *, max_pending: int = 64, cache_entries: int = 64) -> Encoder:
        model = joined(opened, engine)
        made.append(
            Encoder(
                model=model,
                threads=1,
                max_pending=max_pending,
                cache_entries=cache_entries,
                scan_tokens=1024,
                plugged=open_plugs(plugs, dimension=model.dimension),
            )
        )
        return made[-1]

    yield encoder
    for each in made:
        each.close()


def refused(plug: Plug) -> tuple[str, str, str]:
    """Key, message and remedy of the refusal of a plug."""
    with pytest.raises(PlugsRefused) as caught:
        open_plugs({"mine": plug}, dimension=WIDTH)
    fault = caught.value.faults["mine"]
    assert fault.remedy
    return fault.key, fault.message, fault.remedy


def test_heads_of_all_forms_share_the_encoders_pass(
    make: Make, engine: toy.TableEngine, tmp_path: Path
) -> None:
    """One or two layers over 384 or 1152 inputs answer from the one pass that `encode` makes."""
    plugs = {
        f"{layers.__name__}{inputs}": head(tmp_path / f"{layers.__name__}{inputs}.npz", layers(inputs))
        for layers in (one_layer, two_layers)
        for inputs in (WIDTH, WHOLE)
    }
    encoder = make(plugs)

    async def ask() -> list[Mapping[str, float]]:
        await encoder.encode("hello world")
        return [await encoder.classify(name, "hello world") for name in plugs]

    answers = asyncio.run(ask())
    assert engine.shapes == [(1, 4)]
    hidden = engine.table[[101, 7592, 2088, 102]]
    mean = hidden.mean(axis=0)
    vectors = {
        WIDTH: mean / np.linalg.norm(mean),
        WHOLE: np.concatenate([hidden[0], mean, hidden.max(axis=0)]),
    }
    for inputs, answer in zip(vectors, answers[:2], strict=True):
        arrays = one_layer(inputs)
        powers = np.exp(arrays["weights"] @ vectors[inputs])
        assert list(answer.values()) == pytest.approx((powers / powers.sum()).tolist(), abs=1e-5)
    for inputs, answer in zip(vectors, answers[2:], strict=True):
        values = two_layers(inputs)
        inner = values["w1"] @ vectors[inputs]
        inner = inner / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (inner + 0.044715 * inner**3)))
        powers = np.exp(values["w2"] @ inner)
        assert list(answer.values()) == pytest.approx((powers / powers.sum()).tolist(), abs=1e-4)
    assert all(tuple(answer) == MOOD for answer in answers)
    assert encoder.plugged == dict.fromkeys(plugs, MOOD)


def test_what_is_kept_of_a_pass_has_no_features(make: Make, tmp_path: Path) -> None:
    """Features go once the heads have read them, so that plugged heads leave the memory as small as it was."""
    encoder = make({"mine": head(tmp_path / "h.npz", one_layer(WHOLE))})
    encoder.encode_now("hello")
    (kept,) = encoder._cache._values.values()
    assert kept.features is None
    assert kept.plugged["mine"] == asyncio.run(encoder.classify("mine", "hello"))


def test_a_temperature_is_obeyed(make: Make, tmp_path: Path) -> None:
    """A temperature of a million leaves a head of one layer undecided."""
    encoder = make({"mine": head(tmp_path / "h.npz", one_layer(WHOLE, temperature=np.float64(1e6)))})
    found = asyncio.run(encoder.classify("mine", "hello"))
    assert list(found.values()) == pytest.approx([0.5, 0.5], abs=1e-4)


def test_a_head_that_overflows_fails_alone(make: Make, tmp_path: Path) -> None:
    """Numbers too large for a text are that classifier's error and nobody else's."""
    huge = one_layer(WHOLE, weights=np.full((2, WHOLE), 3e38, np.float32))
    encoder = make({"mine": head(tmp_path / "h.npz", huge)})
    assert sum(encoder.encode_now("hello").domains.values()) == pytest.approx(1)
    with pytest.raises(EncoderError, match="mine gives probabilities that are not finite"):
        asyncio.run(encoder.classify("mine", "hello"))


def test_labels_may_be_left_to_the_file(tmp_path: Path) -> None:
    """Without labels in the document those of the file count, and with them their order does not."""
    path = head(tmp_path / "h.npz", one_layer(WIDTH)).path
    for labels in ((), ("sad", "glad")):
        assert open_plugs({"mine": Plug(path, labels)}, dimension=WIDTH).labels == {"mine": MOOD}


def test_a_folder_means_the_head_in_it(tmp_path: Path) -> None:
    """A folder with head.npz is that head."""
    head(tmp_path / "head.npz", one_layer(WIDTH))
    assert "mine" in open_plugs({"mine": Plug(str(tmp_path))}, dimension=WIDTH).heads


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (one_layer(100), r"first layer has the shape \(2, 100\); a head has 384 inputs .* or 1152"),
        (one_layer(WIDTH, bias=np.zeros(3)), r"arrays of shapes \[\(2, 384\), \(3,\)\], wanted"),
        (one_layer(WIDTH, weights=np.zeros((3, WIDTH))), r"head of 2 labels has arrays"),
        (one_layer(WIDTH, weights=np.float32(1)), r"shape \(\)"),
        (one_layer(WIDTH, bias=np.array([0, np.nan])), "not finite"),
        (one_layer(WIDTH, weights=np.full((2, WIDTH), 1e300)), "not finite"),
        (one_layer(WIDTH, temperature=0.0), "temperature"),
        (one_layer(WIDTH, temperature=np.ones(2)), "temperature"),
        (one_layer(WIDTH, bias=np.array(["a", "b"])), "bias holds no real numbers"),
        (two_layers(WHOLE, b1=np.zeros(3, np.float32)), r"arrays of shapes"),
        (two_layers(WHOLE, w2=np.full((2, 20), np.inf)), "not finite"),
        ({"weights": np.zeros((2, WIDTH))}, "has the arrays weights$"),
        ({}, "has the arrays none$"),
        (one_layer(WIDTH, labels=np.array(MOOD, dtype=object)), "no .npz of plain arrays"),
    ],
)
def test_arrays_that_are_no_head_are_refused(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    """Wrong shapes, missing arrays and numbers that are none name the file and what is wrong in it."""
    plug = head(tmp_path / "h.npz", arrays)
    key, found, _ = refused(plug)
    assert key == "model_path"
    assert str(tmp_path / "h.npz") in found
    assert re.search(message, found)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut short", b"\x93NUMPY"])
def test_files_that_are_no_archive_are_refused(tmp_path: Path, content: bytes) -> None:
    """Garbage where a head should be is refused with how to write one."""
    (tmp_path / "h.npz").write_bytes(content)
    _, message, remedy = refused(Plug(str(tmp_path / "h.npz")))
    assert "no .npz of plain arrays" in message
    assert "numpy.savez" in remedy


def test_a_lone_array_is_refused(tmp_path: Path) -> None:
    """An .npy that was renamed is no head."""
    with (tmp_path / "h.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    assert "no .npz of plain arrays" in refused(Plug(str(tmp_path / "h.npz")))[1]


@pytest.mark.parametrize(
    ("named", "written", "message"),
    [
        (MOOD, ("glad", "angry"), "has the labels glad, sad; the document lists glad, angry"),
        (MOOD, ("glad",), "the document lists glad"),
        (("glad", "glad"), (), "'glad' occurs twice"),
        (("glad",), (), "only the label 'glad'"),
        ((), (), "nothing names the outputs"),
        (("O", "B-NAME", "I-NAME"), (), "labels of a head over single tokens"),
    ],
)
def test_labels_that_do_not_fit_are_refused(
    tmp_path: Path, named: tuple[str, ...], written: tuple[str, ...], message: str
) -> None:
    """Labels other than the document's, doubled, alone, missing, or of single tokens are told apart."""
    path = head(tmp_path / "h.npz", one_layer(WIDTH, labels=np.array(named, dtype=str))).path
    key, found, _ = refused(Plug(path, written))
    assert key == "labels"
    assert message in found


def test_paths_that_lead_nowhere_are_refused(tmp_path: Path) -> None:
    """No path, a name to be fetched, an empty folder and an unknown kind of file each have a remedy."""
    (tmp_path / "notes.txt").touch()
    assert "no path" in refused(Plug(" "))[1]
    assert "nothing is downloaded" in refused(Plug("some-org/some-model"))[2]
    assert "neither model.onnx nor head.npz" in refused(Plug(str(tmp_path)))[1]
    assert "neither .npz nor .onnx" in refused(Plug(str(tmp_path / "notes.txt")))[1]


def test_every_refusal_is_told_at_once(tmp_path: Path) -> None:
    """Two classifiers at fault are two faults, and a third that is not is none."""
    good = head(tmp_path / "h.npz", one_layer(WIDTH))
    with pytest.raises(PlugsRefused) as caught:
        open_plugs({"a": Plug("nowhere"), "b": good, "c": Plug("")}, dimension=WIDTH)
    assert sorted(caught.value.faults) == ["a", "c"]


def test_a_graph_answers_beside_the_encoder(make: Make, engine: toy.TableEngine, tmp_path: Path) -> None:
    """A classifier of the user's own reads a text with its own tokenizer and costs the encoder no pass."""
    encoder = make({"mood": Plug(str(graphs.write_classifier(tmp_path / "mood")), MOOD)})
    found = asyncio.run(encoder.classify("mood", "good"))
    # Three pieces, of which one scores: 3 against -3.
    assert found == pytest.approx({"glad": 1 / (1 + np.exp(-6)), "sad": 1 / (1 + np.exp(6))}, abs=1e-6)
    assert engine.shapes == []


@pytest.mark.parametrize(
    "form",
    [
        {"inputs": ("input_ids",)},
        {"inputs": ("input_ids", "attention_mask")},
        {"output": "scores"},
        {"kind": 6},
    ],
)
def test_graphs_of_several_forms_are_taken(tmp_path: Path, form: dict[str, Any]) -> None:
    """Masks and types may be missing, a lone output may have any name, numbers may have 32 bits."""
    graph = PluggedGraph(graphs.write_classifier(tmp_path / "g", **form) / "model.onnx", labels=MOOD)
    assert graph.probabilities(cut("bad bad")).argmax() == 1


def test_of_a_long_text_a_graph_reads_both_ends(tmp_path: Path) -> None:
    """The middle is left out, by characters before and by pieces after tokenising, in one bounded pass."""
    graph = PluggedGraph(graphs.write_classifier(tmp_path / "g") / "model.onnx", labels=MOOD)
    for middle in (500, 50_000):
        pieces = graph._pieces(cut("good " * 300 + "plain " * middle + "bad " * 200))
        assert len(pieces.ids) == 512
        cls, sep, good, bad = map(graphs.WORDS.index, ("[CLS]", "[SEP]", "good", "bad"))
        assert pieces.ids[:256] == [cls, *[good] * 255]
        assert pieces.ids[-201:] == [*[bad] * 200, sep]


def test_a_tokenizer_that_truncates_is_obeyed(tmp_path: Path) -> None:
    """A length in tokenizer.json is the length of a pass, and its padding is not done."""
    folder = graphs.write_classifier(tmp_path / "g")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(length=8)
    tokenizer.save(str(folder / "tokenizer.json"))
    graph = PluggedGraph(folder / "model.onnx", labels=MOOD)
    assert len(graph._pieces(cut("good " * 100)).ids) == 8
    assert len(graph._pieces(cut("good")).ids) == 3


def test_markers_typed_by_a_user_are_text(tmp_path: Path) -> None:
    """The only markers in a pass are those that the tokenizer puts around it."""
    graph = PluggedGraph(graphs.write_classifier(tmp_path / "g") / "model.onnx", labels=MOOD)
    assert graph._pieces(cut("[SEP] good")).ids.count(2) == 1


def test_labels_may_be_left_to_the_graphs_description(tmp_path: Path) -> None:
    """The names of config.json count, unless they are placeholders: then the document has to name them."""
    folder = graphs.write_classifier(tmp_path / "g")
    describe(folder, {"0": "glad", "1": "sad"})
    assert PluggedGraph(folder / "model.onnx", labels=("sad", "glad")).labels == MOOD
    assert "the document lists up, down" in refused(Plug(str(folder), ("up", "down")))[1]
    describe(folder, {"0": "LABEL_0", "1": "LABEL_1"})
    assert PluggedGraph(folder / "model.onnx", labels=MOOD).labels == MOOD
    assert refused(Plug(str(folder)))[0] == "labels"
    describe(folder, {"0": "glad", "2": "sad"})
    assert "the numbers [0, 2]" in refused(Plug(str(folder)))[1]
    (folder / "config.json").write_text("{")
    assert "config.json" in refused(Plug(str(folder)))[1]


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"inputs": ("words",)}, "has the inputs words tensor(int64)"),
        ({"inputs": ("input_ids", "position_ids")}, "position_ids tensor(int64)"),
        ({"scores": np.zeros((6, 3), np.float32)}, "scores of the shape (1, 3), wanted (1, 2)"),
        ({"scores": np.full((6, 2), np.nan, np.float32)}, "not finite"),
        ({"scores": graphs.SCORES[:4]}, "word pieces up to number 5"),
        ({"sequence": 16}, "word pieces"),
    ],
)
def test_graphs_that_do_not_fit_are_refused(tmp_path: Path, form: dict[str, Any], message: str) -> None:
    """Strange inputs, too many labels, another tokenizer's graph and a fixed length show at once."""
    folder = graphs.write_classifier(tmp_path / "g", **form)
    assert message in refused(Plug(str(folder / "model.onnx"), MOOD))[1]


def test_a_graph_needs_all_its_files(tmp_path: Path) -> None:
    """No tokenizer, one that is none, and a graph that is none are refused by name."""
    folder = graphs.write_classifier(tmp_path / "g")
    tokenizer = (folder / "tokenizer.json").read_bytes()
    (folder / "tokenizer.json").unlink()
    assert "there is no" in refused(Plug(str(folder), MOOD))[1]
    (folder / "tokenizer.json").write_text("{}")
    assert "is no tokenizer" in refused(Plug(str(folder), MOOD))[1]
    (folder / "tokenizer.json").write_bytes(tokenizer)
    (folder / "model.onnx").write_bytes(b"no graph")
    assert "not a graph" in refused(Plug(str(folder), MOOD))[1]


def test_a_graphs_bound_is_its_own(
    make: Make, engine: toy.TableEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many texts for a graph are refused, while the encoder still has room for as many of its own."""
    encoder = make({"mood": Plug(str(graphs.write_classifier(tmp_path / "g")), MOOD)}, max_pending=2)
    everyone_asked = threading.Event()
    read = PluggedGraph.probabilities
    monkeypatch.setattr(
        PluggedGraph, "probabilities", lambda self, text: everyone_asked.wait(30) and read(self, text)
    )

    async def crowd() -> list[Any]:
        asked = [encoder.classify("mood", f"good {number}") for number in range(3)]
        outcomes = asyncio.gather(*asked, *map(encoder.encode, "ab"), return_exceptions=True)
        for _ in range(10):
            await asyncio.sleep(0)
        everyone_asked.set()
        return await outcomes

    outcomes = asyncio.run(crowd())
    assert [isinstance(each, EncoderBusy) for each in outcomes] == [False, False, True, False, False]
    assert engine.shapes


def test_a_graphs_answers_are_shared_and_kept(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten callers with one text cost a graph one pass, and the next caller none."""
    encoder = make({"mood": Plug(str(graphs.write_classifier(tmp_path / "g")), MOOD)})
    passes: list[str] = []
    read = PluggedGraph.probabilities
    monkeypatch.setattr(
        PluggedGraph, "probabilities", lambda self, text: passes.append(text.head) or read(self, text)
    )

    async def crowd() -> None:
        found = await asyncio.gather(*(encoder.classify("mood", "good") for _ in range(10)))
        assert await encoder.classify("mood", "good") is found[0]

    asyncio.run(crowd())
    assert passes == ["good"]


def test_a_pass_that_fails_is_an_error(tmp_path: Path) -> None:
    """What the graph cannot read raises EncoderError, not the runtime's own."""
    graph = PluggedGraph(graphs.write_classifier(tmp_path / "g") / "model.onnx", labels=MOOD)
    with pytest.raises(EncoderError, match="failed"):
        graph._scores({name: [99] for name in graphs.ALL_INPUTS})


def test_closing_ends_graphs_too(make: Make, tmp_path: Path) -> None:
    """After `close` a graph answers no more, not even from memory."""
    encoder = make({"mood": Plug(str(graphs.write_classifier(tmp_path / "g")), MOOD)})
    asyncio.run(encoder.classify("mood", "good"))
    encoder.close()
    with pytest.raises(EncoderError, match="closed"):
        asyncio.run(encoder.classify("mood", "good"))


def test_a_head_reads_the_real_network(tmp_path: Path) -> None:
    """A copy of a shipped head, plugged in under another name, gives what the shipped one gives."""
    content, labels = open_folder(SHIPPED).head("complexity", "sequence")
    assert Perceptron.from_npz(content, inputs=WHOLE, labels=labels)
    (tmp_path / "mine.npz").write_bytes(content)
    encoder = Encoder.load(plugs={"mine": Plug(str(tmp_path / "mine.npz"), labels)})
    mine = asyncio.run(encoder.classify("mine", "Prove it."))
    assert mine == pytest.approx(dict(encoder.encode_now("Prove it.").complexity))
    encoder.close()


def describe(folder: Path, labels: Mapping[str, str]) -> None:
    """A transformers config.json with these labels."""
    (folder / "config.json").write_text(json.dumps({"architectures": ["Toy"], "id2label": labels}))
