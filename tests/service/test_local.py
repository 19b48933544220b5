"""The service in a thread, as lessons use it."""

import json
import socket
from contextlib import closing

import pytest

from course_utils.service.app import create_app
from course_utils.service.local import LocalService
from course_utils.service.models import ModelError, ModelStore
from tests.service.parts import ONE, ListLog, OpenKeys, open_fake, put_model


def app_over(folder):
    return create_app(ModelStore(folder, open_fake), OpenKeys(), ListLog())


def test_it_answers_over_http_and_https_and_ends(tmp_path):
    put_model(tmp_path / "models")
    with closing(LocalService(app_over(tmp_path / "models"), tmp_path / "tls")) as service:
        plain = service.connect(encrypted=False)
        for line in (None, plain):
            content = {"instances": [ONE]}
            status, text = service.ask("POST", "/v1/models/sums:predict", "k", content, line)
            assert status == 200
            assert json.loads(text) == {"predictions": [[21.0, 1.0]], "version": 1}
        assert service.ask("GET", "/v1/models/none", "k")[0] == 404
        plain.close()
        service.close()
    for port in (service.http_port, service.https_port):
        with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            pass


def test_a_model_that_cannot_be_loaded_is_said_at_once(tmp_path):
    put_model(tmp_path / "models", fault="no model in here")
    with pytest.raises(ModelError, match="no model in here"):
        LocalService(app_over(tmp_path / "models"), tmp_path / "tls")
