"""The bridge from twisted.web to the application: the login in the reactor, the work in a thread, the answer back.

A request takes one lease of its user's session and gives it back with its answer. There are so many threads and no
more; requests that would wait too long a queue are told to come again.
"""

from __future__ import annotations

import re
import sys
import zlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final, TypeVar
from urllib.parse import unquote_to_bytes

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from gateway.dav import auth
from gateway.dav.app import Application, dav_classes, options_answer
from gateway.dav.asked import Asked
from gateway.dav.errors import Answer, BadRequest, answer_of, plain
from gateway.dav.outflow import Outflow, compressed
from gateway.dav.scope import RequestScope, Shared
from gateway.mapi.errors import LogonFailed
from gateway.mapiclient.credentials import Credentials
from gateway.mapiclient.session import Session

log: Final = Logger()
T = TypeVar("T")
#: Smaller answers are not compressed.
_COMPRESS_FROM: Final = 1400
_SWITCH: Final = 0.0005
#: What an absolute-form target has before its path (RFC 9112 3.2.2).
_SERVER: Final = re.compile(rb"\Ahttps?://[^/]*", re.IGNORECASE)
_WELL_KNOWN: Final = ("/.well-known/caldav", "/.well-known/carddav")


class Login:
    """A session that somebody proved to be his, and the way to give it back."""

    def __init__(self, session: Session, release: Callable[[], None]) -> None:
        self.session = session
        self.release = release


#: Credentials and the client's address to a login (LogonFailed, FeatureOff, TransportError).
Authenticate = Callable[[Credentials, str], Awaitable[Login]]


class DavResource(Resource):
    """Everything that is served."""

    isLeaf = True

    def __init__(self, shared: Shared, application: Application, authenticate: Authenticate) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._shared = shared
        self._application = application
        self._authenticate = authenticate
        self._pool = ThreadPool(0, shared.options.threads, name="dav")
        self._active: dict[RequestScope, Deferred[None]] = {}
        self._started = self._stopping = False

    def render(self, request: Any) -> int:
        """Begin to answer a request."""
        work: Deferred[None] = Deferred.fromCoroutine(self._serve(request))
        gone = request.notifyFinish()
        gone.addErrback(lambda _: work.cancel())
        work.addErrback(_log_defect)
        return NOT_DONE_YET

    async def _serve(self, request: Any) -> None:
        try:
            answer = await self._answer(request)
        except CancelledError:
            if request._disconnected:
                return
            raise
        except Exception as error:
            answer = self._told(error)
        if not request._disconnected and not request.startedWriting:
            self._write_head(request, answer)
            _write_body(request, answer)

    def _told(self, error: Exception) -> Answer:
        if isinstance(error, LogonFailed):
            return auth.challenge(self._shared.options, "user name or password is wrong")
        return answer_of(error)

    async def _answer(self, request: Any) -> Answer:
        path = _path_of(request)
        if path.rstrip("/") in _WELL_KNOWN:
            return Answer(301, {"Location": "/"})
        peer = getattr(request.getClientAddress(), "host", "") or ""
        secure = bool(request.isSecure())
        credentials = auth.credentials_of(request.getHeader("authorization") or "")
        if credentials is None:
            if request.method == b"OPTIONS":
                return options_answer(self._shared)
            return auth.challenge(self._shared.options)
        if not auth.may_send_password(self._shared.options, secure=secure, peer=peer):
            return plain(403, "passwords are taken over TLS (https) only")
        if self._stopping or len(self._active) >= self._shared.options.max_waiting:
            return Answer(503, {"Retry-After": "5"})
        login = await self._authenticate(credentials, peer)
        try:
            return await self._work(request, path, login.session, secure=secure)
        finally:
            login.release()

    async def _work(self, request: Any, path: str, session: Session, *, secure: bool) -> Answer:
        scope = RequestScope(self._shared, session)
        application = self._application.serving(scope, _asked(request, path, secure=secure))
        compress = "gzip" in (request.getHeader("accept-encoding") or "")
        answer = await self._in_thread(scope, lambda: _compressed(application.answer(), compress=compress))
        if answer.chunks is not None and request.method != b"HEAD":
            await self._flow(request, scope, answer, answer.chunks)
        return answer

    async def _in_thread(self, scope: RequestScope, work: Callable[[], T]) -> T:
        """Work for a request, in one of the threads."""
        self._start()
        ended: Deferred[None] = Deferred()
        reactor = self._shared.reactor

        def job() -> T:
            try:
                return work()
            finally:
                reactor.callFromThread(ended.callback, None)

        self._active[scope] = ended
        try:
            found: T = await deferToThreadPool(reactor, self._pool, job)
            return found
        except CancelledError:
            # A thread cannot be cancelled: it is told, and the lease is kept until it has noticed.
            scope.leave()
            await ended
            raise
        finally:
            del self._active[scope]

    async def _flow(self, request: Any, scope: RequestScope, answer: Answer, chunks: Iterator[bytes]) -> None:
        """Send a body of many pieces; no thread waits for the client. What ends too early has no end for the client."""
        self._write_head(request, answer)
        outflow = Outflow(request, self._shared.reactor, self._shared.options.idle_timeout)
        try:
            while chunk := await self._in_thread(scope, lambda: next(filter(None, chunks), b"")):
                await outflow.write(chunk)
        except BaseException as error:
            if not isinstance(error, CancelledError):
                answer_of(error)
            request.channel.forceAbortClient()
            return
        outflow.end()
        request.finish()

    def _write_head(self, request: Any, answer: Answer) -> None:
        answer.headers.setdefault("DAV", dav_classes(self._shared))
        _write_head(request, answer)

    def _start(self) -> None:
        if not self._started:
            self._started = True
            # The reactor, and IMAP in it, waits so long for a thread that computes, at every read and write.
            sys.setswitchinterval(min(sys.getswitchinterval(), _SWITCH))
            self._pool.start()

    async def stop(self) -> None:
        """Cancel what is running, and end the threads."""
        self._stopping = True
        for scope, ended in list(self._active.items()):
            scope.leave()
            if not ended.called:
                await _echo(ended)
        if self._started:
            self._started = False
            self._pool.stop()


