"""The body's ``model`` becomes the name the engine knows."""

from pointsman.plugins.draft import Draft


def rename_model(draft: Draft) -> Draft:
    """Write the target's wire name; nothing changes when the client already used it, or names none."""
    name = draft.selection.candidate.target.wire_name
    if draft.request.model == name or "model" not in draft.body.fields:
        return draft
    return draft.changed(draft.body.with_field("model", name), f"model: {draft.request.model} -> {name}")
