"""The errors whose type says what a daemon does next; anything else is a crash and a restart."""

TRY_AGAIN = 75
"""EX_TEMPFAIL of sysexits.h, the exit status of who could not begin: whoever starts daemons backs off and starts it again."""


class CandlewellError(Exception):
    """The root of the errors below; never raised itself."""


class ConfigurationError(CandlewellError):
    """The user has to change something. The daemon prints one line and exits with status 2.

    The message names the key, says what was expected and what was found.
    """


class TransientError(CandlewellError):
    """The world will be better later: back off, say so, and try again.

    `retry_after_s` is the wait that the other side asked for, in seconds, where it asked.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RejectedError(CandlewellError):
    """The thing itself is wrong and will be as wrong next time: record it and go on."""
