"""09_capstone: a classifier of handwritten digits, trained by a hand-written backward pass.

The student's process gets digits to train on, with their classes, and other digits without; the classes of these are
looked up by the grader. Who installed the course has all images with their classes, though: an answer that reaches for
them is flagged. Other images would not help, since the nearest of those at hand tells the class of one that was shifted
or blurred a little.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from grader.course import Variant, computed, exercise, fixed
from grader.course.autograd.digits import load_digits
from grader.model import Draw

NOTEBOOK = "09_capstone"

#: Digits to train on; the rest are held back.
TRAINING = 1397
#: Share of the held-back digits that earns nothing, and the one that earns full marks.
NOTHING, FULL = 0.5, 0.95


@lru_cache(maxsize=1)
def _digits() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], dict[bytes, int]]:
    """Images ``(1797, 64)``, classes ``(1797,)``, and the place of each image by its bytes."""
    images, classes = (np.asarray(each) for each in load_digits())
    images = images.astype(np.float32)
    return images, classes.astype(np.int64), {_key(image): place for place, image in enumerate(images)}


def _key(image: np.ndarray[Any, Any]) -> bytes:
    return np.round(image * 16).astype(np.int8).tobytes()


def _places(images: Tensor) -> list[int]:
    places = _digits()[2]
    return [places[_key(image)] for image in images.detach().numpy()]


def _is_held_back(places: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Two of nine digits, the same in every run, of every class.

    The seed gives their order alone: of random splits about one in a hundred is so hard that a right answer stays just
    below 95 %.
    """
    return np.isin(places % 9, (0, 4))


def _training_images(case: Draw) -> np.ndarray[Any, Any]:
    images = _digits()[0]
    places = np.arange(len(images))
    chosen: np.ndarray[Any, Any] = images[case.rng.permutation(places[~_is_held_back(places)])]
    return chosen


def _training_classes(case: Draw) -> np.ndarray[Any, Any]:
    """The classes under other names, 0 to 9 permuted: only who learns from these, not from others, knows them."""
    names: np.ndarray[Any, Any] = case.rng.permutation(10)
    renamed: np.ndarray[Any, Any] = names[_digits()[1][_places(case.drawn["x"])]]
    return renamed.astype(np.int64)


def _classes(images: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The classes of ``images``, named as ``y`` names those of ``x``."""
    names = np.zeros(10, dtype=np.int64)
    names[_digits()[1][_places(x)]] = y.detach().numpy()
    return torch.from_numpy(names[_digits()[1][_places(images)]])


def _held_back(case: Draw) -> np.ndarray[Any, Any]:
    """The other digits, in an order of their own."""
    images = _digits()[0]
    others = np.setdiff1d(np.arange(len(images)), _places(case.drawn["x"]))
    held_back: np.ndarray[Any, Any] = images[case.rng.permutation(others)]
    return held_back


def accuracy_share(actual: Tensor, expected: Tensor) -> float:
    """All points take 95 % of the digits; up to half of them right earns nothing, in between it is in proportion.

    With accuracy ``a`` that is ``(a − 0.5) / 0.45``, cut to 0…1.
    """
    accuracy = float((actual == expected).to(torch.float64).mean())
    return min(1.0, max(0.0, (accuracy - NOTHING) / (FULL - NOTHING)))


def row_by_row_share(actual: Tensor, expected: Tensor) -> float:
    """Digits given one at a time, after another training, must get the classes of a batch: 0 to 9, not all the same.

    What ``predict`` goes by is in the parameters that it is given, not in the notebook's variables.
    ``actual`` is (n,), −1 where batch and row do not agree. Whether classes are right is for ``train`` to judge.
    """
    classes = set(actual.tolist())
    return float(len(classes) > 1 and classes <= set(range(10)))


DIGITS = {
    "x": computed("float", TRAINING, 64, by=_training_images),
    "y": computed("int", TRAINING, by=_training_classes),
    "held_back": computed("float", 1797 - TRAINING, 64, by=_held_back),
}


@exercise(
    call="""
        params = train(x, y, hidden, learning_rate, epochs, seed)
        predict(params, held_back)
    """,
    inputs={
        **DIGITS,
        "hidden": fixed(64),
        "learning_rate": fixed(0.5),
        "epochs": fixed(300),
        "seed": fixed(7),
    },
    points={"result": 8},
    needs=("train", "predict"),
    measure=accuracy_share,
    answers_in=("grader.course.autograd.digits", "sklearn.datasets", "digits.csv"),
    time_limit=30.0,
    standard=False,
    variants=(Variant("held-back digits"),),
)
def train(held_back: Tensor, x: Tensor, y: Tensor) -> dict[str, Tensor]:
    """A classifier of handwritten digits."""
    return {"result": _classes(held_back, x, y)}


@exercise(
    call="""
        import numpy
        import torch

        def tensor(found):
            return torch.from_numpy(found.copy()) if isinstance(found, numpy.ndarray) else found

        params = train(x[:100], y[:100], hidden, learning_rate, epochs, seed)
        some = held_back[:50]
        batch = predict(params, some)
        train(x[:100], 9 - y[:100], hidden, learning_rate, epochs, seed)
        if isinstance(batch, (torch.Tensor, numpy.ndarray)) and batch.shape == some.shape[:1]:
            rows = [predict(params, row[None]) for row in some]
            shape = getattr(rows[0], "shape", (1,))
            if shape != (1,):
                raise ValueError(f"for one image, (1, 64), predict gives {tuple(shape)}, not (1,)")
            batch = tensor(batch)
            batch = torch.where(batch == torch.cat([tensor(row) for row in rows]), batch, -1)
        classes = batch
    """,
    inputs={
        **DIGITS,
        "hidden": fixed(16),
        "learning_rate": fixed(0.5),
        "epochs": fixed(100),
        "seed": fixed(7),
    },
    points={"classes": 1},
    needs=("train", "predict"),
    follows=("train",),
    measure=row_by_row_share,
    time_limit=15.0,
    standard=False,
    variants=(Variant("row by row"),),
)
def predict(held_back: Tensor, x: Tensor, y: Tensor) -> dict[str, Tensor]:
    """Classes of digits, each row for itself."""
    return {"classes": _classes(held_back[:50], x, y)}
