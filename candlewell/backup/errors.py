"""What can go wrong with a backup, beside what its user has to change (ConfigurationError)."""

from __future__ import annotations

from common.errors import RejectedError, TransientError


class BackupFailed(TransientError):
    """No backup was made, or not all that belongs to it was done; older ones are as they were."""


class BadBackup(RejectedError):
    """What lies there is not a whole and sound backup; the message says which and why."""
