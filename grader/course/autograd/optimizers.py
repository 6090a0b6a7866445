"""06_optimizers: from one SGD step to Adam, against ``torch.optim`` on float64 copies.

Every run takes five steps on gradients of its own; the learning rate falls after the third. Parameters are about as
large as what five steps change, so that the tolerance sees the change. A second optimizer is stepped in between.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from grader.course import Variant, exercise, fixed, normal, number

NOTEBOOK = "06_optimizers"

Answer = dict[str, Tensor]
Options = tuple[Any, ...]
Steps = tuple[int, ...]

STEPS = 5
#: The steps at which what never has a gradient has none.
NEVER = tuple(range(STEPS))
#: Sizes that no one mistakes for the number of steps.
SIZES = {"n": (3, 7, 9), "d": (6, 8, 10), "k": (11,)}
#: Two parameters with gradients for each step, and one of another optimizer; ``q`` has none at the steps ``without``.
RUN = {
    "p": normal("n", "d", scale=0.1),
    "q": normal("k", scale=0.1),
    "r": normal("n", "d", scale=0.1),
    "p_grads": normal(STEPS, "n", "d"),
    "q_grads": normal(STEPS, "k"),
    "r_grads": normal(STEPS, "n", "d"),
    "lr": number(0.05, 0.15),
    "options": fixed(()),
    "without": fixed(()),
    "lazily": fixed(False),
    "bare": fixed(False),
    "zeroed": fixed(False),
}
#: What SGD does not take.
REFUSED = (
    "SGD([p], -0.1)",
    "SGD([p], 0.1, -0.9)",
    "SGD([p], 0.1, 0, 0, -0.1)",
    "SGD([p], 0.1, 0, 0, 0, True)",
    "SGD([p], 0.1, 0.9, 0.5, 0, True)",
)
#: Both parameters of one shape, lest the state be kept by shape.
ALIKE = {"q": normal("n", "d", scale=0.1), "q_grads": normal(STEPS, "n", "d")}
#: The vector in the matrix's place: weight decay moves both, though some leave biases out of it.
TURNED = {
    "p": normal("k", scale=0.1),
    "q": normal("n", "d", scale=0.1),
    "p_grads": normal(STEPS, "k"),
    "q_grads": normal(STEPS, "n", "d"),
}


def _run(optimizer: str) -> str:
    """The code of a run; ``lazily`` passes the parameters as a generator, ``bare`` nothing but them.

    One that has no gradient at any step stands first, so that it does not end the loop. ``zeroed`` zeroes the gradients
    of ``p`` behind each step, as a training loop may: what was made of them stays.
    """
    return f"""
        order = (q, p) if len(without) == {STEPS} else (p, q)
        optimizer = {optimizer}((each for each in order) if lazily else [*order], *(() if bare else (lr, *options)))
        other = {optimizer}([r], lr, *options)
        for t in range({STEPS}):
            p.g, q.g, r.g = p_grads[t], None if t in without else q_grads[t], r_grads[t]
            if zeroed:
                p.g = given = p.g.clone()
            optimizer.step()
            other.step()
            if zeroed:
                given.zero_()
            if t == 2:
                optimizer.lr = optimizer.lr / 3
        both = [*p.detach().flatten().tolist(), *q.detach().flatten().tolist()]
    """


def _stepped(
    make: Callable[[list[Tensor]], torch.optim.Optimizer],
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    without: Sequence[Container[int]],
    steps: Iterable[int] = range(STEPS),
    *,
    falling: bool = True,
) -> list[Tensor]:
    """The parameters after ``steps`` steps; ``without`` tells at which of them each has no gradient."""
    held = [param.detach().clone().requires_grad_() for param in params]
    optimizer = make(held)
    for t in steps:
        for param, grad, none in zip(held, grads, without, strict=True):
            param.grad = None if t in none else grad[t].detach()
        optimizer.step()
        if falling and t == 2:
            optimizer.param_groups[0]["lr"] /= 3
    return [param.detach() for param in held]


def _ran(
    make: Callable[[list[Tensor]], torch.optim.Optimizer],
    params: Sequence[Tensor],
    grads: Sequence[Tensor],
    without: Steps,
) -> Answer:
    """What ``_run`` leaves: ``p`` and ``q`` after the steps of one optimizer, ``r`` after those of another."""
    p, q = _stepped(make, params[:2], grads[:2], ((), without))
    (r,) = _stepped(make, params[2:], grads[2:], ((),), falling=False)
    return {"p": p, "q": q, "r": r, "both": torch.cat((p.flatten(), q.flatten()))}


@exercise(
    call="sgd_step((each for each in (p, q)) if lazily else [p, q], lr)",
    inputs={
        "p": normal("n", "d"),
        "q": normal("k"),
        "p.g": normal("n", "d"),
        "q.g": normal("k"),
        "lr": number(0.05, 0.5),
        "lazily": fixed(False),
    },
    points={"p": 1, "q": 1},
    in_place=("p", "q"),
    ones=("n", "k"),
    variants=(Variant("a generator of parameters", {"lazily": fixed(True)}),),
    batch=None,
)
def sgd_step(p: Tensor, q: Tensor, p_g: Tensor, q_g: Tensor, lr: float) -> Answer:
    """One step of gradient descent, in place."""
    params = _stepped(lambda held: torch.optim.SGD(held, lr), (p, q), (p_g[None], q_g[None]), ((), ()), range(1))
    return dict(zip("pq", params, strict=True))


@exercise(
    call="""
        if bounds:
            SGD([r], 0.0)  # only what is negative is refused
    """
    + _run("SGD")
    + """
        if clear:
            p.g, q.g = p_grads[0].clone(), q_grads[0].clone()  # zeroed in place, they are this check's loss, not all's
            optimizer.zero_grad()
            for each in (p, q):
                vars(each).setdefault("g", 0)  # deleted is not None either
            cleared = [int(p.g is None), int(q.g is None)]
    """,
    inputs={**RUN, "bounds": fixed(False), "clear": fixed(False)},
    sizes=SIZES,
    points={"p": 1, "q": 1, **dict.fromkeys(REFUSED, 0.25)},
    raises=dict.fromkeys(REFUSED, "ValueError"),
    in_place=("p", "q", "r"),
    scalars=("both", "cleared"),
    ones=("n",),
    variants=(
        Variant("a generator of parameters", {"lazily": fixed(True)}),
        Variant("momentum, parameters of one shape", {**ALIKE, "options": fixed((0.9,))}),
        Variant("momentum", {"options": fixed((0.9,)), "zeroed": fixed(True)}, points={"p": 1, "r": 0.5}),
        Variant("dampening", {"options": fixed((0.9, 0.3)), "without": fixed((0,))}, points={"p": 1, "q": 0.5}),
        Variant("weight decay", {"options": fixed((0, 0, 0.5))}, points={"p": 1}),
        Variant("Nesterov", {**TURNED, "options": fixed((0.9, 0, 0.5, True))}, points={"p": 1}),
        Variant("all but Nesterov", {**TURNED, "options": fixed((0.8, 0.3, 0.5))}, points={"p": 0.25}),
        Variant("a rate of 0, a momentum of 1", {"options": fixed((1.0,)), "bounds": fixed(True)}, points={"p": 0.25}),
        Variant(
            "a parameter without gradient",  # which weight decay does not move either
            {"without": fixed(NEVER), "options": fixed((0, 0, 0.5))},
            points={"both": 0.25},
        ),
        Variant(
            "a step without gradient",  # which leaves the buffer as it is
            {"without": fixed((2,)), "options": fixed((0.9,))},
            points={"q": 0.25},
        ),
        Variant("zero_grad", {"clear": fixed(True)}, points={"cleared": 0.25}),
    ),
    batch=None,
)
def SGD(  # noqa: N802 - the student's class
    p: Tensor,
    q: Tensor,
    r: Tensor,
    p_grads: Tensor,
    q_grads: Tensor,
    r_grads: Tensor,
    lr: float,
    options: Options,
    without: Steps,
) -> Answer:
    """Stochastic gradient descent with all its options."""

    def make(held: list[Tensor]) -> torch.optim.Optimizer:
        return torch.optim.SGD(held, lr, *options)

    return {**_ran(make, (p, q, r), (p_grads, q_grads, r_grads), without), "cleared": torch.tensor([1, 1])}


@exercise(
    call=_run("Adam"),
    inputs={**RUN, "lr": number(0.02, 0.05)},
    sizes=SIZES,
    points={"p": 2, "q": 1},
    in_place=("p", "q", "r"),
    scalars=("both",),
    ones=("n",),
    variants=(
        Variant("a generator of parameters", {"lazily": fixed(True)}),
        Variant("parameters of one shape", ALIKE),
        Variant("a parameter without gradient", {"without": fixed(NEVER)}, points={"both": 0.5}),
        Variant("other betas", {"options": fixed(((0.8, 0.95),))}, points={"p": 1, "r": 0.5}),
        Variant("a large eps", {"options": fixed(((0.9, 0.999), 0.1))}, points={"p": 0.25}),
        Variant("all options left out", {"lr": fixed(1e-3), "bare": fixed(True)}, points={"p": 0.25}),
    ),
    batch=None,
)
def Adam(  # noqa: N802
    p: Tensor,
    q: Tensor,
    r: Tensor,
    p_grads: Tensor,
    q_grads: Tensor,
    r_grads: Tensor,
    lr: float,
    options: Options,
    without: Steps,
) -> Answer:
    """Adam with bias correction."""

    def make(held: list[Tensor]) -> torch.optim.Optimizer:
        return torch.optim.Adam(held, lr, *options)

    return _ran(make, (p, q, r), (p_grads, q_grads, r_grads), without)


#: Numbers in a network with ResNet-18's 62 parameter tensors: 20 convolutions, 20 batch norms, one linear layer.
WEIGHTS = 20 * 3 * 3 + 20 * 2 * 3 + 5 * 3 + 5


@exercise(
    call="""
        import torch

        layers = []
        for _ in range(20):
            layers += [torch.nn.Conv2d(3, 3, 1, bias=False), torch.nn.BatchNorm2d(3)]
        model = torch.nn.Sequential(*layers, torch.nn.Linear(3, 5)).to(start.dtype)
        params = list(model.parameters())
        sizes = [each.numel() for each in params]
        for each, values in zip(params, start.split(sizes)):
            each.data.copy_(values.view_as(each))
        made, drawn = iter(gradients), []

        def next_gradients(network):
            drawn.append(1)
            for each, values in zip(network.parameters(), next(made).split(sizes)):
                each.g = values.view_as(each)

        yours, taken = globals().get("SGD"), []
        step = getattr(yours, "step", None)

        def noted(*args, **named):
            taken.append(1)
            return step(*args, **named)

        if step is not None:
            yours.step = noted
        try:
            resnet_step(model, lr, momentum, steps, next_gradients)
        finally:
            if step is not None:
                yours.step = step
        by_a_function = step is None and callable(yours)
        stepped_by_your_SGD = int(by_a_function or len(taken) >= max(len(drawn), 1))
        first, last = params[0].detach(), params[61].detach()
        middle = torch.cat([each.detach().flatten() for each in params[1:61]])
    """,
    inputs={
        "start": normal(WEIGHTS, scale=0.1),
        "gradients": normal(STEPS, WEIGHTS),
        "lr": number(0.05, 0.15),
        "momentum": number(0.5, 0.95),
        "steps": fixed(STEPS),
    },
    points={"first": 1, "middle": 1, "last": 1},
    scalars=("stepped_by_your_SGD",),
    hints={"stepped_by_your_SGD": "After each call of `next_gradients`: whose `step` moves the parameters?"},
    follows=("SGD",),
    magnitudes=(),
    variants=(
        Variant("six steps", {"gradients": normal(7, WEIGHTS), "steps": fixed(6)}),  # one more than steps
        Variant("who steps", points={"stepped_by_your_SGD": 0.5}),
    ),
)
def resnet_step(start: Tensor, gradients: Tensor, lr: float, momentum: float, steps: int) -> Answer:
    """Momentum steps for all of a ResNet-18."""
    (after,) = _stepped(
        lambda held: torch.optim.SGD(held, lr, momentum), (start,), (gradients,), ((),), range(steps), falling=False
    )
    parts = {"first": after[:9].reshape(3, 3, 1, 1), "middle": after[9:-5], "last": after[-5:]}
    return {**parts, "stepped_by_your_SGD": torch.tensor(1)}
