"""The service in a thread of this process, for lessons: HTTP and HTTPS on free loopback ports."""

from __future__ import annotations

import asyncio
import atexit
import http.client
import json
import os
import ssl
import threading

from fastapi import FastAPI

from course_utils.service.server import Server, listen, new_event_loop
from course_utils.service.tls import make_certificate

END_SECONDS = 60  # that `close` waits at most


class LocalService:
    """Serves `app` until `close`, or until this process ends.

    `http_port` and `https_port` are where it listens, on 127.0.0.1 only.
    """

    def __init__(self, app: FastAPI, tls_folder: str | os.PathLike) -> None:
        """Load the models of the app's store and serve; the certificate is made in `tls_folder`.

        Returns when requests are answered, however long loading takes; raises what it raised.
        """
        certificate, private = make_certificate(tls_folder, ["127.0.0.1"])
        self._trust = ssl.create_default_context(cafile=certificate)
        # One lifespan of the app, so that its store is closed once, by the server that ends last.
        tls = {"ssl_certfile": certificate, "ssl_keyfile": private, "lifespan": "off"}
        quiet = {"log_level": "critical", "timeout_graceful_shutdown": 5}
        self._servers = [Server(app, **quiet, **more) for more in (tls, {})]
        self._sockets = [listen("127.0.0.1", 0) for _ in self._servers]
        self.https_port, self.http_port = (s.getsockname()[1] for s in self._sockets)
        self._failure: BaseException | None = None
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(app.state.store,), daemon=True)
        self._thread.start()
        atexit.register(self.close)
        self._started.wait()
        if self._failure:
            raise self._failure

    def connect(
        self, port: int | None = None, encrypted: bool = True
    ) -> http.client.HTTPConnection:
        """Return a connection to `port` of this machine, to the service's own if none is given."""
        if encrypted:
            port = port or self.https_port
            return http.client.HTTPSConnection("127.0.0.1", port, context=self._trust)
        return http.client.HTTPConnection("127.0.0.1", port or self.http_port)

    def ask(self, method: str, path: str, key: str | None = None, content=None, line=None):
        """Send one request; return its status and its text.

        `content` is sent as JSON. `line` is a connection that stays open; without it the request
        has one of its own, over HTTPS.
        """
        connection = line or self.connect()
        try:
            body = None if content is None else json.dumps(content)
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            return reply.status, reply.read().decode()
        finally:
            if line is None:
                connection.close()

    def close(self) -> None:
        """Answer what was accepted and end; a second call does nothing."""
        for server in self._servers:
            server.should_exit = True
        self._thread.join(END_SECONDS)

    def _run(self, store) -> None:
        try:
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                runner.run(self._serve(store))
        except BaseException as error:  # the thread that waits in __init__ raises it
            self._failure = error
            self._started.set()

    async def _serve(self, store) -> None:
        await store.load_all()
        pairs = zip(self._servers, self._sockets, strict=True)
        serving = asyncio.gather(*(server.serve([one]) for server, one in pairs))
        while not all(server.started for server in self._servers) and not serving.done():
            await asyncio.sleep(0.01)
        self._started.set()
        await serving
