"""Exercises of another author, with names of her own: what is said goes by roles, shapes and the forward pass."""

from __future__ import annotations

from textwrap import dedent

import numpy as np
import pytest
import torch
from torch.nn import functional

from grader.course import computed, exercise, integers, normal, number
from grader.course.proving.mistakes import MISTAKES
from grader.course.proving.rehearsal import Rehearsal
from grader.judge.cases import prepare
from grader.judge.diagnosis.table import diagnose
from grader.judge.evidence import gather
from grader.model import Diagnosis, Exercise, Stub

SEED = 3
SCALE = 0.3


@exercise(
    call="slide_back(signal, taps, upstream)",
    inputs={"signal": normal("s", "c", "t"), "taps": normal("o", "c", "k")},
    points={"signal.g": 1, "taps.g": 1},
    sizes={"k": (3,)},
    ones=("s",),
)
def slide_back(signal, taps):
    """A convolution in one dimension."""
    return functional.conv1d(signal, taps)


@exercise(
    call="pool_back(image, upstream)",
    inputs={"image": normal("s", "h", "w")},
    points={"image.g": 1},
    sizes={"h": (6, 8), "w": (10, 12)},
    ones=("s",),
)
def pool_back(image):
    """Max pooling."""
    return functional.max_pool2d(image, 2)


@exercise(
    call="drop_back(acts, keep, rate, upstream)",
    inputs={"acts": normal("s", "d"), "keep": integers("s", "d", high=2), "rate": number(0.1, 0.6)},
    points={"acts.g": 1},
)
def drop_back(acts, keep, rate):
    """Dropout with a given mask."""
    return acts * keep / (1 - rate)


@exercise(
    call="cell_back(obs, memory, gates, upstream)",
    inputs={"obs": normal("s", "e"), "memory": normal("s", "h"), "gates": normal(3, "e", "h", scale=SCALE)},
    points={"obs.g": 1, "memory.g": 1, "gates.g": 1},
)
def cell_back(obs, memory, gates):
    """A cell with two outputs."""
    forget, let, new = (obs @ gate for gate in gates)
    memory = torch.sigmoid(forget) * memory + torch.sigmoid(let) * torch.tanh(new)
    return torch.stack((torch.tanh(memory), memory))


@exercise(
    call="stack_back(obs, inner, outer, upstream)",
    inputs={"obs": normal("s", "e"), "inner": normal("e", "h"), "outer": normal("h", "o")},
    points={"obs.g": 1, "inner.g": 1, "outer.g": 1},
)
def stack_back(obs, inner, outer):
    """Two layers, a ReLU behind each."""
    return torch.relu(torch.relu(obs @ inner) @ outer)


@exercise(
    call="look_up_back(tokens, table, upstream)",
    inputs={"tokens": integers("s", "t", high="v"), "table": normal("v", "e")},
    points={"table.g": 1},
)
def look_up_back(tokens, table):
    """Rows of a table."""
    return table[tokens]


def some_ignored(draw):
    labels = draw.rng.randint(0, draw.sizes["v"], draw.sizes["s"])
    labels[1::3] = -100
    return labels


@exercise(
    call="token_back(scores, labels)",
    inputs={"scores": normal("s", "v"), "labels": computed("int", "s", by=some_ignored)},
    points={"scores.g": 1},
)
def token_back(scores, labels):
    """The cross entropy of the labels that count."""
    return functional.cross_entropy(scores, labels)


@exercise(
    call="glu_back(acts, upstream)",
    inputs={"acts": normal("s", "d")},
    points={"acts.g": 1},
    sizes={"d": (6, 8)},
    ones=("s",),
)
def glu_back(acts):
    """A gated linear unit."""
    return functional.glu(acts)


@exercise(
    call="gated_back(obs, state, gate, new, upstream)",
    inputs={
        "obs": normal("s", "e"),
        "state": normal("s", "h"),
        "gate": normal("e", "h"),
        "new": normal("e", "h"),
    },
    points={"obs.g": 1, "state.g": 1, "gate.g": 1, "new.g": 1},
)
def gated_back(obs, state, gate, new):
    """A gated unit."""
    z = torch.sigmoid(obs @ gate)
    return (1 - z) * torch.tanh(obs @ new) + z * state


@exercise(
    call="result = gated(obs, state, gate, new)",
    inputs={
        "obs": normal("s", "e"),
        "state": normal("s", "h"),
        "gate": normal("e", "h"),
        "new": normal("e", "h"),
    },
    points={"result": 1},
)
def gated(obs, state, gate, new):
    """What a gated unit gives."""
    z = torch.sigmoid(obs @ gate)
    return {"result": (1 - z) * torch.tanh(obs @ new) + z * state}


@exercise(
    call="weighed_back(words, scores, upstream)",
    inputs={"words": normal("s", "t", "e"), "scores": normal("s", "t")},
    points={"words.g": 1, "scores.g": 1},
)
def weighed_back(words, scores):
    """Rows that are let through in part, and added up."""
    return (torch.sigmoid(scores)[..., None] * words).sum(1)


@exercise(call="swish_back(acts, upstream)", inputs={"acts": normal("s", "d")}, points={"acts.g": 1})
def swish_back(acts):
    """A SiLU, written out."""
    return acts * torch.sigmoid(acts)


@exercise(
    call="result = chosen(obs, weights)",
    inputs={"obs": normal("s", "e"), "weights": normal("e", "v")},
    points={"result": 1},
)
def chosen(obs, weights):
    """The class of the largest score."""
    return {"result": (obs @ weights).argmax(1)}


@exercise(
    call="pairs_back(left, right, heat)",
    inputs={"left": normal("s", "d"), "right": normal("s", "d"), "heat": number(0.5, 2.0)},
    points={"left.g": 1, "right.g": 1},
)
def pairs_back(left, right, heat):
    """A contrastive loss: to each row of one belongs that of the other."""
    return functional.cross_entropy(left @ right.T / heat, torch.arange(len(left)))


