"""From a model folder to a model that can read."""

from pathlib import Path

from pointsman.encoder.engine import Engine
from pointsman.encoder.errors import EngineMissing, ModelFilesError
from pointsman.encoder.folder import GRAPH, TOKENIZER, Folder, open_folder
from pointsman.encoder.model import COMPLEXITY, DOMAIN, JAILBREAK, PII, Model
from pointsman.encoder.openvino_engine import OpenVinoEngine
from pointsman.encoder.ort_engine import OrtEngine
from pointsman.encoder.perceptron import Perceptron, TokenHead
from pointsman.encoder.plain_graph import plain_graph
from pointsman.encoder.tokenizer import WordPieces

FEATURES = 3
"""A sequence head sees three vectors of a text."""


def load_model(directory: Path, *, engine: str, threads: int) -> Model:
    """Load a model folder; raises ModelFilesError, or EngineMissing when `engine` cannot run it."""
    folder = open_folder(directory)
    return joined(folder, open_engine(folder, engine, threads=threads))


def joined(folder: Folder, engine: Engine) -> Model:
    """Join a folder's heads and tokenizer with the engine that runs its network."""
    manifest = folder.manifest
    sequence: dict[str, Perceptron] = {}
    for name in (DOMAIN, JAILBREAK, COMPLEXITY):
        content, labels = folder.head(name, "sequence")
        sequence[name] = Perceptron.from_npz(content, inputs=FEATURES * manifest.dimension, labels=labels)
    if JAILBREAK not in sequence[JAILBREAK].labels:
        raise ModelFilesError(f"the {JAILBREAK} head has no label {JAILBREAK!r}")
    content, labels = folder.head(PII, "token")
    return Model(
        identity=f"{manifest.engine}/{engine.precision}/{manifest.revision}",
        engine=engine,
        tokenizer=WordPieces(folder.content(TOKENIZER), max_tokens=manifest.max_tokens),
        sequence=sequence,
        pii=TokenHead(Perceptron.from_npz(content, inputs=manifest.dimension, labels=labels)),
        dimension=manifest.dimension,
    )


def open_engine(folder: Folder, name: str, *, threads: int) -> Engine:
    """Open the folder's network in one of the engines, by name."""
    manifest = folder.manifest
    if name == "onnxruntime":
        return OrtEngine(folder.content(GRAPH), dimension=manifest.dimension, precision=manifest.precision)
    if name == "openvino":
        graph = plain_graph(folder.content(GRAPH), dimension=manifest.dimension)
        return OpenVinoEngine(graph, dimension=manifest.dimension, threads=threads)
    raise EngineMissing(f"there is no engine {name!r}; there are onnxruntime and openvino")
