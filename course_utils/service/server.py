"""The process that serves: a listening socket, uvicorn with time limits, an orderly end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable

import uvicorn

from course_utils.service.limits import TimedProtocol


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at the address; raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's delay off (40 ms an answer) only where the protocol is named.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name != "nt":  # there it would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
    except BaseException:
        listener.close()
        raise
    return listener


async def run(app, listener: socket.socket, tls_files: dict, announce: Callable) -> None:
    """Serve `app` until a signal; /readyz answers 503 until its models are loaded."""

    class Server(uvicorn.Server):
        def handle_exit(self, number, frame):
            app.state.store.ready = False
            super().handle_exit(number, frame)

    settings = {"ws": "none", "loop": "asyncio", "log_level": "warning", "access_log": False}
    settings |= {"server_header": False, "timeout_graceful_shutdown": 30, **tls_files}
    server = Server(uvicorn.Config(app, http=TimedProtocol, **settings))
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn ends in good order, then raises the signal again: this one lets us exit with 0.
        signal.signal(number, lambda *_: None)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await app.state.store.load_all()
        if not server.should_exit:
            announce()
    except BaseException:
        server.should_exit = True
        raise
    finally:
        await serving