@exercise(
    call="apart_back(scores, aims)",
    inputs={
        "scores": normal("s", "v"),
        "aims": computed("float", "s", "v", by=lambda d: d.rng.dirichlet(np.ones(d.sizes["v"]), d.sizes["s"])),
    },
    points={"scores.g": 1},
)
def apart_back(scores, aims):
    """The divergence of a distribution from given ones."""
    return functional.kl_div(torch.log_softmax(scores, 1), aims, reduction="batchmean")


@exercise(
    call="error_back(guess, aim, share)",
    inputs={
        "guess": normal("s", "d"),
        "aim": normal("s", "d"),
        "share": computed("float", "s", by=lambda d: d.rng.uniform(0.2, 3.0, d.sizes["s"])),
    },
    points={"guess.g": 1},
)
def error_back(guess, aim, share):
    """A squared error in which samples weigh differently."""
    return (share[:, None] * (guess - aim) ** 2).sum() / share.sum()


def bounds(draw):
    return np.concatenate(([0], np.sort(draw.rng.randint(0, draw.sizes["t"] + 1, draw.sizes["s"] - 1))))


@exercise(
    call="bag_back(tokens, bounds, table, upstream)",
    inputs={
        "tokens": integers("t", high="v"),
        "bounds": computed("int", "s", by=bounds),
        "table": normal("v", "e"),
    },
    points={"table.g": 1},
)
def bag_back(tokens, bounds, table):
    """Sums of rows of a table."""
    return functional.embedding_bag(tokens, table, bounds, mode="sum")


def beginnings(draw):
    s, t = draw.sizes["s"], draw.sizes["t"]
    return (np.arange(t) < draw.rng.randint(1, t + 1, (s, 1))).astype(np.int64)


@exercise(
    call="pool_rows_back(words, used, upstream)",
    inputs={"words": normal("s", "t", "e"), "used": computed("int", "s", "t", by=beginnings)},
    points={"words.g": 1},
)
def pool_rows_back(words, used):
    """The mean of those that count."""
    return (words * used[..., None]).sum(1) / used.sum(1, keepdim=True)


STEP = {"theta": normal("a", "b"), "slope": normal("a", "b"), "pace": number(0.01, 0.5)}


@exercise(call="descend(theta, slope, pace)", inputs=STEP, points={"theta": 1}, in_place=("theta",))
def descend(theta, slope, pace):
    """One step."""
    return {"theta": theta - pace * slope}


@exercise(
    call="rms_step(theta, slope, cache, pace, kept)",
    inputs={
        **STEP,
        "cache": computed("float", "a", "b", by=lambda d: d.rng.uniform(0.5, 2, d.shape(("a", "b")))),
        "kept": number(0.5, 0.9),
    },
    points={"theta": 1, "cache": 1},
    in_place=("theta", "cache"),
)
def rms_step(theta, slope, cache, pace, kept):
    """One step of RMSprop."""
    cache = kept * cache + (1 - kept) * slope**2
    return {"theta": theta - pace * slope / cache.sqrt(), "cache": cache}


@exercise(
    call="opt = Shrinking([theta], pace, shrink)\nfor slope in slopes:\n    theta.g = slope\n    opt.step()",
    inputs={
        "theta": normal("a", "b"),
        "slopes": normal(5, "a", "b"),
        "pace": number(0.01, 0.1),
        "shrink": number(0.05, 0.5),
    },
    points={"theta": 1},
    in_place=("theta",),
)
def Shrinking(theta, slopes, pace, shrink):
    """AdamW over five steps."""
    theta = theta.detach().clone().requires_grad_()
    optimizer = torch.optim.AdamW([theta], lr=pace, weight_decay=shrink)
    for slope in slopes:
        theta.grad = slope.clone()
        optimizer.step()
    return {"theta": theta.detach()}


@exercise(
    call="opt = Rooted([theta], pace, held, shrink)\nfor slope in slopes:\n    theta.g = slope\n    opt.step()",
    inputs={
        "theta": normal("a", "b"),
        "slopes": normal(5, "a", "b"),
        "pace": number(0.01, 0.1),
        "held": number(0.5, 0.9),
        "shrink": number(0.05, 0.5),
    },
    points={"theta": 1},
    in_place=("theta",),
)
def Rooted(theta, slopes, pace, held, shrink):
    """RMSprop over five steps."""
    theta = theta.detach().clone().requires_grad_()
    optimizer = torch.optim.RMSprop([theta], lr=pace, alpha=held, weight_decay=shrink)
    for slope in slopes:
        theta.grad = slope.clone()
        optimizer.step()
    return {"theta": theta.detach()}


@exercise(
    call="opt = Drifting([theta], pace, held, shrink)\nfor slope in slopes:\n    theta.g = slope\n    opt.step()",
    inputs={
        "theta": normal("a", "b"),
        "slopes": normal(5, "a", "b"),
        "pace": number(0.01, 0.1),
        "held": number(0.5, 0.9),
        "shrink": number(0.05, 0.5),
    },
    points={"theta": 1},
    in_place=("theta",),
)
def Drifting(theta, slopes, pace, held, shrink):
    """Momentum over five steps, with weight decay apart from the gradient."""
    buffer = torch.zeros_like(theta)
    for slope in slopes:
        buffer = held * buffer + slope
        theta = theta - pace * (buffer + shrink * theta)
    return {"theta": theta}


@exercise(
    call="kept_step(theta, cache, pace)",
    inputs={
        "theta": normal("a", "b"),
        "theta.g": normal("a", "b"),
        "cache": normal("a", "b"),
        "pace": number(0.1, 0.5),
    },
    points={"theta": 1, "cache": 1},
    in_place=("theta", "cache"),
)
def kept_step(theta, theta_g, cache, pace):
    """One step by the sum of what came."""
    return {"theta": theta - pace * (cache + theta_g), "cache": cache + theta_g}


