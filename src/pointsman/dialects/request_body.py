"""A request's body as fields, whatever it is encoded in."""

from pointsman.core.request import ChatRequest
from pointsman.dialects.body import Body, parse_object
from pointsman.dialects.form import parse_form


def body_of(request: ChatRequest) -> Body:
    """The fields of a JSON object or of a form; none where there is no body, or nobody can read it.

    Raises ``RequestError`` for a body that is not what it says it is.
    """
    if request.opaque or not request.raw:
        return Body({})
    if request.boundary:
        return parse_form(request.raw, request.boundary)
    return parse_object(request.raw)
