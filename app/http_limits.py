"""What one connection may take up: the length of a request's head, the time until it is there."""

from asyncio import TimerHandle
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's parser of HTTP, with the limits that it lacks.

    Attributes:
        MAX_HEAD_BYTES: Of the address and all headers of a request.
        MAX_CONNECTIONS: That wait for an answer or a request, in all.
        HEAD_S: Time that the head of a request may take to arrive.
        BODY_S: Pause that a client may make while it sends the body.
    """

    MAX_HEAD_BYTES = 64 * 2**10
    MAX_CONNECTIONS = 1000
    HEAD_S = 20.0
    BODY_S = 60.0

    _timer: TimerHandle | None = None
    _is_in_head = True
    _n_received = 0  # of a head that is not complete
    _n_parsed = 0

    def connection_made(self, transport: Any) -> None:
        """Wait for a request, unless there are too many connections."""
        super().connection_made(transport)
        if len(self.connections) > self.MAX_CONNECTIONS:
            self._refuse(503)
        else:
            self._wait(self.HEAD_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless the head of a request is too long."""
        if self.transport.is_closing():
            return
        self._n_received += len(data)
        super().data_received(data)
        # The parser gathers a header in full before it says so.
        if self._is_in_head and self._n_received > self.MAX_HEAD_BYTES:
            self._refuse(431)

    def handle_websocket_upgrade(self) -> None:
        """Hand over to the WebSocket, which has limits of its own."""
        self._stop_waiting()
        super().handle_websocket_upgrade()

    # What the parser calls

    def on_message_begin(self) -> None:
        """Begin to count, and to wait for the head."""
        super().on_message_begin()
        self._is_in_head, self._n_received, self._n_parsed = True, 0, 0
        self._wait(self.HEAD_S)

    def on_url(self, url: bytes) -> None:
        """Count the address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Wait for the body."""
        self._is_in_head = False
        self._wait(self.BODY_S)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Wait for the rest of the body."""
        self._wait(self.BODY_S)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Stop waiting: the request is there."""
        self._stop_waiting()
        super().on_message_complete()

    def _count(self, n_bytes: int) -> None:
        self._n_parsed += n_bytes
        if self._n_parsed > self.MAX_HEAD_BYTES:
            raise ValueError("The head of the request is too long.")  # the parser answers 400

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(seconds, self._end_wait, seconds)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end_wait(self, seconds: float) -> None:
        if self.flow.read_paused:  # it is the studio that takes its time
            self._wait(seconds)
        elif self._is_in_head:
            self._refuse(408)
        else:
            self.transport.close()

    def _refuse(self, status: int) -> None:
        self._stop_waiting()
        end = b"content-length: 0\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + end)
        self.transport.close()
