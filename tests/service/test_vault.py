"""Sealed model files, and model files with code in them."""

import json
import os
import stat
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from course_utils.service import vault
from course_utils.service.vault import (
    ModelRefused,
    SealError,
    code_in,
    load_keras,
    make_secret,
    open_sealed,
    read_secret,
    seal,
)

KEY = bytes(range(32))
PLAIN = b"PK not really a model " * 10


@pytest.fixture(autouse=True)
def no_secret_in_the_environment(monkeypatch):
    monkeypatch.delenv(vault.VARIABLE, raising=False)


def model_file(folder, name="digits", version=1, content=PLAIN):
    path = folder / name / str(version) / "model.keras"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


# -- the secret ------------------------------------------------------------------------------------


def test_a_secret_is_made_once_and_read_again(tmp_path):
    path = tmp_path / "state" / "secret.key"
    secret = make_secret(path)
    assert len(secret) == 32
    assert read_secret(path) == secret
    assert make_secret(tmp_path / "other.key") != secret
    with pytest.raises(SealError, match=r"secret\.key exists; what it sealed would be lost"):
        make_secret(path)
    assert read_secret(path) == secret


def test_the_environment_goes_before_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv(vault.VARIABLE, KEY.hex())
    assert read_secret(tmp_path / "none.key") == KEY
    monkeypatch.setenv(vault.VARIABLE, "abc")
    message = "variable LMS_SECRET_KEY: expected 64 hexadecimal digits, found 3 characters"
    with pytest.raises(SealError, match=message):
        read_secret(tmp_path / "none.key")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_secret_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "secret.key"
    make_secret(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for mode in (0o640, 0o604):
        path.chmod(mode)
        with pytest.raises(SealError, match=r"can be read by others; run `chmod 600 .*key`"):
            read_secret(path)


@pytest.mark.parametrize("text", ["", "zz" * 32, KEY.hex()[:-2], KEY.hex() + "00", "ключ"])
def test_what_is_no_secret_is_refused(tmp_path, text):
    path = tmp_path / "secret.key"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(SealError, match=r"secret\.key: expected 64 hexadecimal digits, found"):
        read_secret(path)


def test_a_missing_secret_says_what_to_do(tmp_path):
    message = r"read from .*no\.key: No such file or directory; restore the file or set LMS_SEC"
    with pytest.raises(SealError, match=message):
        read_secret(tmp_path / "no.key")


# -- sealed files ----------------------------------------------------------------------------------


def test_a_sealed_file_opens_and_the_plain_one_is_gone(tmp_path):
    path = model_file(tmp_path)
    sealed = seal(path, KEY)
    assert sealed == path.with_name("model.keras.enc")
    assert os.listdir(path.parent) == ["model.keras.enc"]
    content = sealed.read_bytes()
    assert b"model" not in content
    assert len(content) == 8 + 12 + len(PLAIN) + 16
    assert open_sealed(sealed, KEY, "digits", 1) == PLAIN


def test_every_sealing_has_its_own_nonce(tmp_path):
    contents = [seal(model_file(tmp_path / str(i)), KEY).read_bytes() for i in range(2)]
    assert contents[0][8:20] != contents[1][8:20]
    assert contents[0][20:] != contents[1][20:]


def test_a_flip_of_any_byte_and_any_cut_are_refused(tmp_path):
    sealed = seal(model_file(tmp_path), KEY)
    content = sealed.read_bytes()
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 1
        sealed.write_bytes(changed)
        words = "is not a sealed file" if position < 8 else "is refused: it was altered, or sealed"
        with pytest.raises(SealError, match=words):
            open_sealed(sealed, KEY, "digits", 1)
    for length in (*range(40), len(content) - 1):
        sealed.write_bytes(content[:length])
        with pytest.raises(SealError):
            open_sealed(sealed, KEY, "digits", 1)
    sealed.write_bytes(content + b"\0")
    with pytest.raises(SealError):
        open_sealed(sealed, KEY, "digits", 1)


def test_another_secret_is_refused(tmp_path):
    sealed = seal(model_file(tmp_path), KEY)
    with pytest.raises(SealError, match="or sealed with another secret, or is not the file of dig"):
        open_sealed(sealed, bytes(32), "digits", 1)


def test_a_file_in_the_place_of_another_is_refused(tmp_path):
    one, two, letters = (
        seal(model_file(tmp_path, name, version), KEY)
        for name, version in [("digits", 1), ("digits", 2), ("letters", 1)]
    )
    for other in (two, letters):
        one.write_bytes(other.read_bytes())
        message = r"model\.keras\.enc is refused: .* is not the file of digits version 1; restore"
        with pytest.raises(SealError, match=message):
            open_sealed(one, KEY, "digits", 1)
    one.write_bytes(two.read_bytes())
    assert open_sealed(one, KEY, "digits", 2) == PLAIN


def test_seal_wants_the_store_s_folders(tmp_path):
    path = model_file(tmp_path, version="newest")
    with pytest.raises(SealError, match=r"expected a path such as digits/1/model\.keras, found"):
        seal(path, KEY)
    assert path.read_bytes() == PLAIN


def test_a_full_disk_leaves_the_plain_file(tmp_path, monkeypatch):
    path = model_file(tmp_path)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device"):
        seal(path, KEY)
    assert os.listdir(path.parent) == ["model.keras"]
    with pytest.raises(SealError, match=r"model\.keras\.enc cannot be read: No such file"):
        open_sealed(f"{path}.enc", KEY, "digits", 1)


# -- models ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A compiled model of the usual layers, saved."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Rescaling(0.5),
            keras.layers.Dense(3, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(2),
            keras.layers.Softmax(),
        ]
    )
    loss = keras.losses.sparse_categorical_crossentropy
    schedule = keras.optimizers.schedules.CosineDecay(1e-3, 10)
    model.compile(keras.optimizers.Adam(schedule), loss=loss, metrics=["accuracy"])
    path = tmp_path_factory.mktemp("good") / "model.keras"
    model.save(path)
    x = np.linspace(-1, 1, 20, dtype="float32").reshape(5, 4)
    return path, x, model(x).numpy()


