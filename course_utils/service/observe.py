"""What happened: lines of the audit log for requests, and Prometheus' numbers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import sys
import time
from collections import Counter as Counts
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.requests import Request

from course_utils.service.access import TokenBucket
from course_utils.service.audit import AuditError
from course_utils.service.errors import error_reply

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
REFUSALS = 60  # lines of the log in a minute for requests that no valid key was let in with
MOST_CLIENTS = 5  # that a line which sums up refusals names


class Metrics:
    """Counts of requests, their seconds, sizes of batches, lengths of queues."""

    def __init__(self):
        """Make a registry of its own, so that a process may hold several services."""
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "service_requests", "Requests", ["action", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "service_request_seconds",
            "Seconds from a request's head to its answer",
            ["action"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.batches = Histogram(
            "service_batch_instances",
            "Instances that shared a call of a model",
            buckets=SIZES,
            registry=self.registry,
        )
        self.waiting = Gauge(
            "service_waiting_instances",
            "Instances in the queue",
            ["model", "version"],
            registry=self.registry,
        )
        self._series: dict = {}  # looking labels up costs more than counting

    def note(self, action: str, status: int, seconds: float) -> None:
        """Count one request."""
        series = self._series.get((action, status))
        if series is None:
            series = self.requests.labels(action, status), self.seconds.labels(action)
            self._series[action, status] = series
        series[0].inc()
        series[1].observe(seconds)

    def text(self, store) -> bytes:
        """Return all numbers in Prometheus' text format; queues are read from the store now."""
        self.waiting.clear()
        for name, model in store.models.items():
            for version in model.versions.values():
                self.waiting.labels(name, version.number).set(version.batcher.waiting)
        return generate_latest(self.registry)


class Refusals:
    """The lines of requests that were let in by no key: some one by one, the others summed up.

    Anybody can cause them, so they must not fill the disk. A sum is written with the next refusal
    that has a line of its own, after a minute, or at the end; a kill may take the last one.
    """

    def __init__(self, audit, clock: Callable[[], float] = time.monotonic):
        """Write to `audit`."""
        self.audit, self.clock = audit, clock
        self._bucket = TokenBucket(REFUSALS, clock())
        self._sums: dict[int, Counts] = {}  # status: clients
        self._timer: asyncio.TimerHandle | None = None

    def note(self, record: dict) -> None:
        """Write the line of one refusal, or add it to a sum; never raises."""
        if not self._bucket.take(self.clock()):
            try:
                self.write_sums()
                self.audit.append(**record)
                return
            except AuditError:
                pass  # nothing was given away: the refusal stands, and the next sum has it
        clients = self._sums.setdefault(record["status"], Counts())
        client = record.get("client")
        clients[client if client in clients or len(clients) < 1000 else "others"] += 1
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(60, self._write_later)

    def write_sums(self) -> None:
        """Write a line for each status that was summed up; raises AuditError."""
        for status, clients in list(self._sums.items()):
            most = dict(clients.most_common(MOST_CLIENTS))
            most |= {"others": rest} if (rest := clients.total() - sum(most.values())) else {}
            self.audit.append(action="refusals", status=status, count=clients.total(), clients=most)
            del self._sums[status]

    def _write_later(self) -> None:
        self._timer = None
        try:
            self.write_sums()
        except AuditError:  # the next request with a key will tell
            self._timer = asyncio.get_running_loop().call_later(60, self._write_later)


class Recorder:
    """ASGI middleware: measures and logs a request before its answer leaves.

    So whatever a client was answered stands in the log, even after a kill. Routes that need a key
    fill `scope["state"]["record"]`; the others are logged only when they end in an error. When the
    log cannot be written, the answer is a 503. `headers` are added to every answer.
    """

    def __init__(self, app, audit, metrics: Metrics, refusals: Refusals, headers: list):
        """Wrap `app`."""
        self.app, self.audit, self.metrics, self.refusals = app, audit, metrics, refusals
        self.headers, self._complained = headers, -math.inf

    async def __call__(self, scope, receive, send):
        """Pass the request on; take the status from the answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = time.perf_counter()
        record = {"action": None}
        if scope.get("client"):
            record["client"] = scope["client"][0]
        scope.setdefault("state", {})["record"] = record
        started = replaced = False

        async def observed(message):
            nonlocal started, replaced
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], *self.headers]
                try:
                    self._note(scope, record, message["status"], time.perf_counter() - start)
                except AuditError as error:
                    replaced = True
                    self._complain(error)
                    await _say_unlogged(send)
            if not replaced:
                await send(message)

        try:
            await self.app(scope, receive, observed)
        except Exception as error:  # of a model, or of ours; uvicorn prints it
            if not started:
                await error_reply(Request(scope), error)(scope, receive, observed)
            raise

    def _note(self, scope, record, status, seconds):
        action = record["action"] or "other"
        self.metrics.note(action, status, seconds)
        if record["action"] is None:
            if status < 400:
                return
            record["action"] = f"{scope['method']} {scope['path']}"[:100]
        record |= {"status": status, "ms": round(1000 * seconds, 2)}
        if status >= 400 and (status in (401, 403, 429) or not record.get("key")):
            self.refusals.note(record)
        else:
            self.audit.append(**record)

    def _complain(self, error: AuditError) -> None:
        """Tell the operator, once a minute."""
        now = time.monotonic()
        if now >= self._complained + 60:
            self._complained = now
            with contextlib.suppress(OSError):  # standard error may be a file on the same disk
                print(f"error: {error}", file=sys.stderr, flush=True)


async def _say_unlogged(send) -> None:
    """Answer in place of what may not be answered."""
    sentence = "The audit log cannot be written; nothing is answered until it can."
    body = json.dumps({"error": sentence})
    headers = [(b"content-type", b"application/json"), (b"retry-after", b"60")]
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body.encode()})
