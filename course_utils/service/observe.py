"""What happened: one line of the audit log for each request, and Prometheus' numbers."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


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

    def text(self, store) -> bytes:
        """Return all numbers in Prometheus' text format; queues are read from the store now."""
        self.waiting.clear()
        for name, model in store.models.items():
            for version in model.versions.values():
                self.waiting.labels(name, version.number).set(version.batcher.waiting)
        return generate_latest(self.registry)


class Recorder:
    """ASGI middleware: measures and logs a request before its answer leaves.

    So whatever a client was answered stands in the log, even after a kill. Routes that need a key
    fill `scope["state"]["record"]`; the others are logged only when they end in an error.
    """

    def __init__(self, app, audit, metrics: Metrics):
        """Wrap `app`."""
        self.app, self.audit, self.metrics = app, audit, metrics

    async def __call__(self, scope, receive, send):
        """Pass the request on; take the status from the answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = time.perf_counter()
        record = {"action": None}
        scope.setdefault("state", {})["record"] = record

        async def observed(message):
            if message["type"] == "http.response.start":
                self._note(scope, record, message["status"], time.perf_counter() - start)
            await send(message)

        try:
            await self.app(scope, receive, observed)
        except Exception:  # the answer, status 500, is made outside of this middleware
            self._note(scope, record, 500, time.perf_counter() - start)
            raise

    def _note(self, scope, record, status, seconds):
        action = record["action"] or "other"
        self.metrics.requests.labels(action, status).inc()
        self.metrics.seconds.labels(action).observe(seconds)
        if record["action"] is None:
            if status < 400:
                return
            record["action"] = f"{scope['method']} {scope['path']}"[:100]
        self.audit.append(**record, status=status, ms=round(1000 * seconds, 2))
