"""The REST API for programs."""

from awase.api.v1 import api

__all__ = ["api"]
