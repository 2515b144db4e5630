"""The one schema of the document: loading, validation, JSON Schema."""
