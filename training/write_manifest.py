"""Write manifest.json: which files the model folder holds and their sha256, checked whenever it is loaded."""

import argparse
import hashlib
from pathlib import Path

import msgspec

from pointsman.encoder.model_files import MANIFEST, SHIPPED, Manifest, read_model

HEADS = {"domain": "domain_head.npz"}


def main() -> None:
    """Hash the files, write the manifest, and read the folder back as the package will."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    folder: Path = parser.parse_args().out
    names = ["encoder.onnx", "tokenizer.json", *HEADS.values()]
    manifest = Manifest(
        engine="all-minilm-l6-v2",
        precision="int8-dynamic",
        dimension=384,
        max_tokens=512,
        graph="encoder.onnx",
        tokenizer="tokenizer.json",
        heads=HEADS,
        sha256={name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names},
    )
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    (folder / MANIFEST).write_bytes(content + b"\n")
    read_model(folder)
    print(f"{folder / MANIFEST}: {len(names)} files")


if __name__ == "__main__":
    main()