def test_a_good_model_loads_from_path_and_bytes(good):
    path, x, expected = good
    for source in (path, str(path), path.read_bytes()):
        model = load_keras(source)
        np.testing.assert_array_equal(model(x).numpy(), expected)
        assert not model.compiled


def test_a_model_with_operations_and_a_registered_class_loads(tmp_path):
    @keras.saving.register_keras_serializable("test_service_vault")
    class Twice(keras.layers.Layer):
        def call(self, x):
            return 2 * x

    inputs = keras.Input((4,))
    outputs = keras.layers.Dense(2)(Twice()(keras.ops.relu(inputs)[:, :3] + 1.0))
    model = keras.Model(inputs, outputs)
    model.save(tmp_path / "m.keras")
    x = np.ones((2, 4), "float32")
    try:
        np.testing.assert_array_equal(load_keras(tmp_path / "m.keras")(x).numpy(), model(x).numpy())
    finally:
        keras.saving.get_custom_objects().pop("test_service_vault>Twice")
    with pytest.raises(ModelRefused, match=r"has code in it: '.*\.Twice'"):
        load_keras(tmp_path / "m.keras")


WRITTEN, WATCHING = [], []


def _watch(event, arguments):
    if WATCHING and event == "open":
        path, mode, flags = arguments
        if (mode and set(mode) & set("wax+")) or (flags or 0) & (os.O_WRONLY | os.O_RDWR):
            WRITTEN.append(path)


def test_a_sealed_model_is_decrypted_in_memory_only(good, tmp_path):
    path, x, expected = good
    sealed = seal(model_file(tmp_path, content=path.read_bytes()), KEY)
    sys.addaudithook(_watch)  # cannot be taken off: WATCHING switches it
    WATCHING.append(True)
    try:
        model = load_keras(open_sealed(sealed, KEY, "digits", 1), label=str(sealed))
        watched = list(WRITTEN)
        (tmp_path / "shows that the hook sees a write").write_text("x")
    finally:
        WATCHING.clear()
    assert watched == []
    assert len(WRITTEN) == 1
    np.testing.assert_array_equal(model(x).numpy(), expected)


# -- files with code in them -----------------------------------------------------------------------
# Every payload only writes a marker file. `fire` shows that it does so when nothing refuses it.


def lambda_model(marker):
    # Only an anonymous function is saved with its code; a named one is saved by its name.
    layer = keras.layers.Lambda(
        lambda x: (__import__("pathlib").Path(marker).write_text("written"), x)[1],
        output_shape=(2,),
    )
    return keras.Sequential([keras.Input((2,)), layer])


def lambda_keras(folder, marker):
    lambda_model(marker).save(folder / "m.keras")
    return folder / "m.keras"


def lambda_h5(folder, marker):
    lambda_model(marker).save(folder / "m.h5")
    return folder / "m.h5"


def saved_model_layer(folder, marker):
    class Writer(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, 2))])
        def __call__(self, x):
            tf.io.write_file(marker, "written")
            return {"y": x}

    writer = Writer()
    tf.saved_model.save(writer, str(folder / "saved"), signatures=writer.__call__)
    layer = keras.layers.TFSMLayer(str(folder / "saved"), call_endpoint="serving_default")
    keras.Sequential([keras.Input((2,)), layer]).save(folder / "m.keras")
    return folder / "m.keras"


def fire(path):
    model = keras.saving.load_model(path, safe_mode=False)
    model(np.zeros((1, 2), "float32"))


@pytest.fixture(params=[lambda_keras, lambda_h5, saved_model_layer])
def payload(request, tmp_path):
    """The path of a model file with code in it, and that of the file which the code writes."""
    marker = tmp_path / "marker"
    path = request.param(tmp_path, str(marker))
    fire(path)
    assert marker.read_text() == "written", "this payload proves nothing"
    marker.unlink()
    return path, marker


def refusal(source, **options):
    """Return the sentence with which `load_keras` refuses; it must be one line."""
    with pytest.raises(ModelRefused) as refused:
        load_keras(source, **options)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400
    return str(refused.value)


