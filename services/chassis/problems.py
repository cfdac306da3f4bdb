"""RFC 9457 problems: what handlers raise, and how each reads on the wire."""

import json
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from services.chassis.errors import DomainError
from services.chassis.http.raw import RawResponse

Errors = Mapping[str, list[str]]

CONTENT_TYPE = "application/problem+json"

# The slug of a key, or a page's form, that came with another request before.
REUSED = "idempotency-key-reused"


class Problem(Exception):
    """An answer other than the hoped-for one; raising it undoes the transaction.

    Its text is the slug alone: a detail or the name of a field may hold what a person typed.
    """

    status: ClassVar[int] = 500
    slug: str = "internal-error"
    title: str = "Something went wrong on our side"

    def __init__(
        self,
        *,
        slug: str | None = None,
        title: str | None = None,
        detail: str | None = None,
        errors: Errors | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.slug = slug or self.slug
        super().__init__(self.slug)
        self.title = title or self.title
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})


class InternalError(Problem):
    """A bug of ours; the id finds it in the log, and nothing else is told."""

    def __init__(self, error_id: str) -> None:
        super().__init__()
        self.error_id = error_id


class BadRequest(Problem):
    status = 400
    slug = "bad-request"
    title = "The request cannot be read"


class Unauthorized(Problem):
    status = 401
    slug = "unauthorized"
    title = "A valid token is needed"

    def __init__(self, detail: str | None = None) -> None:
        challenge = 'Bearer realm="kindred"' + (', error="invalid_token"' if detail else "")
        super().__init__(detail=detail, headers={"WWW-Authenticate": challenge})


class Forbidden(Problem):
    status = 403
    slug = "forbidden"
    title = "This is not open to your role"

    def __init__(self, title: str | None = None) -> None:
        super().__init__(title=title)


class NotFound(Problem):
    """Missing, or another organisation's: the answer is the same."""

    status = 404
    slug = "not-found"
    title = "There is nothing here"

    def __init__(self) -> None:
        super().__init__()


class MethodNotAllowed(Problem):
    status = 405
    slug = "method-not-allowed"
    title = "This path does not know that method"

    def __init__(self, allowed: Collection[str]) -> None:
        super().__init__(headers={"Allow": ", ".join(sorted(allowed))})


class Conflict(Problem):
    status = 409
    slug = "conflict"

    def __init__(
        self,
        slug: str,
        title: str,
        detail: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(slug=slug, title=title, detail=detail, headers=headers)


class Gone(Problem):
    status = 410
    slug = "gone"
    title = "This is no longer in use"

    def __init__(self) -> None:
        super().__init__()


class PreconditionFailed(Problem):
    status = 412
    slug = "stale-version"
    title = "Somebody else changed this"

    def __init__(self) -> None:
        super().__init__(detail="Read it again, then send its new ETag in If-Match.")


class TooLarge(Problem):
    status = 413
    slug = "too-large"
    title = "The body is too large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(detail=f"At most {limit_bytes} bytes are read.")


class UnsupportedMediaType(Problem):
    status = 415
    slug = "unsupported-media-type"
    title = "The body has a type that is not read here"

    def __init__(self, accepted: str) -> None:
        super().__init__(detail=f"Send {accepted}.", headers={"Accept": accepted})


class Invalid(Problem):
    """The request is understood, and these fields of it are not right."""

    status = 422
    slug = "invalid"
    title = "Some fields need another value"

    def __init__(
        self, errors: Errors, title: str | None = None, *, slug: str | None = None
    ) -> None:
        super().__init__(slug=slug, title=title, errors=errors)


class PreconditionRequired(Problem):
    status = 428
    slug = "version-needed"
    title = "Say which version you saw"

    def __init__(self) -> None:
        super().__init__(detail="Send the ETag of the resource in If-Match.")


class Unavailable(Problem):
    status = 503
    slug = "unavailable"
    title = "A part of the system does not answer just now"

    def __init__(self, retry_after_seconds: int, detail: str | None = None) -> None:
        super().__init__(detail=detail, headers={"Retry-After": str(retry_after_seconds)})


class Refused(Problem):
    """A rule of the domain, in its own words."""

    status = 409

    def __init__(self, error: DomainError) -> None:
        super().__init__(slug=error.slug, title=error.title, detail=error.detail)


def type_of(slug: str) -> str:
    """The problem's `type`: a name, since there is no page to look it up."""
    return f"urn:kindred:problem:{slug}"


def problem_response(problem: Problem) -> RawResponse:
    """The problem as application/problem+json."""
    members: dict[str, Any] = {
        "type": type_of(problem.slug),
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": f"urn:uuid:{problem.error_id}" if isinstance(problem, InternalError) else None,
        "errors": problem.errors,
    }
    told = {name: value for name, value in members.items() if value is not None}
    return RawResponse(
        status=problem.status,
        headers={"Content-Type": CONTENT_TYPE, **problem.headers},
        body=json.dumps(told).encode(),
    )
