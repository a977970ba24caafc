"""Calls as exchanges: the wire's codec between the pool and the transport."""

from __future__ import annotations

import tempfile
from typing import Any, BinaryIO, Final, cast

from gateway.mapiclient.exchange import XML, Exchange
from gateway.mapiclient.options import PoolOptions
from gateway.mapiclient.wire.envelope import ReplyDecoder, encode_request, encode_request_chunks
from gateway.mapiclient.wire.schema import Call
from gateway.mapiclient.wire.spool import Limits

#: Calls whose arguments may be too large to hold, or must travel in parts.
_LARGE: Final = frozenset({"saveObject", "importMessageFromStream"})
#: Messages up to this size are put together before they are sent.
_JOINED: Final = 262_144


class Soap:
    """Makes the exchange of a call. Reply values beyond ``spool_from`` bytes come as Blobs over temporary files."""

    def __init__(self, options: PoolOptions) -> None:
        self._options = options
        self._limits = Limits(size=options.reply_bytes, spool_from=options.spool_from)

    def __call__(self, call: Call[Any], session_id: int) -> Exchange:
        """The exchange; WireError when a value cannot be written."""
        options = self._options
        exchange = Exchange(
            call=call.name,
            body=b"",
            sink=lambda _: ReplyDecoder(call, limits=self._limits, sink=_spool),
            seconds=options.call_seconds[call.kind],
            idle_seconds=options.idle_seconds,
            reply_bytes=options.reply_bytes,
        )
        if call.name in _LARGE:
            self._large(exchange, call, session_id)
        else:
            exchange.body = encode_request(call, session_id)
        return exchange

    def _large(self, exchange: Exchange, call: Call[Any], session_id: int) -> None:
        message = encode_request_chunks(call, session_id)
        exchange.content_type = XML if message.content_type == XML.decode() else message.content_type.encode()
        if message.size <= _JOINED:
            exchange.body = b"".join(message.chunks())
        else:
            exchange.body, exchange.length = message.chunks(), message.size


def _spool() -> BinaryIO:
    return cast("BinaryIO", tempfile.TemporaryFile())  # closed by the Blob that reads it
