"""What strangers may cause in the log, and what happens when the log cannot be written."""

import json

import pytest

from course_utils.service import observe
from course_utils.service.audit import AuditError, AuditLog, verify
from course_utils.service.keys import KeyStore
from course_utils.service.observe import REFUSALS, Refusals
from tests.service.parts import ONE, ListLog, put_model, run, running

PREDICT = "/v1/models/sums:predict"
GOOD = json.dumps({"instances": [ONE]})


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


class FullLog(ListLog):
    """A log that can be full."""

    full = False

    def append(self, **fields):
        if self.full:
            raise AuditError("audit.log cannot be written: No space left on device")
        super().append(**fields)


def refusal(status=401, client="192.0.2.1"):
    return {"action": "predict", "key": None, "client": client, "status": status, "ms": 0.1}


def note(refusals, *records):
    async def scenario():
        for record in records:
            refusals.note(record)

    run(scenario())


def test_refusals_beyond_some_a_minute_are_summed_up_and_all_counted():
    log, clock = ListLog(), Clock()
    refusals = Refusals(log, clock)
    many = [refusal(401 + 3 * (i % 2), f"192.0.2.{i % 9}") for i in range(10_000)]
    note(refusals, *many)
    assert len(log) == REFUSALS
    clock.now += 1.0  # a token for one more line
    note(refusals, refusal(403))
    sums = [line for line in log if line["action"] == "refusals"]
    assert len(log) == REFUSALS + len(sums) + 1 == REFUSALS + 3
    assert {line["status"] for line in sums} == {401, 404}
    assert sum(line["count"] for line in sums) == 10_000 - REFUSALS
    for line in sums:
        assert sum(line["clients"].values()) == line["count"]
        assert len(line["clients"]) == observe.MOST_CLIENTS + 1
        assert len(json.dumps(line)) < 500
    clock.now += 3600
    note(refusals, *many[:1000])
    assert len(log) <= REFUSALS + 3 + REFUSALS + 2


def test_addresses_without_number_take_no_memory():
    refusals = Refusals(ListLog(), Clock())
    note(refusals, *(refusal(client=f"2001:db8::{i:x}") for i in range(5000)))
    (clients,) = refusals._sums.values()
    assert len(clients) <= 1001
    assert clients.total() == 5000 - REFUSALS


def test_what_was_summed_up_is_written_at_the_end(tmp_path):
    """An audited service over a real log, asked by strangers alone."""
    put_model(tmp_path / "models")
    audit = AuditLog(tmp_path / "audit.log", b"s" * 32)
    keys = KeyStore(tmp_path / "keys.json")
    key = keys.add("ann", ["metrics"], 1, 600)
    claimed = "lms_01234567_" + "0" * 64

    async def scenario():
        async with running(tmp_path / "models", keys=keys, log=audit) as client:
            for _ in range(500):
                assert (await client.post(PREDICT, content=GOOD)).status_code == 401
                assert (await client.get("/nothing")).status_code == 404
            wrong = {"Authorization": f"Bearer {claimed}"}
            for _ in range(3):
                assert (await client.post(PREDICT, headers=wrong)).status_code == 401
            right = {"Authorization": f"Bearer {key}"}
            assert (await client.get("/metrics", headers=right)).status_code == 200

    run(scenario())
    audit.close()
    assert verify(tmp_path / "audit.log", b"s" * 32).ok
    lines = [json.loads(line) for line in (tmp_path / "audit.log").read_bytes().splitlines()]
    assert len(lines) <= 2 * REFUSALS + 3  # the clock runs on meanwhile
    refused = [line for line in lines if line["action"] != "metrics"]
    assert sum(line.get("count", 1) for line in refused) == 1003


def test_a_wrong_key_leaves_its_public_part_and_the_address(tmp_path):
    put_model(tmp_path / "models")
    keys = KeyStore(tmp_path / "keys.json")

    async def scenario():
        async with running(tmp_path / "models", keys=keys) as client:
            wrong = {"Authorization": "Bearer lms_01234567_" + "0" * 64}
            await client.post(PREDICT, headers=wrong)
            return client.log

    (line,) = run(scenario())
    assert (line["key"], line["claimed"], line["client"]) == (None, "01234567", "127.0.0.1")
    assert "0" * 64 not in str(line)


def test_on_a_full_disk_nothing_is_answered_and_refusals_are_not_lost(tmp_path, capsys):
    put_model(tmp_path)
    log = FullLog()

    async def scenario():
        async with running(tmp_path, log=log) as client:
            log.full = True
            for _ in range(3):
                answer = await client.post(PREDICT, content=GOOD)
                assert (answer.status_code, list(answer.json())) == (503, ["error"])
                assert answer.headers["retry-after"] == "60"
                assert (await client.get("/nothing")).status_code == 404
            assert (await client.get("/healthz")).status_code == 200
            log.full = False
            assert (await client.post(PREDICT, content=GOOD)).status_code == 200
            assert (await client.get("/nothing")).status_code == 404

    run(scenario())
    assert capsys.readouterr().err.count("No space left on device") == 1  # once a minute
    answers = [line for line in log if line["status"] == 200]
    refused = [line for line in log if line["status"] == 404]
    assert len(answers) == 1
    assert sum(line.get("count", 1) for line in refused) == 4


@pytest.mark.parametrize("status", [499, 400, 413, 500])
def test_with_a_key_every_request_has_its_line(status):
    log = ListLog()
    recorder = observe.Recorder(None, log, observe.Metrics(), Refusals(log, Clock()), [])
    scope = {"method": "POST", "path": PREDICT}
    for _ in range(3 * REFUSALS):
        recorder._note(scope, {"action": "predict", "key": "01234567"}, status, 0.1)
    assert len(log) == 3 * REFUSALS
