import shutil
from pathlib import Path

import pytest

from pointsman.encoder import Encoder, EngineMissing, ModelFilesError
from pointsman.encoder.folder import open_folder
from pointsman.encoder.load import tuned_model
from pointsman.encoder.model_files import SHIPPED
from unit.encoder import toy


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with heads and tokenizer, and a graph that nobody opens."""
    (tmp_path / "encoder.onnx").write_bytes(b"graph")
    shutil.copy(SHIPPED / "tokenizer.json", tmp_path)
    toy.write_heads(tmp_path)
    toy.write_manifest(tmp_path)
    return tmp_path


def load(directory: Path) -> str:
    """Load a folder with a network of one table; gives its identity."""
    folder = open_folder(directory)
    assert folder is not None
    return tuned_model(folder, toy.TableEngine()).identity


def test_identity_names_everything_a_vector_depends_on(folder: Path) -> None:
    """Engine, the precision it runs in, and the revision of the weights."""
    assert load(folder) == "toy/exact/r1"


@pytest.mark.parametrize("name", ["tokenizer.json", "domain.npz", "jailbreak.npz", "pii.npz"])
def test_a_changed_byte_is_found(folder: Path, name: str) -> None:
    """One flipped bit in a file is an error that names the file."""
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ModelFilesError, match=rf"{name}: sha256"):
        load(folder)


def test_a_graph_that_is_none_is_a_clear_error(folder: Path) -> None:
    """Rubbish that the manifest vouches for is still refused."""
    with pytest.raises(ModelFilesError, match="not a graph"):
        Encoder.load(directory=folder)


HEADS = {
    name: {"kind": "token" if name == "pii" else "sequence", "file": f"{name}.npz", "labels": list(labels)}
    for name, labels in toy.LABELS.items()
}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"dimension": 0}, "dimension"),
        ({"dimension": 7}, "shapes"),
        ({"revision": None}, "revision"),
        ({"files": {}}, "no sha256 for"),
        ({"heads": {name: HEADS[name] for name in ("domain", "jailbreak", "pii")}}, "'complexity'"),
        ({"heads": HEADS | {"pii": HEADS["pii"] | {"kind": "sequence"}}}, "no token head 'pii'"),
        ({"heads": HEADS | {"domain": HEADS["domain"] | {"labels": ["a"]}}}, "the manifest says"),
        ({"heads": HEADS | {"domain": HEADS["domain"] | {"file": "../domain.npz"}}}, "file"),
        ({"heads": HEADS | {"jailbreak": HEADS["complexity"]}}, "no label 'jailbreak'"),
        ({"heads": HEADS | {"pii": HEADS["complexity"] | {"kind": "token"}}}, "shapes"),
    ],
)
def test_a_wrong_manifest_is_a_clear_error(folder: Path, changed: dict[str, object], said: str) -> None:
    """A manifest that lies, lacks or leaves the folder is refused, and the message says where."""
    toy.write_manifest(folder, **changed)
    with pytest.raises(ModelFilesError, match=said):
        load(folder)


def test_an_engine_nobody_has_is_named(folder: Path) -> None:
    """Asking for an engine that does not exist says which do."""
    with pytest.raises(EngineMissing, match="no engine 'abacus'"):
        Encoder.load(directory=folder, engine="abacus")
