"""The one schema of the document: loading, validation, JSON Schema."""

from pointsman.config.document import Settings
from pointsman.config.load import load_file, parse

__all__ = ["Settings", "load_file", "parse"]
