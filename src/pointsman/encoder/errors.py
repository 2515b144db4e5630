"""What can go wrong while a text is being understood."""


class EncoderError(Exception):
    """The encoder cannot answer: it is closed, or its engine failed."""


class EncoderBusy(EncoderError):  # a state, not a mistake, hence no suffix
    """As many passes as allowed are already waiting or running; the caller should decide without one."""


class ModelFilesError(EncoderError):
    """The model folder is missing a file, or a file is not the one the manifest describes."""


class EngineMissing(EncoderError):
    """The engine that was asked for is not installed, or this processor is not one it is meant for."""
