"""The format in which tensors travel: what goes in comes out, and nothing else gets in."""

from __future__ import annotations

import json

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.kernel.protocol import exchange
from grader.kernel.protocol.results import parsed
from grader.model import Program

DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int8, torch.uint8, torch.bool]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3)], ids=str)
def test_tensor_survives(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    tensor = torch.randint(0, 2, shape).to(dtype)
    tensors, meta = exchange.decode(exchange.encode({"x": tensor}, {"a": [1, "é"]}))

    assert meta == {"a": [1, "é"]}
    assert tensors["x"].dtype == dtype
    assert torch.equal(tensors["x"], tensor)


def test_negative_view_travels_as_what_it_shows() -> None:
    view = torch.tensor([1 + 2j]).conj().imag
    assert view.is_neg()
    assert exchange.decode(exchange.encode({"x": view}, {}))[0]["x"].tolist() == [-2.0]


def test_format_is_that_of_safetensors() -> None:
    tensor = torch.arange(6.0).reshape(2, 3).t()
    assert torch.equal(safetensors.torch.load(exchange.encode({"x": tensor}, {}))["x"], tensor)


def test_empty_tensor_with_a_huge_axis_is_malformed() -> None:
    data = exchange.encode({"x": torch.empty(0, 3 * 10**8)}, {})
    with pytest.raises(exchange.Malformed, match="a shape of no entry"):
        exchange.decode(data)


@pytest.mark.parametrize("begin", [0, 4, 12])
def test_tensors_that_do_not_follow_one_another_are_malformed(begin: int) -> None:
    places = {"x": 0, "y": begin}
    entries = {name: {"dtype": "U8", "shape": [8], "data_offsets": [at, at + 8]} for name, at in places.items()}
    header = json.dumps({**entries, "__metadata__": {"grader": "{}"}}).encode()
    with pytest.raises(exchange.Malformed, match="begin"):
        exchange.decode(len(header).to_bytes(8, "little") + header + bytes(24))


def file_of(entry: dict[str, object], meta: str = "{}") -> bytes:
    whole = {"dtype": "U8", "shape": [8], "data_offsets": [0, 8], **entry}
    header = json.dumps({"x": whole, "__metadata__": {"grader": meta}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes([2] * 8)


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"shape": [-1, -8]}, "no size"),
        ({"shape": [True, 8]}, "no size"),
        ({"shape": [8.0]}, "no size"),
        ({"shape": [2**48]}, "no size"),
        ({"shape": [1] * 16 + [8]}, "a shape of 17 axes"),
        ({"data_offsets": [0, 8.0]}, "no size"),
        ({"shape": [4]}, "does not match"),
        ({"dtype": "I16"}, "does not match"),
        ({"shape": [9], "data_offsets": [0, 9]}, "does not match"),
        ({"dtype": "BOOL"}, "neither 0 nor 1"),
        ({"dtype": "U64"}, "KeyError"),
        ({"shape": None}, "TypeError"),
    ],
    ids=str,
)
def test_entry_that_encode_does_not_write_is_malformed(entry: dict[str, object], why: str) -> None:
    assert exchange.decode(file_of({}))[0]["x"].tolist() == [2] * 8
    assert exchange.decode(file_of({"shape": [1] * 15 + [8]}))[0]["x"].dim() == 16
    with pytest.raises(exchange.Malformed, match=why):
        exchange.decode(file_of(entry))


def test_header_and_metadata_that_encode_does_not_write_are_malformed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(exchange.Malformed, match="no object"):
        exchange.decode(file_of({}, "[]"))
    for short in (b"", bytes(7), (9).to_bytes(8, "little") + b"{}"):
        with pytest.raises(exchange.Malformed, match="longer"):
            exchange.decode(short)
    monkeypatch.setattr(exchange, "_HEADER_LIMIT", 50)
    with pytest.raises(exchange.Malformed, match="longer"):
        exchange.decode(file_of({}))


def test_size_is_that_of_all_elements() -> None:
    assert exchange.size({"x": torch.zeros(2, 3), "y": torch.zeros(1, dtype=torch.int8).expand(5)}) == 29


@settings(max_examples=150)
@given(st.binary(max_size=200))
def test_bytes_are_decoded_or_malformed(data: bytes) -> None:
    _only_malformed(data)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_entry = st.fixed_dictionaries({
    "dtype": st.sampled_from(["F32", "BOOL", "I64", "X", ""]) | _json,
    "shape": st.lists(st.integers(-1, 2**63), max_size=3) | _json,
    "data_offsets": st.tuples(st.integers(-1, 64), st.integers(-1, 64)) | _json,
})  # fmt: skip


@settings(max_examples=150)
@given(st.dictionaries(st.text(max_size=4), _entry | _json, max_size=3), _json, st.binary(max_size=64))
def test_headers_are_decoded_or_malformed(entries: dict[str, object], meta: object, body: bytes) -> None:
    header = json.dumps({**entries, "__metadata__": {"grader": json.dumps(meta)}}).encode()
    _only_malformed(len(header).to_bytes(8, "little") + header + body)


def _only_malformed(data: bytes) -> None:
    program = Program("x", "f(x)", {"x": torch.ones(1)}, reads=("x.g",))
    try:
        exchange.decode(data)
    except exchange.Malformed:
        run, _ = parsed(data, program, lambda request: None)
        assert run.ended == "crashed"


@settings(max_examples=150)
@given(st.dictionaries(
    st.sampled_from(["ended", "captures", "errors", "error", "printed", "autograd", "seconds", "missing"]),
    _json | st.sampled_from(["returned", "raised", "not_defined"])
    | st.dictionaries(st.sampled_from(["x.g", "type", "message", "request", "line", "name"]), _json, max_size=4),
))  # fmt: skip
def test_outcomes_are_read_without_an_exception(outcome: dict[str, object]) -> None:
    program = Program("x", "f(x)", {"x": torch.ones(1)}, reads=("x.g",), raises=("f()",))
    data = exchange.encode({"c:x.g": torch.ones(1)}, outcome)
    run, _ = parsed(data, program, lambda request: None)
    assert run.case == "x"


def test_what_is_framed_comes_off_piece_by_piece_when_all_of_it_is_there() -> None:
    written = exchange.framed(b"one") + exchange.framed(b"")
    received = bytearray(written[:10])
    assert exchange.unframed(received) is None
    received += written[10:]
    assert [exchange.unframed(received), exchange.unframed(received), exchange.unframed(received)] == [
        b"one",
        b"",
        None,
    ]
    with pytest.raises(exchange.Malformed):
        exchange.unframed(bytearray(written), most=2)
