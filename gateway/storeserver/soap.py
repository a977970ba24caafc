"""From a request to its answer: decode, find the session, run the call where it belongs, encode.

Large requests are decoded, and all work on the database is done, in worker threads. The name of the call in
the first bytes tells which thread to use; when that guess is wrong the decoded call moves on to the right one.
A call that fails is answered with a result code, a message that makes no sense with a fault; nothing that a
client sends leaves it without an answer.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from inspect import isawaitable
from typing import IO, Any, Final, cast

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

from gateway.mapi.errors import ErrorCode, MapiError
from gateway.mapiclient.wire.envelope import (
    XML,
    Message,
    RequestDecoder,
    encode_fault,
    encode_reply_chunks,
)
from gateway.mapiclient.wire.errors import Fault, WireError
from gateway.mapiclient.wire.schema import Call
from gateway.mapiclient.wire.spool import Limits
from gateway.storeserver import answers  # noqa: F401  (importing it fills ANSWERS)
from gateway.storeserver.context import Anonymous, Context, Quick, Server
from gateway.storeserver.database import TooLong
from gateway.storeserver.dispatch import ANSWERS, Answer, Lane
from gateway.storeserver.http import Request, Response
from gateway.storeserver.sessions import ENHANCED_ICS, Session
from gateway.storeserver.spool import Body, TooLarge, inflated

log: Final = Logger()

SMALL: Final = 8 * 1024
"""Requests up to this size may be decoded in the reactor's thread."""
BRIEF: Final = 64 * 1024
"""Writing requests up to this size may share a commit."""
MAX_REPLY: Final = 1 << 40
COMPRESS_FROM: Final = 1024
_PEEK: Final = 2048
_NAME: Final = re.compile(rb"<(?:[\w.-]+:)?Body[^>]*>\s*<(?:[\w.-]+:)?([\w.-]+)")
_HEADERS: Final = [("Server", "gateway-store"), ("X-Frame-Options", "SAMEORIGIN")]
_ITEMS: Final = 100_000
"""Items of one array in a request, as the real server has it."""


@dataclass(slots=True)
class _Decoded:
    """A request that was understood."""

    call: Call[Any]
    session_id: int
    answer: Answer