@exercise(
    call="follow(theta, mean, kept)",
    inputs={"theta": normal("a", "b"), "mean": normal("a", "b"), "kept": number(0.6, 0.95)},
    points={"mean": 1},
    in_place=("mean",),
)
def follow(theta, mean, kept):
    """A running average."""
    return {"mean": kept * mean + (1 - kept) * theta}


@exercise(
    call="bn = Running(rho, start)\nfor batch in batches:\n    bn(batch)\nmean = bn.mean",
    inputs={"batches": normal(3, "n", "d"), "rho": number(0.05, 0.4), "start": normal("d")},
    points={"mean": 1},
    ones=("d",),
)
def Running(batches, rho, start):
    """A running mean of the columns."""
    for batch in batches:
        start = (1 - rho) * start + rho * batch.mean(0)
    return {"mean": start}


@exercise(
    call="past_back(left, right, scale, upstream)",
    inputs={"left": normal("s", "t", "d"), "right": normal("s", "t", "d"), "scale": number(0.2, 0.5)},
    points={"left.g": 1, "right.g": 1},
    ones=("s", "t"),
    magnitudes=(1e-3,),
)
def past_back(left, right, scale):
    """Attention to what was before, and to oneself."""
    scores = left @ right.mT * scale
    later = torch.ones(scores.shape[-2:]).triu(1).bool()
    return torch.softmax(scores.masked_fill(later, float("-inf")), -1)


@exercise(
    call="tops_back(image, upstream)",
    inputs={"image": normal("s", "h", "w")},
    points={"image.g": 1},
    sizes={"h": (7, 9), "w": (11, 13)},
    ones=("s",),
)
def tops_back(image):
    """Max pooling by windows that overlap."""
    return functional.max_pool2d(image, 3, 2)


@exercise(
    call="margin_back(scores, wanted)",
    inputs={"scores": normal("n", "c"), "wanted": integers("n", high="c")},
    points={"scores.g": 1},
    ones=("n",),
)
def margin_back(scores, wanted):
    """A hinge loss over classes."""
    return (torch.relu(scores - scores.gather(1, wanted[:, None]) + 1).sum(1) - 1).mean()


@exercise(
    call="all_back(guess, aim)", inputs={"guess": normal("n", "d"), "aim": normal("n", "d")}, points={"guess.g": 1}
)
def all_back(guess, aim):
    """The mean of all squared errors."""
    return functional.mse_loss(guess, aim)


@exercise(
    call="groups_back(image, scale, shift, tiny, upstream)",
    inputs={"image": normal("s", "c", "t"), "scale": normal("c"), "shift": normal("c"), "tiny": number(1e-6, 1e-3)},
    points={"image.g": 1, "scale.g": 1},
    sizes={"c": (6, 9)},
    ones=("s",),
)
def groups_back(image, scale, shift, tiny):
    """Group norm."""
    return functional.group_norm(image, 3, scale, shift, tiny)


@exercise(
    call="rms_back(acts, scale, tiny, upstream)",
    inputs={"acts": normal("s", "d"), "scale": normal("d"), "tiny": number(1e-6, 1e-3)},
    points={"acts.g": 1, "scale.g": 1},
)
def rms_back(acts, scale, tiny):
    """RMSNorm, written out."""
    return acts / (acts.pow(2).mean(-1, keepdim=True) + tiny).sqrt() * scale


@exercise(call="log_back(scores, upstream)", inputs={"scores": normal("s", "v")}, points={"scores.g": 1})
def log_back(scores):
    """A log-softmax, written out."""
    return scores - scores.logsumexp(-1, keepdim=True)


@exercise(
    call="chain_back(steps, begin, turn, upstream)",
    inputs={"steps": normal("t", "s", "d"), "begin": normal("s", "d"), "turn": normal("d", "d", scale=0.5)},
    points={"turn.g": 1, "begin.g": 1},
)
def chain_back(steps, begin, turn):
    """A recurrent network."""
    states = [begin]
    for step in steps:
        states.append(torch.tanh(step + states[-1] @ turn))
    return torch.stack(states[1:])


@exercise(
    call="huber_back(guess, aim, bound)",
    inputs={"guess": normal("n", "d", scale=2), "aim": normal("n", "d"), "bound": number(0.5, 1.5)},
    points={"guess.g": 1},
)
def huber_back(guess, aim, bound):
    """The Huber loss."""
    return functional.huber_loss(guess, aim, delta=bound)


@exercise(
    call="tame(theta)",
    inputs={"theta": normal("a", "b"), "theta.g": normal("a", "b")},
    points={"theta.g": 1},
    in_place=("theta.g",),
)
def tame(theta_g):
    """A gradient cut to the length 1."""
    return {"theta.g": theta_g / theta_g.norm()}


@exercise(
    call="ridge_back(obs, theta, aim, shrink)",
    inputs={"obs": normal("s", "d"), "theta": normal("d"), "aim": normal("s"), "shrink": number(0.1, 0.5)},
    points={"theta.g": 1},
)
def ridge_back(obs, theta, aim, shrink):
    """Ridge regression."""
    return ((obs @ theta - aim) ** 2).mean() + shrink * (theta**2).sum()


