"""Turn trained weights into the folder that ships: int8 graph, tokenizer, heads, manifest.

python training/package_model.py cache/runs/b.npz --revision 1 --temperatures cache/runs/temperatures.json
"""

import argparse
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from build_onnx import write_graph
from student_labels import LAYERS, SEQUENCE_LABELS, TAGS

HERE = Path(__file__).parent
ENGINE = "pointsman-minilm-l6"
FILES = ("encoder.onnx", "tokenizer.json")
Floats = NDArray[np.float32]
PARTS = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "mixed": "attention.output.dense",
    "norm1": "attention.output.LayerNorm",
    "wide": "intermediate.dense",
    "narrow": "output.dense",
    "norm2": "output.LayerNorm",
}


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("weights", type=Path)
    parser.add_argument("--revision", required=True)
    parser.add_argument("--tokenizer", type=Path, default=HERE / "cache/multitask/tokenizer.json")
    parser.add_argument("--temperatures", type=Path, help="JSON of head -> temperature; 1 where it is silent")
    parser.add_argument("--out", type=Path, default=HERE.parent / "src/pointsman/encoder/model")
    parser.add_argument("--precision", choices=["int8", "fp32"], default="int8")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    temperatures = json.loads(options.temperatures.read_text()) if options.temperatures else {}
    state = read(options.weights)
    write_graph(bert_names(state), options.out / "encoder.onnx", precision=options.precision)
    (options.out / "tokenizer.json").write_bytes(options.tokenizer.read_bytes())
    heads = {}
    for name, labels in (*SEQUENCE_LABELS.items(), ("pii", TAGS)):
        write_head(state, name, labels, temperatures.get(name, 1.0), options.out / f"{name}.npz")
        kind = "token" if name == "pii" else "sequence"
        heads[name] = {"kind": kind, "file": f"{name}.npz", "labels": labels}
    manifest = {
        "engine": ENGINE,
        "revision": options.revision,
        "precision": "int8-dynamic" if options.precision == "int8" else "fp32",
        "dimension": 384,
        "max_tokens": 512,
        "files": {
            path.name: sha256(path)
            for path in sorted(options.out.iterdir())
            if path.suffix in {".onnx", ".npz"}
        }
        | {"tokenizer.json": sha256(options.out / "tokenizer.json")},
        "heads": heads,
    }
    (options.out / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
    for path in sorted(options.out.iterdir()):
        print(f"{path.name:20s} {path.stat().st_size:12,} bytes")


def read(path: Path) -> dict[str, Floats]:
    """The weights as trained, in single precision."""
    with np.load(path) as arrays:
        state = {
            name: arrays[name].astype(np.float32) for name in arrays.files if name not in {"table", "scale"}
        }
        state["words.weight"] = arrays["table"].astype(np.float32) * arrays["scale"]
    return state


def bert_names(state: Mapping[str, Floats]) -> dict[str, Floats]:
    """The encoder's tensors under the names BERT gives them."""
    renamed = {
        "embeddings.word_embeddings.weight": state["words.weight"],
        "embeddings.position_embeddings.weight": state["places"],
    }
    stems = {"norm": "embeddings.LayerNorm"}
    for number in range(LAYERS):
        stems |= {
            f"layers.{number}.{ours}": f"encoder.layer.{number}.{theirs}" for ours, theirs in PARTS.items()
        }
    for ours, theirs in stems.items():
        for kind in ("weight", "bias"):
            renamed[f"{theirs}.{kind}"] = state[f"{ours}.{kind}"]
    return renamed


def write_head(
    state: Mapping[str, Floats], name: str, labels: tuple[str, ...], temperature: float, path: Path
) -> None:
    """One head, as the runtime reads it."""
    stem = f"heads.{name}"
    arrays = {
        "w1": state[f"{stem}.first.weight"],
        "b1": state[f"{stem}.first.bias"],
        "w2": state[f"{stem}.second.weight"],
        "b2": state[f"{stem}.second.bias"],
    }
    with path.open("wb") as file:  # np.savez stamps no time into the archive, so equal heads are equal files
        np.savez(file, labels=np.array(labels), temperature=np.float32(temperature), **arrays)


def sha256(path: Path) -> str:
    """Hash of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