class SoapApplication:
    """Answers the requests of all connections."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._limits = Limits(size=int(server.options.max_request), items=_ITEMS)

    def respond(self, request: Request) -> Deferred[Response]:
        """The answer to a request."""
        return Deferred.fromCoroutine(self._respond(request))

    def refuse(self, status: int, reason: str) -> Response:
        """A fault for what is no acceptable request."""
        return _fault(status, reason)

    async def _respond(self, request: Request) -> Response:
        self._server.answered += 1
        if request.method != "POST":
            return _fault(405, f"HTTP {request.method} method not implemented")
        if not request.body.size:
            return _fault(500, "Data required for operation")
        try:
            return await self._answer(request)
        except Fault as fault:
            return _fault(500, fault.reason)
        except (WireError, TooLarge, ValueError) as error:
            return _fault(500, f"Validation constraint violation: {error}")

    async def _answer(self, request: Request) -> Response:
        expected = _expected(request.body.head(_PEEK))
        lane = Lane.READ if expected is None else expected.lane
        brief = expected is not None and expected.brief and request.body.size <= BRIEF
        decoded: _Decoded | None = None
        if request.body.size <= SMALL:
            if lane in (Lane.QUICK, Lane.ANONYMOUS):
                return await self._in_reactor(request, self._decode(request))
            if lane is Lane.READ and brief and not self._server.workers.reading:
                found = self._at_once(request)
                if isinstance(found, Response):
                    return found
                decoded = found
        result = await self._elsewhere(request, decoded, lane, brief=brief)
        if isinstance(result, Response):
            return result
        lane = result.answer.lane_of(result.call)
        if lane in (Lane.QUICK, Lane.ANONYMOUS):
            return await self._in_reactor(request, result)
        return cast("Response", await self._elsewhere(request, result, lane))

    def _at_once(self, request: Request) -> Response | _Decoded:
        """The answer to a call that is likely to be brief; the call decoded if it is not."""
        decoded = self._decode(request)
        try:
            return self._in_thread(request, decoded, Lane.READ, brief=True)
        except TooLong:
            return decoded

    def _elsewhere(
        self, request: Request, decoded: _Decoded | None, lane: Lane, *, brief: bool = False
    ) -> Deferred[Response | _Decoded]:
        """The answer from a thread; the call decoded if it was the wrong thread."""
        workers = self._server.workers
        if lane is Lane.WRITE:
            return workers.write(self._in_thread, request, decoded, lane, brief=brief, discard=_discard)
        return workers.read(self._in_thread, request, decoded, lane, discard=_discard)

    # -- decoding

    def _decode(self, request: Request) -> _Decoded:
        decoder = RequestDecoder(limits=self._limits)
        for chunk in self._plain(request):
            decoder.feed(chunk)
        call, session_id = decoder.close()
        answer = ANSWERS.get(call.name)
        if answer is None:
            raise Fault(
                "Client", f"Method 'ns:{call.name}' not implemented: method name or namespace not recognized"
            )
        return _Decoded(call, session_id, answer)

    def _plain(self, request: Request) -> Iterator[bytes]:
        encoding = request.headers.get("content-encoding", "identity").strip().lower()
        if encoding == "identity":
            return request.body.chunks()
        if encoding not in ("gzip", "x-gzip", "deflate"):
            raise Fault("Client", f"content coding {encoding[:40]} is not supported")
        return inflated(request.body.chunks(), encoding, int(self._server.options.max_request))

    # -- calls without the database

    async def _in_reactor(self, request: Request, decoded: _Decoded) -> Response:
        call, session = decoded.call, None
        try:
            if decoded.answer.lane is Lane.ANONYMOUS:
                context: Any = Anonymous(self._server, decoded.session_id, request.peer)
            else:
                session = self._server.sessions.find(decoded.session_id, request.peer)
                session.requests += 1
                context = Quick(self._server, session, request.peer)
            reply = decoded.answer.function(context, call)
            if isawaitable(reply):
                reply = await reply
        except CancelledError:
            raise  # the client has left
        except MapiError as error:
            reply = call.reply_type(er=error.code)
        except Exception:
            log.failure("{call} failed", call=call.name)
            reply = call.reply_type(er=int(ErrorCode.CALL_FAILED))
        chunked = bool(getattr(reply, "capabilities", 0) & ENHANCED_ICS) if session is None else session.chunked
        return self._response(request, _encoded(call, reply), session, chunked)

    # -- calls on the database

    def _in_thread(
        self, request: Request, decoded: _Decoded | None, lane: Lane, *, brief: bool = False
    ) -> Response | _Decoded:
        """Answer the call, or just decode it when this is not its lane."""
        if decoded is None:
            decoded = self._decode(request)
        if decoded.answer.lane_of(decoded.call) is not lane:
            return decoded
        call, answer = decoded.call, decoded.answer
        session: Session | None = None
        files: list[IO[bytes]] = []
        try:
            session = self._server.sessions.find(decoded.session_id, request.peer)
            session.requests += 1
            work = partial(_call, answer.function, call, files)
            reply = self._server.transact(session, work, writes=lane is Lane.WRITE, brief=brief)
        except TooLong:
            raise
        except MapiError as error:
            if error.code == ErrorCode.DATABASE_ERROR and error.__cause__ is not None:
                log.error("{call} was refused for now: {error}", call=call.name, error=error)
            reply = call.reply_type(er=error.code)
        except Exception:
            log.failure("{call} failed", call=call.name)
            reply = call.reply_type(er=int(ErrorCode.CALL_FAILED))
        try:
            chunked = session is not None and session.chunked
            return self._response(request, _encoded(call, reply), session, chunked)
        finally:
            for file in files:
                file.close()

    # -- encoding

    def _response(self, request: Request, message: Message, session: Session | None, chunked: bool) -> Response:
        body = Body(MAX_REPLY)
        headers = [*_HEADERS, ("Content-Type", message.content_type)]
        chunks = message.chunks()
        if (
            message.size >= COMPRESS_FROM
            and session is not None
            and session.compressed
            and _accepts_gzip(request)
        ):
            headers.append(("Content-Encoding", "gzip"))
            chunks = _deflated(chunks)
        for chunk in chunks:
            body.write(chunk)
        return Response(200, body, headers, chunked)


def _expected(head: bytes) -> Answer | None:
    """How the call that these bytes begin with is answered, as far as one can see."""
    found = _NAME.search(head)
    return ANSWERS.get(found[1].decode("ascii", "replace")) if found else None


def _discard(result: Response | _Decoded) -> None:
    """Free an answer that nobody waits for any more."""
    if isinstance(result, Response):
        result.body.close()


def _call(
    function: Callable[[Context, Any], Any], call: Call[Any], files: list[IO[bytes]], context: Context
) -> Any:
    context.files = files
    return function(context, call)


def _encoded(call: Call[Any], reply: Any) -> Message:
    try:
        return encode_reply_chunks(type(call), reply)
    except WireError:
        log.failure("the answer to {call} cannot travel", call=call.name)
        return encode_reply_chunks(type(call), call.reply_type(er=int(ErrorCode.CALL_FAILED)))


def _fault(status: int, reason: str) -> Response:
    body = Body.of(encode_fault("Client", reason))
    return Response(status, body, [*_HEADERS, ("Content-Type", XML)], close=True)


def _accepts_gzip(request: Request) -> bool:
    return "gzip" in request.headers.get("accept-encoding", "")


def _deflated(chunks: Iterator[bytes]) -> Iterator[bytes]:
    deflater = zlib.compressobj(6, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    for chunk in chunks:
        yield deflater.compress(chunk)
    yield deflater.flush()
