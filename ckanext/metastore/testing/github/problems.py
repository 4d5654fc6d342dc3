"""GitHub's refusals: the status codes and the exact words that clients look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

DOCUMENTATION = "https://docs.github.com/rest"


class Problem(Exception):
    """A request that is refused; carries the answer."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: Sequence[object] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {message}")
        self.status = status
        self.message = message
        self.errors = list(errors)
        self.headers = dict(headers or {})

    def body(self) -> dict[str, object]:
        """Give the answer's JSON."""
        errors = {"errors": self.errors} if self.errors else {}
        return {"message": self.message, **errors, "documentation_url": DOCUMENTATION, "status": str(self.status)}


def not_found() -> Problem:
    """There is no such thing, or none that one may know of."""
    return Problem(404, "Not Found")


def bad_credentials() -> Problem:
    """The token is unknown, revoked or has run out."""
    return Problem(401, "Bad credentials")


def requires_authentication() -> Problem:
    """There is no token."""
    return Problem(401, "Requires authentication")


def lacks_permission(*, app: bool) -> Problem:
    """The token is good, but not for this."""
    return Problem(403, f"Resource not accessible by {'integration' if app else 'personal access token'}")


def forbidden(message: str) -> Problem:
    """The one who asks may not do this."""
    return Problem(403, message)


def archived() -> Problem:
    """The repository takes no changes."""
    return Problem(403, "Repository was archived so is read-only.")


def invalid(resource: str, field: str, code: str, message: str | None = None, *, title: str | None = None) -> Problem:
    """A value is not accepted.

    :param code: GitHub's: ``missing_field``, ``invalid``, ``already_exists``, or ``custom`` with a message
    """
    error = {"resource": resource, "code": code, "field": field, **({"message": message} if message else {})}
    return Problem(422, title or "Validation Failed", errors=[error])


def unprocessable(message: str, errors: Sequence[object] = ()) -> Problem:
    """Git's objects or refs cannot be made like this."""
    return Problem(422, message, errors=errors)
