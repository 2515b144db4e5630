import shutil
from pathlib import Path

import pytest

from pointsman.encoder import Encoder, EngineMissing, ModelFilesError
from pointsman.encoder.folder import SHIPPED, open_folder
from pointsman.encoder.load import joined
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
    return joined(open_folder(directory), toy.TableEngine()).identity


def test_the_shipped_folder_is_whole() -> None:
    """Every file of the shipped model is the one its manifest describes, and all four heads are there."""
    folder = open_folder(SHIPPED)
    files = {path.name for path in SHIPPED.iterdir() if path.suffix not in {".md", ".py"}}
    assert files == {*folder.manifest.files, "manifest.json"}
    assert all(folder.content(name) for name in folder.manifest.files)
    assert set(folder.manifest.heads) == {"domain", "jailbreak", "complexity", "pii"}
    assert folder.manifest.dimension == 384


def test_another_folder_can_be_loaded(tmp_path: Path) -> None:
    """A copy of the model elsewhere loads, and says which engine, precision and revision it is."""
    encoder = Encoder.load(directory=Path(shutil.copytree(SHIPPED, tmp_path / "model")))
    manifest = open_folder(SHIPPED).manifest
    assert encoder.identity == f"{manifest.engine}/{manifest.precision}/{manifest.revision}"
    encoder.close()


def test_identity_names_everything_a_vector_depends_on(folder: Path) -> None:
    """Engine, the precision it runs in, and the revision of the weights."""
    assert load(folder) == "toy/exact/r1"


FILES = ("encoder.onnx", "tokenizer.json", "domain.npz", "jailbreak.npz", "complexity.npz", "pii.npz")


@pytest.mark.parametrize("name", FILES)
def test_a_changed_byte_is_found(folder: Path, name: str) -> None:
    """One flipped bit in any file is an error that names the file and both hashes."""
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ModelFilesError, match=rf"{name}: sha256 is [0-9a-f]{{64}}, the manifest says"):
        _ = open_folder(folder).content(name) if name == "encoder.onnx" else load(folder)


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    """Any file that is not there is an error with its path."""
    folder = Path(shutil.copytree(SHIPPED, tmp_path / "model"))
    (folder / name).unlink()
    with pytest.raises(ModelFilesError, match=f"{name}: No such file"):
        Encoder.load(directory=folder)


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_the_wrong_kind_is_a_clear_error(folder: Path, name: str) -> None:
    """Rubbish that the manifest vouches for is still refused."""
    (folder / name).write_bytes(b"rubbish")
    toy.write_manifest(folder)
    with pytest.raises(ModelFilesError, match="not a"):
        _ = Encoder.load(directory=folder) if name == "encoder.onnx" else load(folder)


def test_a_manifest_that_is_not_json_is_a_clear_error(folder: Path) -> None:
    """Broken JSON is a ModelFilesError with the manifest's path."""
    (folder / "manifest.json").write_bytes(b"{\xff")
    with pytest.raises(ModelFilesError, match=r"manifest\.json"):
        load(folder)


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
