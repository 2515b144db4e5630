"""Understanding a text once: one small encoder pass that feeds every classification head.

The only package that imports onnxruntime and tokenizers. The model it ships is described in
`model/MODEL_CARD.md` and rebuilt by the scripts in `training/`.
"""

from pointsman.encoder.encoder import Encoder
from pointsman.encoder.errors import EncoderBusy, EncoderError, EngineMissing, ModelFilesError
from pointsman.encoder.normalise import Normalised, normalise
from pointsman.encoder.plug_errors import PlugRefused, PlugsRefused
from pointsman.encoder.plugged import Plug
from pointsman.encoder.values import Encoding, Entity, Peak, Scan

__all__ = [
    "Encoder",
    "EncoderBusy",
    "EncoderError",
    "Encoding",
    "EngineMissing",
    "Entity",
    "ModelFilesError",
    "Normalised",
    "Peak",
    "Plug",
    "PlugRefused",
    "PlugsRefused",
    "Scan",
    "normalise",
]
