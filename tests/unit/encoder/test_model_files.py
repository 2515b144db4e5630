import hashlib
import shutil
from pathlib import Path

import msgspec
import pytest

from pointsman.encoder import Encoder, ModelFilesError
from pointsman.encoder.folder import open_folder
from pointsman.encoder.model_files import SHIPPED, read_model

pytestmark = pytest.mark.skipif(open_folder(SHIPPED) is not None, reason="the shipped folder has all heads")
"""These are tests of the earlier kind of folder, for as long as that is the one that ships."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "model"))


def manifest(folder: Path, **changed: object) -> None:
    """Rewrite the manifest with some of its keys changed."""
    path = folder / "manifest.json"
    content = msgspec.json.decode(path.read_bytes())
    content.update(changed)
    path.write_bytes(msgspec.json.encode(content))


def rehash(folder: Path, name: str) -> None:
    """Make the manifest accept a file as it is now."""
    hashes = msgspec.json.decode((folder / "manifest.json").read_bytes())["sha256"]
    hashes[name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    manifest(folder, sha256=hashes)


def test_the_shipped_folder_is_whole() -> None:
    """Every file of the shipped model is the one its manifest describes."""
    files = read_model(SHIPPED)
    assert files.manifest.dimension == 384
    assert set(files.heads) == {"domain"}


def test_another_folder_can_be_loaded(folder: Path) -> None:
    """A copy of the model elsewhere loads and says which engine and precision it is."""
    encoder = Encoder.load(directory=folder)
    assert encoder.identity == "all-minilm-l6-v2/int8-dynamic"
    encoder.close()


@pytest.mark.parametrize("name", ["encoder.onnx", "tokenizer.json", "domain_head.npz"])
def test_a_changed_byte_is_found(folder: Path, name: str) -> None:
    """One flipped bit in any file is an error that names the file and both hashes."""
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ModelFilesError, match=rf"{name}: sha256 is [0-9a-f]{{64}}, the manifest says"):
        Encoder.load(directory=folder)


@pytest.mark.parametrize("name", ["encoder.onnx", "tokenizer.json", "domain_head.npz", "manifest.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    """Any file that is not there is an error with its path."""
    (folder / name).unlink()
    with pytest.raises(ModelFilesError, match=f"{name}: No such file"):
        Encoder.load(directory=folder)


@pytest.mark.parametrize("name", ["encoder.onnx", "tokenizer.json", "domain_head.npz"])
def test_a_file_of_the_wrong_kind_is_a_clear_error(folder: Path, name: str) -> None:
    """Rubbish that the manifest vouches for is still refused with a ModelFilesError."""
    (folder / name).write_bytes(b"rubbish")
    rehash(folder, name)
    with pytest.raises(ModelFilesError, match="not a"):
        Encoder.load(directory=folder)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"dimension": 0}, "dimension"),
        ({"dimension": 7}, "wanted"),
        ({"surprise": 1}, "surprise"),
        ({"graph": "../encoder.onnx"}, "graph"),
        ({"heads": {"domain": "/etc/passwd"}}, "heads"),
        ({"heads": {}}, "'domain' head"),
        ({"sha256": {}}, "no sha256 for encoder.onnx"),
    ],
)
def test_a_wrong_manifest_is_a_clear_error(folder: Path, changed: dict[str, object], said: str) -> None:
    """A manifest that lies, lacks or leaves the folder is refused, and the message says where."""
    manifest(folder, **changed)
    with pytest.raises(ModelFilesError, match=said):
        Encoder.load(directory=folder)


def test_a_manifest_that_is_not_json_is_a_clear_error(folder: Path) -> None:
    """Broken JSON is a ModelFilesError with the manifest's path."""
    (folder / "manifest.json").write_bytes(b"{\xff")
    with pytest.raises(ModelFilesError, match=r"manifest\.json"):
        Encoder.load(directory=folder)
