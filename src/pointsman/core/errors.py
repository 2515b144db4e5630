"""Errors, arranged by what can be done about them.

``RequestError``: the caller changes the request. ``Unavailable``: the caller tries again later.
``ConfigError``: the operator edits the document. Anything else is a defect of ours and becomes a 500.
"""

from collections.abc import Sequence

from pointsman.core.problem import Problem


class PointsmanError(Exception):
    """Root of every error raised on purpose."""


class ConfigError(PointsmanError):
    """A configuration document that must not run; carries every problem found, not only the first."""

    def __init__(self, problems: Sequence[Problem], source: str = "configuration") -> None:
        self.problems = tuple(problems)
        self.source = source
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"{source}: {len(self.problems)} problem(s)\n{lines}")


class StartError(PointsmanError):
    """Something outside the document keeps us from starting (a port in use, a missing binary)."""


class HttpError(PointsmanError):
    """An error with an HTTP status, an OpenAI error type and, where one field is at fault, its name."""

    status = 500
    type = "internal_error"

    def __init__(self, message: str, *, param: str | None = None, retry_after: int | None = None) -> None:
        self.message = message
        self.param = param
        self.retry_after = retry_after
        super().__init__(message)


class RequestError(HttpError):
    """The request itself is at fault (400)."""

    status = 400
    type = "invalid_request_error"


class Forbidden(HttpError):
    """Who asks is not known, or may not (403)."""

    status = 403
    type = "permission_error"


class EndpointNotFound(RequestError):
    """No such path on the data plane (404)."""

    status = 404


class UnknownModel(RequestError):
    """No model has the name a request asks for; ``status`` is 400 or 404, as contracts differ about it."""

    def __init__(self, name: str, status: int) -> None:
        super().__init__(f'model "{name}" is not available', param="model")
        self.status = status


class MethodNotAllowed(RequestError):
    """The path exists, the method does not (405)."""

    status = 405


class Unavailable(HttpError):
    """We cannot serve this now; the same request may succeed later (503)."""

    status = 503
    type = "service_unavailable"


class BadAnswer(HttpError):
    """The model's answer cannot be given to the client (502)."""

    status = 502
    type = "upstream_error"


class Overloaded(Unavailable):
    """A configured bound is reached; the caller should slow down (429)."""

    status = 429
    type = "rate_limit_error"


class RateLimited(Overloaded):
    """A rate limit of the document is reached; the caller waits ``retry_after`` seconds (429)."""

    def __init__(self, message: str, *, limit: int, remaining: int, retry_after: int) -> None:
        self.limit = limit
        """What the rule allows in its unit of time."""
        self.remaining = remaining
        """What of it is left now: less than the request needs."""
        super().__init__(message, retry_after=retry_after)
