"""04_layers: the network of 03 as objects.

In each case the layer is called twice, so that it must answer for the last call, and another instance is called in
between, so that the two must not share what they remember. Every call has values of its own for all of its arguments.
What has weights goes back twice, too: their gradients are those of the last time.
"""

from __future__ import annotations

import torch
from torch import Tensor

from grader.course import Variant, constant_tensor, exercise, normal, size
from grader.course.autograd.backprop import NETWORK, ZERO_BEFORE_RELU, network_loss

NOTEBOOK = "04_layers"

#: What the layers are called on, as objects and again as modules: ``inp`` last, ``earlier`` before it, ``between`` by
#: the other instance, and so for the targets.
RELU = {"inp": normal("n", "d"), "earlier": normal("n", "d"), "between": normal("n", "d")}
LINEAR = {
    "inp": normal("n", "i"),
    "w": normal("i", "o"),
    "b": normal("o"),
    "earlier": normal("n", "i"),
    "between": normal("n", "i"),
    "other_w": normal("i", "o"),
    "other_b": normal("o"),
}
TARGETS = {"targ": normal("n"), "earlier_targ": normal("n"), "other_targ": normal("n")}
MSE = {"inp": normal("n", 1), "earlier": normal("n", 1), "between": normal("n", 1), **TARGETS}
SOME_ZEROS = Variant("some inputs exactly zero", {"inp": normal("n", "d", zeros=0.3)})


#: What the weights carry before a layer is made, put back behind the forward pass: gradients are assigned, and a layer
#: that fills them with zeros when it is made, to add up later, is caught adding.
GIVEN = """
        given = [(each, each.g) for each in ({weights})]
"""
PUT_BACK = """
        for each, before in given:
            each.g = before
"""
#: A module is of a subclass of what is called ``Module`` now, or was when its cell ran, and has both formulas itself.
IS_MODULE = """
        held, bases = {{*getattr(layer, "__dict__", ())}}, []
        for each in type(layer).__mro__:
            named = each.__name__ == "Module" and not each.__module__.startswith("torch.")
            if named or each is globals().get("Module"):
                bases.append(each)
            else:
                held |= {{*vars(each)}}
        if not bases or not held.issuperset(("forward", "bwd")):
            raise TypeError("{name} is asked for as a subclass of your Module, with a forward and a bwd of its own")
"""
#: A call that goes back before the last one does, on gradients of NaN: who adds the two, by whatever means, has NaN.
#: What it raises, the last one raises again, when ``out`` is known; what it writes to its input is not of the last one.
EARLIER = """
        layer(earlier)
        try:
            layer.out.g = upstream * float("nan")
            layer.backward()
        except Exception:
            pass
        vars(earlier).pop("g", None)
"""
#: The end of a layer's call. The next layer would set the gradient of what was returned, and of nothing else: a layer
#: that keeps another tensor as ``.out`` finds none there. Without any output there is nothing to go back from.
BACKWARD = """
        if out is not None or layer.out is not None:
            layer.out.g = upstream
            if out is not None and out is not layer.out:
                out.g = vars(layer.out).pop("g")
            layer.backward()
"""


@exercise(
    call="""
        layer, other = Relu(), Relu()
        layer(earlier)
        out = layer(inp)
        other(between)
"""
    + BACKWARD,
    inputs=RELU,
    points={"out": 1, "inp.g": 1},
    variants=(SOME_ZEROS,),
)
def Relu(inp: Tensor) -> Tensor:  # noqa: N802 - the student's class
    """ReLU as a layer."""
    return torch.relu(inp)


@exercise(
    call=GIVEN.format(weights="w, b")
    + """
        layer, other = Lin(w, b), Lin(other_w, other_b)
"""
    + EARLIER
    + """
        out = layer(inp)
        other(between)
"""
    + PUT_BACK
    + BACKWARD,
    inputs=LINEAR,
    points={"out": 1, "inp.g": 1, "w.g": 1, "b.g": 1},
)
def Lin(inp: Tensor, w: Tensor, b: Tensor) -> Tensor:  # noqa: N802
    """A linear layer."""
    return inp @ w + b


@exercise(
    call="""
        layer, other = Mse(), Mse()
        layer(earlier, earlier_targ)
        out = layer(inp, targ)
        other(between, other_targ)
        layer.backward()
    """,
    inputs=MSE,
    points={"out": 1, "inp.g": 1},
)
def Mse(inp: Tensor, targ: Tensor) -> Tensor:  # noqa: N802
    """The mean squared error as a layer."""
    return (inp[:, 0] - targ).pow(2).mean()