def test_a_payload_is_refused_and_not_run(payload):
    path, marker = payload
    sentences = [refusal(path), refusal(path.read_bytes(), label=str(path))]
    for sentence in sentences:
        assert sentence.startswith(f"{path} is "), sentence
        assert ("code in it: " in sentence) == (path.suffix == ".keras")
        assert ("is not a .keras archive" in sentence) == (path.suffix == ".h5")
    assert not marker.exists()


@pytest.mark.parametrize("unsafe", [False, True])
def test_keras_s_own_guard_holds_too(payload, monkeypatch, unsafe):
    """Without the check of the names, and even when safe mode was switched off for the process."""
    path, marker = payload
    monkeypatch.setattr(vault, "code_in", lambda *_: [])
    from keras.src.saving import serialization_lib

    with serialization_lib.SafeModeScope(not unsafe and None):
        if unsafe:
            keras.config.enable_unsafe_deserialization()
        sentence = refusal(path)
    assert (f"{path} cannot be loaded in safe mode: " in sentence) == (path.suffix == ".keras")
    assert not marker.exists()


def rewritten(good_path, folder, change):
    """Copy a model file with its configuration changed by `change`."""
    path = folder / "changed.keras"
    with zipfile.ZipFile(good_path) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                config = json.loads(content)
                change(config)
                content = json.dumps(config).encode()
            new.writestr(name, content)
    return path


def function(module, name):
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


@pytest.mark.parametrize(
    ("activation", "found"),
    [
        (function("os", "getcwd"), "has code in it: 'os.getcwd'"),
        (function("subprocess", "run"), "has code in it: 'subprocess.run'"),
        (function("kerasevil", "f"), "has code in it: 'kerasevil.f'"),
        (function("a\nb", "f"), r"has code in it: 'a\nb.f'"),
        (function("builtins", "eval"), "cannot be loaded in safe mode: "),
        (function("keras.utils", "get_file"), "cannot be loaded in safe mode: "),
        (function("keras.config", "enable_unsafe_deserialization"), "cannot be loaded in safe mo"),
        ({"class_name": "__lambda__", "config": {"value": "4wEA"}}, "has code in it: a layer lam"),
        (
            {"module": "os", "class_name": "Path", "registered_name": []},
            "has code in it: 'os.Path'",
        ),
    ],
)
def test_a_configuration_that_names_a_foreign_function_is_refused(
    good, tmp_path, activation, found
):
    def change(config):
        layer = next(layer for layer in config["config"]["layers"] if "activation" in str(layer))
        layer["config"]["activation"] = activation

    path = rewritten(good[0], tmp_path, change)
    assert f"{path} " in refusal(path)
    assert found in refusal(path)
    keras_allows = rewritten(good[0], tmp_path, lambda config: None)
    load_keras(keras_allows)  # the rewriting alone is not what was refused


def test_the_configuration_of_the_compilation_counts(good, tmp_path):
    def change(config):
        config["compile_config"]["loss"] = function("os", "getcwd")

    assert "code in it: 'os.getcwd'" in refusal(rewritten(good[0], tmp_path, change))


def test_a_long_complaint_of_keras_becomes_one_sentence(good, tmp_path):
    def change(config):
        config["config"]["layers"][2]["config"]["units"] = "many"

    sentence = refusal(rewritten(good[0], tmp_path, change))
    assert "cannot be loaded in safe mode: " in sentence
    assert "units" in sentence  # the cause, which Keras puts at the end of many lines


def test_a_deep_configuration_does_not_break_the_check():
    deep = {"class_name": "Lambda"}
    for _ in range(100_000):
        deep = [deep]
    assert code_in(deep) == ["a layer Lambda"]


def test_a_layer_given_as_a_function_by_its_name_is_code():
    function = {"class_name": "function", "module": "keras.layers", "config": "TFSMLayer"}
    dense = {"class_name": "Dense", "module": "keras.layers", "config": {"activation": function}}
    assert code_in(dense) == ["a layer TFSMLayer"]
    function |= {"module": "builtins", "config": "relu"}
    assert code_in(dense) == []


def test_a_broken_file_is_refused_in_one_sentence(good, tmp_path):
    content = good[0].read_bytes()
    for broken in (
        b"",
        b"PK\x03\x04",
        b"\x89HDF\r\n\x1a\n" + bytes(99),
        content[: len(content) // 2],
    ):
        assert refusal(broken, label="digits").startswith("digits is not a .keras archive (")
    start = content.index(b"\x89HDF")
    weights = content[:start] + bytes(200) + content[start + 200 :]
    assert refusal(weights).startswith("the model cannot be loaded in safe mode: ")
    with zipfile.ZipFile(tmp_path / "z.keras", "w") as archive:
        archive.writestr("config.json", "[" * 100_000)
    assert "z.keras is not a .keras archive" in refusal(tmp_path / "z.keras")
    assert "no.keras cannot be read: No such file" in refusal(Path(tmp_path / "no.keras"))
    assert "cannot be read: Is a directory" in refusal(tmp_path)  # a SavedModel is a folder
