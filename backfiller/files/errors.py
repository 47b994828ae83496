"""What can be wrong with a file as a whole."""

from __future__ import annotations

from common.errors import RejectedError


class BadFile(RejectedError):
    """A file that is not what it should be. The message starts with its name and says where."""
