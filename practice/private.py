"""What all private APIs share: a request is let in by a gate, due fills happen, then it is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from aiohttp import web

from common.clock import wall_now

if TYPE_CHECKING:
    from collections.abc import Callable

    from practice.desk import Desk
    from practice.wire import Handler

_Sent_co = TypeVar("_Sent_co", covariant=True)
_Parameters = TypeVar("_Parameters")


class Gate(Protocol[_Sent_co]):
    """Lets requests in that one of the known keys has signed, each exchange in its own way."""

    async def admit(self, request: web.Request, wall_ms: int, /) -> tuple[str, _Sent_co]:
        """The account that sent the request, and its parameters; raises what the exchange answers."""


def signed(
    gate: Gate[_Parameters],
    desk: Desk,
    now_ms: Callable[[], int],
    answer: Callable[[str, _Parameters, int], Any],
) -> Handler:
    """An endpoint that answers the owner of an account, who has signed the request."""

    async def admitted(request: web.Request) -> web.Response:
        account, parameters = await gate.admit(request, wall_now())
        moment_ms = now_ms()
        desk.settle(moment_ms)
        return web.json_response(answer(account, parameters, moment_ms))

    return admitted
