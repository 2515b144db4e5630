"""The one schema of the document: loading, validation, what is implemented, JSON Schema."""

from pointsman.config.document import Settings
from pointsman.config.implemented import examine
from pointsman.config.load import Located, load_file, locate, locate_file, parse
from pointsman.config.masking import masked
from pointsman.config.schema import json_schema

__all__ = [
    "Located",
    "Settings",
    "examine",
    "json_schema",
    "load_file",
    "locate",
    "locate_file",
    "masked",
    "parse",
]
