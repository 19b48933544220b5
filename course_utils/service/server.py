"""The process that serves: a listening socket, uvicorn with limits, an orderly end."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable

import uvicorn

from course_utils.service.connections import HEAD_SECONDS, TimedProtocol, most_connections

# Seconds after which another thread may go on (Python: 0.005). The thread that calls the model asks
# for its turn some times for each batch, and each time all clients wait.
SWITCH = 0.0005


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return an event loop: uvloop's, which Windows has not."""
    if sys.platform == "win32":
        return asyncio.new_event_loop()
    import uvloop

    return uvloop.new_event_loop()


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at the address; raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's delay off (40 ms an answer) only where the protocol is named.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name != "nt":  # there it would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_backlog())
    except BaseException:
        listener.close()
        raise
    return listener


def _backlog() -> int:
    """Return how many connections may wait: all may be accepted at once, and need descriptors."""
    return min(1024, max(1, most_connections() // 2))


class Server(uvicorn.Server):
    """uvicorn with the limits of `connections`, over sockets that listen already."""

    def __init__(self, app, drain: float = 0, **settings):
        """Serve `app` with these settings of uvicorn; see `run` for `drain`."""
        quiet = {"log_level": "error", "access_log": False, "ws": "none", "server_header": False}
        quiet["proxy_headers"] = False  # whoever is on this machine could claim another address
        settings = {"http": TimedProtocol, "timeout_graceful_shutdown": 30} | quiet | settings
        super().__init__(uvicorn.Config(app, backlog=_backlog(), **settings))
        self.drain = drain

    async def startup(self, sockets=None):
        """Accept connections; the handshake of TLS has the time of a head."""
        await self.lifespan.startup()
        config, loop, self.servers = self.config, asyncio.get_running_loop(), []

        def protocol():
            state = {"server_state": self.server_state, "app_state": self.lifespan.state}
            return config.http_protocol_class(config=config, **state)

        tls = {"ssl": config.ssl, "ssl_handshake_timeout": HEAD_SECONDS} if config.ssl else {}
        for one in sockets:
            options = {"sock": one, "backlog": config.backlog, **tls}
            self.servers.append(await loop.create_server(protocol, **options))
        self.started = True

    def handle_exit(self, number, frame):
        """End at Ctrl-C or a second signal; at SIGTERM first let others see that it is ending."""
        store = self.config.app.state.store
        if number == signal.SIGTERM and store.ready and self.drain:
            loop = asyncio.get_running_loop()
            end = lambda: super(Server, self).handle_exit(number, frame)  # noqa: E731
            loop.call_soon_threadsafe(loop.call_later, self.drain, end)
        else:
            super().handle_exit(number, frame)
        store.ready = False


async def run(
    app, listener: socket.socket, tls_files: dict, announce: Callable, drain: float
) -> None:
    """Serve `app` until a signal; /readyz answers 503 until its models are loaded.

    After SIGTERM new connections are accepted and answered for `drain` more seconds, while /readyz
    says 503: who distributes requests can take notice. Ctrl-C ends it at once. What was accepted
    is answered in both cases.
    """
    server = Server(app, drain, **tls_files)
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn ends in good order, then raises the signal again: this one lets us exit with 0.
        signal.signal(number, lambda *_: None)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await app.state.store.load_all()
        settle()
        if not server.should_exit:
            announce()
    except BaseException:
        server.should_exit = True
        raise
    finally:
        await serving


def settle() -> None:
    """Prepare this process for many short requests, once everything is imported and loaded.

    The half million objects of TensorFlow and the models stay for ever: without `freeze` Python's
    collector goes through them again and again, and all clients wait for 100 ms and more.
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH)