@exercise(
    call=GIVEN.format(weights="w1, b1, w2, b2")
    + """
        model, other = Model(w1, b1, w2, b2), Model(w1 + 1, b1 + 1, w2 + 1, b2 + 1)
        model(earlier, earlier_targ)
        try:
            model.backward()
        except Exception:
            pass
        vars(earlier).pop("g", None)
        loss = model(x, targ)
        other(between, other_targ)
"""
    + PUT_BACK
    + """
        model.backward()
    """,
    inputs={
        "x": normal("n", "i"),
        **TARGETS,
        **NETWORK,
        "earlier": normal("n", "i"),
        "between": normal("n", "i"),
    },
    points={"loss": 1, "x.g": 1, "w1.g": 1, "b1.g": 1, "w2.g": 1, "b2.g": 1},
    expects={"loss": "out"},
    follows=("Relu", "Lin", "Mse"),
    variants=(Variant("zeros before the ReLU", {"x": normal("n", "i", zero_row=True), **ZERO_BEFORE_RELU}),),
)
def Model(x: Tensor, targ: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Tensor:  # noqa: N802
    """The whole network as an object."""
    return network_loss(x, targ, w1, b1, w2, b2)


@exercise(
    call="""
        class Product(Module):
            def forward(self, a, b):
                return a * b + b

            def bwd(self, out, a, b):
                a.g, b.g = out.g * b, out.g * (a + 1)

        layer, other = Product(), Product()
        layer(earlier, earlier_b)
        out = layer(a, b)
        other(between, other_b)
        if isinstance(getattr(Product, "args", None), property):  # which is read here alone
            vars(layer)["args"] = layer.args
"""
    + BACKWARD,
    inputs={
        "a": normal("n", "d"),
        "b": normal("n", "d"),
        "earlier": normal("n", "d"),
        "earlier_b": normal("n", "d"),
        "between": normal("n", "d"),
        "other_b": normal("n", "d"),
    },
    points={
        "out": 1,
        "layer.args[0]": 0.5,
        "layer.args[1]": 0.5,
        "a.g": 1,
        "b.g": 1,
        "Module().forward(a, b)": 0.5,
        "Module().bwd(out, a, b)": 0.5,
    },
    expects={"layer.args[0]": "a", "layer.args[1]": "b"},
    raises={"Module().forward(a, b)": "NotImplementedError", "Module().bwd(out, a, b)": "NotImplementedError"},
)
def Module(a: Tensor, b: Tensor) -> Tensor:  # noqa: N802
    """The base class of layers, with a subclass that tells its two arguments apart."""
    return a * b + b


@exercise(
    call="""
        layer, other = ReluModule(), ReluModule()
"""
    + IS_MODULE.format(name="ReluModule")
    + """
        layer(earlier)
        out = layer(inp)
        other(between)
"""
    + BACKWARD,
    inputs=RELU,
    points={"out": 0.5, "inp.g": 0.5},
    follows=("Module",),
    variants=(SOME_ZEROS,),
)
def ReluModule(inp: Tensor) -> Tensor:  # noqa: N802
    """ReLU as a module."""
    return torch.relu(inp)


@exercise(
    call=GIVEN.format(weights="w, b")
    + """
        layer, other = LinModule(w, b), LinModule(other_w, other_b)
"""
    + IS_MODULE.format(name="LinModule")
    + EARLIER
    + """
        out = layer(inp)
        other(between)
"""
    + PUT_BACK
    + BACKWARD,
    inputs=LINEAR,
    points={"out": 0.5, "inp.g": 0.5, "w.g": 0.5, "b.g": 0.5},
    follows=("Module",),
)
def LinModule(inp: Tensor, w: Tensor, b: Tensor) -> Tensor:  # noqa: N802
    """A linear layer as a module."""
    return inp @ w + b


@exercise(
    call="""
        layer, other = MseModule(), MseModule()
"""
    + IS_MODULE.format(name="MseModule")
    + """
        layer(earlier, earlier_targ)
        out = layer(inp, targ)
        other(between, other_targ)
        layer.backward()
    """,
    inputs=MSE,
    points={"out": 0.5, "inp.g": 0.5},
    follows=("Module",),
)
def MseModule(inp: Tensor, targ: Tensor) -> Tensor:  # noqa: N802
    """The mean squared error as a module."""
    return (inp[:, 0] - targ).pow(2).mean()


@exercise(
    call="""
        layer, fresh = Linear(n_in, n_out), Linear(n_in, n_out)
        layer.to(x.dtype)
        for each, value in ((layer.w, w), (layer.b, b)):
            each.data = each.data.to(x.dtype)  # of what is not registered, too
            each.data.copy_(value)
        x.requires_grad_()
        out = layer(x)
        if getattr(out, 'requires_grad', False):
            out.backward(upstream)
    """,
    inputs={
        "x": normal("n", "i"),
        "w": normal("i", "o"),
        "b": normal("o"),
        "n_in": size("i"),
        "n_out": size("o"),
        "zero_w": constant_tensor("i", "o", value=0.0),
        "zero_b": constant_tensor("o", value=0.0),
    },
    points={"fresh.w": 1, "fresh.b": 1, "out": 0.5, "layer.w.grad": 0.5, "layer.b.grad": 0.5, "x.grad": 0.5},
    expects={
        "fresh.w": "zero_w",
        "fresh.b": "zero_b",
        "layer.w.grad": "w.g",
        "layer.b.grad": "b.g",
        "x.grad": "x.g",
    },
    registered=("fresh.w", "fresh.b"),
    autograd=True,
)
def Linear(x: Tensor, w: Tensor, b: Tensor) -> Tensor:  # noqa: N802
    """A linear layer of torch.nn, with registered parameters."""
    return x @ w + b
