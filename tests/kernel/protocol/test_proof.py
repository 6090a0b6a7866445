"""What a result's proof is bound to."""

from __future__ import annotations

import pytest

from grader.kernel.protocol.proof import new_secret, proof_of, proves

CHECK = {"sandbox": "bwrap", "autograd": False}
ORDER = {"do": "program", "at": 0, "number": "1"}


@pytest.mark.parametrize(
    ("check", "order", "data"),
    [
        pytest.param({**CHECK, "autograd": True}, ORDER, b"result", id="another_check"),
        pytest.param(CHECK, {**ORDER, "number": "2"}, b"result", id="another_order"),
        pytest.param(CHECK, ORDER, b"Result", id="another_result"),
    ],
)
def test_proof_holds_for_its_order_and_result_alone(check: object, order: object, data: bytes) -> None:
    secret = new_secret()
    proof = proof_of(secret, [CHECK, ORDER], b"result")
    assert proves(proof, secret, [CHECK, ORDER], b"result")
    assert not proves(proof, secret, [check, order], data)
    assert not proves(proof, new_secret(), [CHECK, ORDER], b"result")


@pytest.mark.parametrize("proof", [None, "", 1, "é", [], {"a": 1}])
def test_proof_that_is_none_proves_nothing(proof: object) -> None:
    assert not proves(proof, new_secret(), [CHECK, ORDER], b"")