DRIFTING = """
class Drifting:
    def __init__(self, params, pace, held, shrink):
        self.params, self.pace, self.held, self.shrink = list(params), pace, held, shrink
        self.buffers = [torch.zeros_like(p) for p in self.params]

    def step(self):
        for p, buffer in zip(self.params, self.buffers):
            buffer.mul_(self.held).add_(p.g)
            p.sub_(self.pace * (buffer + self.shrink * p))
"""
ROOTED = """
class Rooted:
    def __init__(self, params, pace, held, shrink):
        self.params, self.pace, self.held, self.shrink = list(params), pace, held, shrink
        self.v = [torch.zeros_like(p) for p in self.params]

    def step(self):
        for p, v in zip(self.params, self.v):
            g = p.g + self.shrink * p
            v.mul_(self.held).add_((1 - self.held) * g**2)
            p.sub_(self.pace * g / (v.sqrt() + 1e-8))
"""
SHRINKING = """
class Shrinking:
    def __init__(self, params, pace, shrink):
        self.params, self.pace, self.shrink, self.t = list(params), pace, shrink, 0
        self.m = [torch.zeros_like(p) for p in self.params]
        self.v = [torch.zeros_like(p) for p in self.params]

    def step(self):
        self.t += 1
        for p, m, v in zip(self.params, self.m, self.v):
            g = p.g
            p.mul_(1 - self.pace * self.shrink)
            m.mul_(0.9).add_(0.1 * g)
            v.mul_(0.999).add_(0.001 * g**2)
            p.sub_(self.pace * (m / (1 - 0.9**self.t)) / ((v / (1 - 0.999**self.t)).sqrt() + 1e-8))
"""
CELL = """
def cell_back(obs, memory, gates, upstream):
    forget, let, new = torch.sigmoid(obs @ gates[0]), torch.sigmoid(obs @ gates[1]), torch.tanh(obs @ gates[2])
    after = forget * memory + let * new
    d = upstream[1] + upstream[0] * (1 - torch.tanh(after) ** 2)
    ds = torch.stack((d * memory * forget * (1 - forget), d * new * let * (1 - let), d * let * (1 - new**2)))
    memory.g = d * forget
    obs.g = sum(ds[k] @ gates[k].T for k in range(3))
    gates.g = torch.stack([obs.T @ ds[k] for k in range(3)])
"""
STACK = """
def stack_back(obs, inner, outer, upstream):
    a = obs @ inner
    h = torch.relu(a)
    g = upstream * (h @ outer > 0)
    d = g @ outer.T * (a > 0)
    obs.g, inner.g, outer.g = d @ inner.T, obs.T @ d, h.T @ g
"""
POOL = """
def pool_back(image, upstream):
    s, h, w = image.shape
    blocks = image.reshape(s, h // 2, 2, w // 2, 2)
    hit = (blocks == blocks.amax((2, 4), keepdim=True)).to(image.dtype)
    image.g = (hit * upstream[:, :, None, :, None]).reshape(s, h, w)
"""
SLIDE = """
def slide_back(signal, taps, upstream):
    signal.g, taps.g = torch.zeros_like(signal), torch.zeros_like(taps)
    steps, width = upstream.shape[2], taps.shape[2]
    for i in range(width):
        signal.g[:, :, i:i + steps] += torch.einsum("sot,oc->sct", upstream, taps[:, :, i])
        taps.g[:, :, i] = torch.einsum("sot,sct->oc", upstream, signal[:, :, i:i + steps])
"""
TOKEN = """
def token_back(scores, labels):
    counted = labels != -100
    g = torch.softmax(scores, 1)
    g[torch.arange(len(labels)), labels.clamp(min=0)] -= 1
    scores.g = g * counted[:, None] / counted.sum()
"""
GLU = """
def glu_back(acts, upstream):
    value, gate = acts.chunk(2, -1)
    s = torch.sigmoid(gate)
    acts.g = torch.cat((upstream * s, upstream * value * s * (1 - s)), -1)
"""
GATED = """
def gated_back(obs, state, gate, new, upstream):
    z, n = torch.sigmoid(obs @ gate), torch.tanh(obs @ new)
    dz = upstream * (state - n) * z * (1 - z)
    dn = upstream * (1 - z) * (1 - n**2)
    state.g = upstream * z
    gate.g, new.g = obs.T @ dz, obs.T @ dn
    obs.g = dz @ gate.T + dn @ new.T
"""
WEIGHED = """
def weighed_back(words, scores, upstream):
    z, g = torch.sigmoid(scores), upstream[:, None]
    words.g = g * z[..., None]
    scores.g = (g * words).sum(2) * z * (1 - z)
"""
GATED_FORWARD = """
def gated(obs, state, gate, new):
    z = torch.sigmoid(obs @ gate)
    return (1 - z) * torch.tanh(obs @ new) + z * state
"""
SWISH = """
def swish_back(acts, upstream):
    s = torch.sigmoid(acts)
    acts.g = upstream * (s + acts * s * (1 - s))
"""
CHOSEN = "def chosen(obs, weights):\n    return (obs @ weights).argmax(1)"
PAIRS = """
def pairs_back(left, right, heat):
    g = torch.softmax(left @ right.T / heat, 1)
    g = (g - torch.eye(len(left), dtype=left.dtype)) / len(left) / heat
    left.g, right.g = g @ right, g.T @ left
"""
APART = "def apart_back(scores, aims):\n    scores.g = (torch.softmax(scores, 1) - aims) / len(scores)"
ERROR = "def error_back(guess, aim, share):\n    guess.g = 2 * share[:, None] * (guess - aim) / share.sum()"
BAG = """
def bag_back(tokens, bounds, table, upstream):
    bag = torch.searchsorted(bounds, torch.arange(len(tokens)), right=True) - 1
    table.g = torch.zeros_like(table)
    table.g.index_add_(0, tokens, upstream[bag])
"""
POOL_ROWS = """
def pool_rows_back(words, used, upstream):
    words.g = upstream[:, None] * used[..., None] / used.sum(1)[:, None, None]
"""
DROP = "def drop_back(acts, keep, rate, upstream):\n    acts.g = upstream * keep / (1 - rate)"
LOOK = """
def look_up_back(tokens, table, upstream):
    table.g = torch.zeros_like(table)
    table.g.index_put_((tokens,), upstream, accumulate=True)
"""
RMS = """
def rms_step(theta, slope, cache, pace, kept):
    cache.mul_(kept).add_((1 - kept) * slope**2)
    theta -= pace * slope / cache.sqrt()
"""
KEPT = "def kept_step(theta, cache, pace):\n    cache += theta.g\n    theta -= pace * cache"
FOLLOW = "def follow(theta, mean, kept):\n    mean.mul_(kept).add_((1 - kept) * theta)"
RUNNING = """
class Running:
    def __init__(self, rho, start):
        self.rho, self.mean = rho, start.clone()

    def __call__(self, x):
        self.mean = (1 - self.rho) * self.mean + self.rho * x.mean(0)
"""
PAST = """
def past_back(left, right, scale, upstream):
    turn = lambda value: value.transpose(-1, -2)
    scores = left @ turn(right) * scale
    p = torch.softmax(scores.masked_fill(torch.ones(scores.shape[-2:]).triu(1).bool(), float("-inf")), -1)
    d = p * (upstream - (upstream * p).sum(-1, keepdim=True)) * scale
    left.g, right.g = d @ right, turn(d) @ left
"""
TOPS = """
def tops_back(image, upstream):
    image.g = torch.zeros_like(image)
    for i in range(upstream.shape[1]):
        for j in range(upstream.shape[2]):
            window = image[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3]
            largest = (window == window.amax((1, 2), keepdim=True)).to(image.dtype)
            image.g[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3] += largest * upstream[:, i, j][:, None, None]
"""
BY_PLACE = """
def tops_back(image, upstream):
    places = functional.max_pool2d(image, 3, 2, return_indices=True)[1].flatten(1)
    image.g = torch.zeros_like(image).flatten(1)
    for k, part in enumerate(upstream.flatten(1).T):
        image.g[range(len(image)), places[:, k]] += part
    image.g = image.g.view_as(image)
"""
MARGIN = """
def margin_back(scores, wanted):
    rows = torch.arange(len(scores))
    active = (scores - scores[rows, wanted][:, None] + 1 > 0).to(scores.dtype)
    active[rows, wanted] = 0
    active[rows, wanted] = -active.sum(1)
    scores.g = active / len(scores)
"""
ALL = "def all_back(guess, aim):\n    guess.g = 2 * (guess - aim) / guess.numel()"
GROUPS = """
def groups_back(image, scale, shift, tiny, upstream):
    x = image.reshape(len(image), 3, -1)
    root = (x.var(-1, correction=0, keepdim=True) + tiny).sqrt()
    n = (x - x.mean(-1, keepdim=True)) / root
    d = (upstream * scale[:, None]).reshape(x.shape)
    image.g = ((d - d.mean(-1, keepdim=True) - n * (d * n).mean(-1, keepdim=True)) / root).view_as(image)
    scale.g = (upstream * n.view_as(image)).sum((0, 2))
"""
ROOT_MEAN_SQUARE = """
def rms_back(acts, scale, tiny, upstream):
    root = (acts.pow(2).mean(-1, keepdim=True) + tiny).sqrt()
    n = acts / root
    d = upstream * scale
    acts.g = (d - n * (d * n).mean(-1, keepdim=True)) / root
    scale.g = (upstream * n).sum(0)
"""
LOG = """
def log_back(scores, upstream):
    p = torch.softmax(scores, -1)
    scores.g = upstream - p * upstream.sum(-1, keepdim=True)
"""
CHAIN = """
def chain_back(steps, begin, turn, upstream):
    states = [begin]
    for step in steps:
        states.append(torch.tanh(step + states[-1] @ turn))
    back, turn.g = torch.zeros_like(begin), torch.zeros_like(turn)
    for t in reversed(range(len(steps))):
        inside = (upstream[t] + back) * (1 - states[t + 1] ** 2)
        turn.g += states[t].T @ inside
        back = inside @ turn.T
    begin.g = back
"""
HUBER = """
def huber_back(guess, aim, bound):
    e = guess - aim
    guess.g = torch.where(e.abs() < bound, e, bound * e.sign()) / e.numel()
"""
TAME = "def tame(theta):\n    theta.g /= theta.g.norm()"
RIDGE = """
def ridge_back(obs, theta, aim, shrink):
    theta.g = 2 * obs.T @ (obs @ theta - aim) / len(obs) + 2 * shrink * theta
"""
DESCEND = "def descend(theta, slope, pace):\n    theta -= pace * slope"

