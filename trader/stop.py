"""The wish that the trader ends, which a signal may bring at any instruction."""

from __future__ import annotations

import contextlib
import os
import select


class Stop:
    """Set once, for good; whoever waits notices at once.

    A pipe and not a `threading.Event`: that is set under a lock, and a signal that comes while the main thread
    itself holds the lock would wait for ever. The pipe stays open as long as the process: a signal may always come.
    """

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def set(self) -> None:
        """Wishes it; may be called by a signal handler, and more than once."""
        with contextlib.suppress(BlockingIOError):  # it was wished thousands of times
            os.write(self._writing, b".")

    def is_set(self) -> bool:
        """Whether it is wished."""
        return self.wait(0.0)

    def wait(self, timeout_s: float) -> bool:
        """Waits until it is wished, at most for so long; whether it is."""
        waiting = select.poll()  # select() knows the first 1,024 files of a process only
        waiting.register(self._reading, select.POLLIN)
        return bool(waiting.poll(timeout_s * 1000))

    def fileno(self) -> int:
        """The file that can be read from then on, for an event loop to watch."""
        return self._reading
