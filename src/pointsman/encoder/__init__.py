"""Understanding a text once: one small encoder pass that feeds every classification head.

The only package that imports onnxruntime and tokenizers. The model it ships is described in
`model/MODEL_CARD.md` and rebuilt by the scripts in `training/`.
"""

from pointsman.encoder.encoder import Encoder
from pointsman.encoder.errors import EncoderBusy, EncoderError, ModelFilesError
from pointsman.encoder.values import Encoding

__all__ = ["Encoder", "EncoderBusy", "EncoderError", "Encoding", "ModelFilesError"]
