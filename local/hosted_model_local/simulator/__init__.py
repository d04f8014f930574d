"""The model services, simulated."""

from .auth import Authorizer, Decision, HttpAuthorizer
from .core import Simulator
from .http import Request, Response

__all__ = ["Authorizer", "Decision", "HttpAuthorizer", "Request", "Response", "Simulator"]
