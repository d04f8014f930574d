"""The one exception that carries a service's error from where it is found to where it is written."""

from __future__ import annotations

from dataclasses import dataclass, field

# "Common Errors" of the AWS API references, which any service can answer whatever the operation. While
# credentials and policies settle, calls can meet each of them. Services of the JSON protocols answer 400 for
# all but the last.
COMMON_STATUS = {
    "AccessDeniedException": 403,
    "ExpiredTokenException": 403,
    "InvalidSignatureException": 403,
    "UnrecognizedClientException": 403,
    "RequestTimeoutException": 408,
}


@dataclass(slots=True)
class ApiError(Exception):
    """An error of a simulated service.

    Parameters
    ----------
    code
        The service's name for it, such as ``ConflictException``.
    message
        The member ``Message``.
    members
        Further members of the body, such as ``ResourceId``.
    retry_after
        Seconds for the header Retry-After, where the error has one; None leaves the header out.
    status
        HTTP status, only for codes that the service's own table does not have.
    forced_status
        HTTP status that wins over the service's own table.
    """

    code: str
    message: str
    members: dict[str, str] = field(default_factory=dict)
    retry_after: int | None = 1
    status: int | None = None
    forced_status: int | None = None


class InvalidInput(ValueError):  # noqa: N818 - each service names its own exception for it
    """A member breaks a pattern or a limit; each service turns it into its own exception."""