def _echo(ended: Deferred[None]) -> Deferred[None]:
    """A Deferred that fires with another one, which others wait for too."""
    echo: Deferred[None] = Deferred()
    ended.addCallback(lambda result: echo.callback(result))
    return echo


def _log_defect(failure: Failure) -> None:
    if not isinstance(failure.value, CancelledError):
        log.failure("a request was not answered", failure=failure)


def _path_of(request: Any) -> str:
    """The decoded path (BadRequest)."""
    raw = _SERVER.sub(b"", request.path) or b"/"
    try:
        path: str = unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest("the path is not UTF-8") from error
    if not path.startswith("/"):
        raise BadRequest("the path does not begin with a slash")
    return path


def _asked(request: Any, path: str, *, secure: bool) -> Asked:
    headers = {
        name.decode("latin-1").lower(): b", ".join(values).decode("latin-1")
        for name, values in request.requestHeaders.getAllRawHeaders()
    }
    headers.pop("authorization", None)
    host = headers.get("host", "") or "localhost"
    request.content.seek(0)
    method = request.method.decode("latin-1").upper()
    query = request.uri.partition(b"?")[2].decode("latin-1")
    is_file = method == "POST" and "action=attachment-" in query
    body, content = (b"", request.content) if is_file else (request.content.read(), None)
    return Asked(method, path, headers, body, host, secure, query, content)


def _compressed(answer: Answer, *, compress: bool) -> Answer:
    is_large = answer.chunks is not None or len(answer.body) >= _COMPRESS_FROM
    if not is_large or "Content-Encoding" in answer.headers:
        return answer
    answer.headers["Vary"] = ", ".join(filter(None, (answer.headers.get("Vary"), "Accept-Encoding")))
    if not compress:
        return answer
    if answer.chunks is not None:
        answer.chunks = compressed(answer.chunks)
    else:
        packer = zlib.compressobj(1, wbits=16 + zlib.MAX_WBITS)
        answer.body = packer.compress(answer.body) + packer.flush()
    answer.headers["Content-Encoding"] = "gzip"
    return answer


def _write_head(request: Any, answer: Answer) -> None:
    request.setResponseCode(answer.status)
    request.setHeader("Server", "mapi-gateway")
    for name, value in answer.headers.items():
        if name.lower() != "content-length":
            request.setHeader(name, value.encode("utf-8", "replace"))
    if answer.status not in (204, 304) and answer.chunks is None:
        request.setHeader("Content-Length", str(len(answer.body)))


def _write_body(request: Any, answer: Answer) -> None:
    if request.method != b"HEAD" and answer.body:
        request.write(answer.body)
    request.finish()