#: id → exercise, right answer, what a student writes for what, check, code, words.
TOLD = {
    "kernel turned": (
        slide_back,
        SLIDE,
        ("taps[:, :, i])", "taps[:, :, width - 1 - i])"),
        "signal.g",
        "wrong_value",
        "kernel is not flipped",
    ),
    "loop too short": (
        slide_back,
        SLIDE,
        ("range(width)", "range(width - 1)"),
        "signal.g",
        "wrong_value",
        "leaves out its last column",
    ),
    "pooling inverted": (
        pool_back,
        POOL,
        ("hit * up", "(1 - hit) * up"),
        "image.g",
        "mask_inverted",
        "in none of the others",
    ),
    "number over a size": (
        pool_back,
        POOL,
        (".reshape(s, h, w)", ".reshape(s, h, w) * 7 / s"),
        "image.g",
        "scaled",
        "7/s times",
    ),
    "dropout inverted": (drop_back, DROP, ("* keep", "* (1 - keep)"), "acts.g", "mask_inverted", "`keep`"),
    "dropout left out": (drop_back, DROP, ("* keep", ""), "acts.g", "mask_missing", "`keep`"),
    "an output left out": (
        cell_back,
        CELL,
        ("upstream[1] + ", ""),
        "memory.g",
        "wrong_value",
        "along axis 0: the first alone",
    ),
    "one of the slopes": (
        cell_back,
        CELL,
        ("let * (1 - let)", "(1 - let)"),
        "obs.g",
        "wrong_value",
        "in one place of the 2",
    ),
    **{
        f"gate {what}": (gated_back, GATED, change, check, "wrong_value", said)
        for what, change, check, said in (
            ("turned round", ("upstream * z\n", "upstream * (1 - z)\n"), "state.g", "1 − σ stands in the place of the"),
            (
                "for its rest",
                ("upstream * (1 - z)", "upstream * z"),
                "new.g",
                "when σ stands in the place of the gate 1 −",
            ),
            ("forgotten", (" * (1 - z) * (1", " * (1"), "obs.g", "1 stands in the place of the gate 1 − σ"),
            ("subtracted", ("(state - n)", "(n - state)"), "obs.g", "−σ(1 − σ) in place of"),
        )
    },
    **{
        f"gate of rows {what}": (weighed_back, WEIGHED, ("g * z[..., None]", change), "words.g", "wrong_value", said)
        for what, change, said in (
            ("forgotten", "g.expand_as(words)", "1 stands in the place of the gate σ"),
            ("turned round", "g * (1 - z)[..., None]", "1 − σ stands in the place of the gate σ"),
        )
    },
    "gate turned round on the way forward": (
        gated,
        GATED_FORWARD,
        ("(1 - z) * torch.tanh(obs @ new) + z * state", "z * torch.tanh(obs @ new) + (1 - z) * state"),
        "result",
        "wrong_value",
        "σ stands in the place of 1 − σ, and 1 − σ in that of σ",
    ),
    **{
        f"one gate {what}": (cell_back, CELL, change, check, "wrong_value", f"{said} stands in the place of the gate σ")
        for what, change, check, said in (
            ("forgotten", ("= d * forget", "= d"), "memory.g", "1"),
            ("turned round", ("= d * forget", "= d * (1 - forget)"), "memory.g", "1 − σ"),
            ("forgotten on another way", ("d * let * (1 - new**2)", "d * (1 - new**2)"), "obs.g", "1"),
        )
    },
    **{
        f"SiLU {what}": (swish_back, SWISH, ("(s + acts * s * (1 - s))", change), "acts.g", "wrong_value", said)
        for what, change, said in (
            ("as a sigmoid", "s * (1 - s)", "σ(1 − σ), the derivative of the sigmoid, stands"),
            ("without its second term", "s", "the term x · σ(1 − σ) is missing"),
            ("without its first term", "acts * s * (1 - s)", "the term σ is missing"),
        )
    },
    "smallest for largest": (chosen, CHOSEN, ("argmax", "argmin"), "result", "wrong_value", "the smallest entry"),
    **{
        f"softmax of {name} over the other axis": (*one, ("1)", "0)"), check, "wrong_value", "taken over another axis")
        for name, one, check in (
            ("pairs", (pairs_back, PAIRS), "left.g"),
            ("pairs, to the other", (pairs_back, PAIRS), "right.g"),
            ("a divergence", (apart_back, APART), "scores.g"),
        )
    },
    "samples that weigh alike": (
        error_back,
        ERROR,
        ("share[:, None] * (guess - aim) / share.sum()", "(guess - aim) / len(guess)"),
        "guess.g",
        "wrong_value",
        "`share` does not come into it",
    ),
    "bags written over": (
        bag_back,
        BAG,
        (".index_add_(0, tokens, upstream[bag])", "[tokens] += upstream[bag]"),
        "table.g",
        "overwritten",
        "several contributions",
    ),
    "rows counted by the index": (
        look_up_back,
        LOOK,
        ("torch.zeros_like(table)", "torch.zeros(int(tokens.max()) + 1, table.shape[1], dtype=table.dtype)"),
        "table.g",
        "wrong_shape",
        "ends with the last row that `tokens` names",
    ),
    "counts left out": (
        pool_rows_back,
        POOL_ROWS,
        (" / used.sum(1)[:, None, None]", ""),
        "words.g",
        "wrong_value",
        "the right answer times the sum of `used` along axis 1",
    ),
    "counts twice": (
        pool_rows_back,
        POOL_ROWS,
        ("used.sum(1)[:, None, None]", "used.sum(1)[:, None, None] ** 2"),
        "words.g",
        "wrong_value",
        "the right answer divided by the sum of `used` along axis 1",
    ),
    "size for counts": (
        pool_rows_back,
        POOL_ROWS,
        ("used.sum(1)[:, None, None]", "used.shape[1]"),
        "words.g",
        "wrong_value",
        "entries that are not 0, of all failing cases together",
    ),
    **{
        f"one of the masks {what}": (
            stack_back,
            STACK,
            change,
            "obs.g",
            "wrong_value",
            f"{what}, in one place of the 2",
        )
        for what, change in (
            ("is missing", (" * (h @ outer > 0)", "")),
            ("is inverted", ("outer > 0", "outer <= 0")),
            ("of the ReLU is inverted", ("a > 0", "a <= 0")),
        )
    },
    "rows written over": (
        look_up_back,
        LOOK,
        (", accumulate=True", ""),
        "table.g",
        "overwritten",
        "several contributions",
    ),
    "sign of the target": (
        token_back,
        TOKEN,
        ("-= 1", "+= 1"),
        "scores.g",
        "wrong_value",
        "1 is added to the probability",
    ),
    "slope of the gate": (
        glu_back,
        GLU,
        ("s * (1 - s)", "s"),
        "acts.g",
        "wrong_value",
        "in the place of its derivative",
    ),
    "ascent": (descend, DESCEND, ("-=", "+="), "theta", "wrong_value", "opposite sign of `slope`"),
    "rate left out": (descend, DESCEND, ("pace * ", ""), "theta", "learning_rate_ignored", "learning rate is 1"),
    "rate of a product": (
        descend,
        DESCEND,
        ("pace * slope", "pace**2 * slope"),
        "theta",
        "wrong_value",
        "p - lr**2 * g",
    ),
    "root left out": (rms_step, RMS, (".sqrt()", ""), "theta", "wrong_value", "square root is missing"),
    "weight left out": (rms_step, RMS, ("(1 - kept) * ", ""), "cache", "wrong_value", "a number is missing"),
    "decay left out": (Drifting, DRIFTING, (" + self.shrink * p", ""), "theta", "weight_decay", "decay is left out"),
    "decay subtracted": (Drifting, DRIFTING, ("r + self", "r - self"), "theta", "weight_decay", "decay is subtracted"),
    **{
        f"one average {what}": (Rooted, ROOTED, change, "theta", code, said)
        for what, change, code, said in (
            (
                "of ones",
                ("zeros_like", "ones_like"),
                "wrong_value",
                "the average of the squares starts at 1, and not at 0",
            ),
            ("unweighted", ("(1 - self.held) * g", "g"), "wrong_value", "without the weight 1 − `held`"),
            ("without root", ("v.sqrt()", "v"), "wrong_value", "the root of the average of the squares is left out"),
            ("added up", ("v.mul_(self.held).add_((1 - self.held) * ", "v.add_("), "wrong_value", "as in Adagrad"),
            (
                "of plain steps",
                ("self.pace * g / (v.sqrt() + 1e-8)", "self.pace * g"),
                "wrong_value",
                "the step is the gradient alone",
            ),
            ("without decay", (" + self.shrink * p", ""), "weight_decay", "decay is left out"),
            (
                "with decay subtracted",
                ("+ self.shrink * p", "- self.shrink * p"),
                "weight_decay",
                "decay is subtracted",
            ),
            (
                "with decay times the rate",
                ("+ self", "+ self.pace * self"),
                "weight_decay",
                "multiplied by the learning rate",
            ),
        )
    },
    "average made anew": (
        kept_step,
        KEPT,
        ("cache += theta.g", "cache = cache + theta.g"),
        "cache",
        "not_in_place",
        "The update made a new tensor, came to 0",
    ),
    "parameter made anew": (
        kept_step,
        KEPT,
        ("theta -= pace * cache", "theta = theta - pace * cache"),
        "theta",
        "not_in_place",
        "The update made a new tensor, came to 0",
    ),
    "share of an average as it was": (
        Running,
        RUNNING,
        ("(1 - self.rho) * self.mean + self.rho * x", "x"),
        "mean",
        "wrong_value",
        "with 1 in the place of `rho`",
    ),
    "shut out too much": (past_back, PAST, ("triu(1)", "triu(0)"), "right.g", "non_finite", "that is −∞ throughout"),
    "windows written over": (
        tops_back,
        TOPS,
        ("+= largest", "= largest"),
        "image.g",
        "overwritten",
        "several contributions",
    ),
    "places written over": (
        tops_back,
        BY_PLACE,
        ("+= part", "= part"),
        "image.g",
        "overwritten",
        "several contributions",
    ),
    "smallest of a window": (
        tops_back,
        TOPS,
        ("amax", "amin"),
        "image.g",
        "wrong_value",
        "the smallest entry is taken",
    ),
    "margin without its condition": (
        margin_back,
        MARGIN,
        ("+ 1 > 0", "+ 1 > -1e9"),
        "scores.g",
        "mask_missing",
        "where max(0, x) in the formula is 0, too",
    ),
    "margin the wrong way round": (
        margin_back,
        MARGIN,
        ("+ 1 > 0", "+ 1 < 0"),
        "scores.g",
        "mask_inverted",
        "where max(0, x) in the formula is 0, and none",
    ),
    "margin without its minus": (
        margin_back,
        MARGIN,
        ("-active.sum", "active.sum"),
        "scores.g",
        "wrong_value",
        "or the minus in front of some entries was left out",
    ),
    **{
        f"mean of all entries {what}": (all_back, ALL, change, "guess.g", code, said)
        for what, change, code, said in (
            ("left out", (" / guess.numel()", ""), "missing_mean", "that is n·d times in every case"),
            (
                "left out, and the sign",
                ("2 * (guess - aim) / guess.numel()", "2 * (aim - guess)"),
                "scaled",
                "-n·d times",
            ),
            ("by a number", ("/ guess.numel()", "/ 70"), "scaled", "is n·d/70 times"),
        )
    },
    **{
        f"{one[0].id} {what}": (*one[:2], change, f"{one[2]}.g", "wrong_value", said)
        for one, what, change, said in (
            (
                (groups_back, GROUPS, "image"),
                "no mean",
                (" - d.mean(-1, keepdim=True)", ""),
                "the mean is taken for a con",
            ),
            (
                (groups_back, GROUPS, "image"),
                "no spread",
                (" - n * (d * n).mean(-1, keepdim=True)", ""),
                "variance is taken",
            ),
            ((groups_back, GROUPS, "image"), "unbiased", ("correction=0", "correction=1"), "unbiased, as"),
            (
                (rms_back, ROOT_MEAN_SQUARE, "acts"),
                "sum",
                (".mean(-1, keepdim=True)) / root", ".sum(-1, keepdim=True)) / root"),
                "a sum stands in the place of the mean",
            ),
            (
                (rms_back, ROOT_MEAN_SQUARE, "acts"),
                "centred",
                ("(d - n", "(d - d.mean(-1, keepdim=True) - n"),
                "on the way back, as in layer norm",
            ),
            (
                (rms_back, ROOT_MEAN_SQUARE, "acts"),
                "added",
                ("d - n", "d + n"),
                "which comes of the mean square, is added",
            ),
            (
                (rms_back, ROOT_MEAN_SQUARE, "acts"),
                "no root",
                (")) / root", "))"),
                "division by the root of the mean square",
            ),
        )
    },
    "only the last turn of a loop": (
        chain_back,
        CHAIN,
        ("turn.g +=", "turn.g ="),
        "turn.g",
        "wrong_value",
        "lacks all but the first one of the contributions",
    ),
    "all but the last step": (
        chain_back,
        CHAIN,
        ("turn.g += states", "turn.g += (t > 0) * states"),
        "turn.g",
        "wrong_value",
        "lacks the first one of the contributions",
    ),
    **{
        f"log-softmax {what}": (log_back, LOG, change, "scores.g", "wrong_value", said)
        for what, change, said in (
            (
                "without its sum",
                ("p * upstream.sum(-1, keepdim=True)", "p"),
                "the sum is left out in the derivative of the log",
            ),
            (
                "of the slope of one",
                ("p * upstream.sum(-1, keepdim=True)", "p * upstream"),
                "and g stands in its place",
            ),
            ("with a plus", ("upstream - p", "upstream + p"), "the sum is added in place of"),
            (
                "of the softmax",
                ("= upstream - p * upstream.sum", "= p * upstream - p * (p * upstream).sum"),
                "of the softmax stands in the place",
            ),
        )
    },
    **{
        f"scores that are shut out {what}": (past_back, PAST, change, "left.g", "wrong_value", said)
        for what, change, said in (
            ("by nothing", ("triu(1).bool()", "triu(99).bool()"), "nothing is shut out"),
            ("the wrong way round", ("triu(1)", "tril(-1)"), "from the columns to the rows"),
            ("by 0", ('float("-inf")', "0.0"), "e⁰ is 1"),
        )
    },
    "a branch with a wrong factor": (
        huber_back,
        HUBER,
        ("bound * e.sign()", "bound**2 * e.sign()"),
        "guess.g",
        "wrong_value",
        "that must not be 0 are right",
    ),
    "gradient made anew": (
        tame,
        TAME,
        ("theta.g /= theta.g", "theta.g = theta.g / theta.g"),
        "theta.g",
        "not_in_place",
        "`theta.g` is another tensor after the call",
    ),
    "gradient left as it was": (tame, TAME, ("/=", "/"), "theta.g", "not_in_place", "same values after the call"),
    "weights of an average exchanged": (
        follow,
        FOLLOW,
        ("kept).add_((1 - kept)", "1 - kept).add_(kept"),
        "mean",
        "wrong_value",
        "with `1 − kept` in the place of `kept`",
    ),
    "weights of squares exchanged": (
        rms_step,
        RMS,
        ("kept).add_((1 - kept)", "1 - kept).add_(kept"),
        "cache",
        "wrong_value",
        "with `1 − kept` in the place of `kept`",
    ),
    "no average": (
        follow,
        FOLLOW,
        ("mul_(kept).add_((1 - kept) * theta)", "copy_(theta)"),
        "mean",
        "wrong_value",
        "with 0 in the place of `kept`",
    ),
    "dropout divided by the rest": (drop_back, DROP, ("(1 - rate)", "rate"), "acts.g", "scaled", "(1 − rate)/rate"),
    "mean for an average": (
        follow,
        FOLLOW,
        ("mul_(kept).add_((1 - kept) * theta)", "add_(theta).div_(2)"),
        "mean",
        "wrong_value",
        "with 1/2 in the place of `kept`",
    ),
    **{
        f"terms times {part} and {rest}": (
            ridge_back,
            RIDGE,
            change,
            "theta.g",
            "wrong_value",
            f"the part that `shrink` brings in times {part}, and the rest times {rest}.",
        )
        for part, rest, change in (
            ("1", "s", (" / len(obs)", "")),
            ("1/2", "1", ("+ 2 *", "+")),
            ("1", "1/2", ("= 2 *", "=")),
            ("−1", "1", ("+ 2", "- 2")),
            ("1/s", "1", ("* theta\n", "* theta / len(obs)\n")),
        )
    },
    "uncorrected": (Shrinking, SHRINKING, ("/ (1 - 0.999**self.t)", ""), "theta", "bias_correction", ""),
    "decay in the gradient": (
        Shrinking,
        SHRINKING.replace("p.mul_(1 - self.pace * self.shrink)", "pass"),
        ("g = p.g", "g = p.g + self.shrink * p"),
        "theta",
        "weight_decay",
        "added to the gradient",
    ),
}


def told(declared: Exercise, source: str) -> dict[str, Diagnosis]:
    """What is said of an answer."""
    space = {"torch": torch, "np": np, "functional": functional}
    exec(dedent(source), space)
    prepared = prepare(declared, SEED)
    runs = Rehearsal(declared, prepared).run(space)
    return diagnose(gather(declared, prepared, runs, Stub(declared.id, 0, 1, dedent(source), "metadata")))


@pytest.mark.parametrize("name", TOLD)
def test_mistake_is_told_whatever_things_are_called(name: str) -> None:
    declared, right, (old, new), check, code, words = TOLD[name]
    assert old in right
    found = told(declared, right.replace(old, new))[check]
    assert (found.code, words in found.message) == (code, True), found.message


@pytest.mark.parametrize(
    ("declared", "right"),
    [(one[0], one[1]) for one in TOLD.values() if "pass" not in one[1]],
    ids=[name for name, one in TOLD.items() if "pass" not in one[1]],
)
def test_right_answer_loses_nothing(declared: Exercise, right: str) -> None:
    assert told(declared, right) == {}


def test_gradient_that_only_one_way_goes_over_clears_no_other() -> None:
    """That of the memory does not go over what each gate is made of."""
    found = told(cell_back, CELL.replace("* (1 - new**2)", "* (1 - new)"))
    assert "memory.g" not in found
    assert not any("came out right" in diagnosis.message for diagnosis in found.values())


def test_gradients_of_one_parameter_are_no_optimizer_with_averages() -> None:
    @exercise(call="twice(p_grads)", inputs={"p_grads": normal("n", "i")}, points={"result": 1})
    def twice(p_grads):
        """Twice an input."""
        return p_grads * 2

    found = told(twice, "def twice(x):\n    return x / 0\n")["result"]
    assert (found.code, "β" in found.message) == ("non_finite", False)


def test_masks_of_a_relu_are_tried_on_what_is_one_whatever_it_is_called() -> None:
    @exercise(call="cut_back(z, upstream)", inputs={"z": normal("s", "d", zeros=0.2)}, points={"z.g": 1})
    def cut_back(z):
        """A ReLU."""
        return torch.relu(z)

    @exercise(call="bend_back(z, upstream)", inputs={"z": normal("s", "d")}, points={"z.g": 1})
    def bend_back(z):
        """A GELU."""
        return functional.gelu(z)

    masks = [mistake for mistake in MISTAKES if mistake.everywhere]
    assert len(masks) == 4
    for mistake in masks:
        made = {
            declared.id: [mistake.apply(one.case, "z.g", one.expected) for one in prepare(declared, SEED)]
            for declared in (cut_back, bend_back)
        }
        assert all(each is not None for each in made["cut_back"])
        assert any(each is None for each in made["bend_back"])
