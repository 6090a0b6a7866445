"""How a diagnosis is put into words: the sentences of its code, filled with what was seen.

To translate or rewrite the sentences, change this module and those of words alone, each named for what recognises the
mistakes (``factors``, ``shapes``, …), and ``clauses`` and ``causes``, which some sentences are filled with.
"""

from __future__ import annotations

from typing import Any

from grader.judge.diagnosis.words.factors import FACTOR_WORDS
from grader.judge.diagnosis.words.loops import LOOP_WORDS
from grader.judge.diagnosis.words.operands import OPERAND_WORDS
from grader.judge.diagnosis.words.outcomes import OUTCOME_WORDS
from grader.judge.diagnosis.words.passes import PASS_WORDS
from grader.judge.diagnosis.words.relations import RELATION_WORDS
from grader.judge.diagnosis.words.sentences import Words
from grader.judge.diagnosis.words.shapes import SHAPE_WORDS
from grader.judge.diagnosis.words.steps import STEP_WORDS
from grader.judge.diagnosis.words.values import VALUE_WORDS
from grader.model import Diagnosis

#: The sentences of every code, and of every variant of one.
WORDS: dict[str, Words] = {
    **OUTCOME_WORDS,
    **FACTOR_WORDS,
    **SHAPE_WORDS,
    **OPERAND_WORDS,
    **RELATION_WORDS,
    **PASS_WORDS,
    **VALUE_WORDS,
    **STEP_WORDS,
    **LOOP_WORDS,
}

#: What is added to the message of a diagnosis, or stands in one.
ONLY_IN = " All other cases are right; this one differs by: {label}."
STARTS = " {right} came out right, so the mistake is after {right} on the way back: in the step before {first}."
MODIFIED = " The call changes one of its inputs, too: mend that first."
STANDS_STILL = " `{found}` does not change at all, which moves the others, too: mend that first."
FORWARD = " The result of the forward pass is wrong already, so look there first."
SHAPES = ": it has shape {actual}; it should be {expected}"
OVERFLOWS = " There are NaN or infinite entries as well ({label}): look for an overflow or a division by 0, too."
OTHERWISE = " Another case ({label}) comes out in another way, with shape {shape}: the sizes decide what is made there."
EMPTY = " `{name}` holds whatever was in memory before, until every entry is written: begin with `zeros` to add up."
SHARED = " `{name}` is shared by all objects of the class: what one of them keeps there, the next one finds."
ONE_FOR_ALL = " Line {line} makes one object for {names}: what changes one of them changes the other."
MADE = " (`{name}` is the check's own name for `{source}`.)"
OUT_FIRST = " `backward` hands over the output first, `bwd(out, *args)`, and it comes last in your code."
STEPS = " Line {line} takes a step, which nobody asks for here: gradients are worked out, and the weights stay."
KEPT = " `{found}` holds the right tensor."
REORDERED = " Line {line} takes ({names}), and the check passes ({asked}), in that order, whatever the names are."
IN_GRAD = " Line {line} uses `.grad`, which is autograd's; gradients are kept in `.g` here."
COPIED = " Line {line}, `{code}`, makes another tensor: its `.g` is not that of `{name}`."
RETURNED = " Line {line} returns something, and no value is taken from `{function}`: the exercise reads `{path}`."
OUTSIDE = " Line {line} uses `{name}`, which is no argument: it is the notebook's own, one for all calls."
PASSED_OVER = (
    " Each check puts new tensors under the names {names}, and the body of `{function}` reads none of these names: "
    "what was kept of them from before the call is of other sizes."
)
READ_THEM = "Use these names in the body of the function, which looks them up anew in every call."
UNCALLED = " Line {line}, `{code}`, does nothing: without parentheses, a method is not called."
COMPARED = " Line {line}, `{code}`, compares, and assigns nothing: one `=` does."
DROPPED = " Line {line}, `{code}`, computes something that no line keeps."
RENAMED = " Line {line} gives the name `{name}` another value, and the lines below it use that one."
FLOORED = " Line {line} divides with `//`, which drops everything after the decimal point."
NEW_FOR_OLD = " Line {line} gives the name `{name}` to a new tensor, and leaves the one that had it as it was."
NEW_IN_PLACE = " Line {line} puts a new tensor in the place of `{name}`, and leaves the one that was there as it was."
ALSO_CHANGED = (
    " Line {line} changes `{name}`, too, for `{other}` is another name of it or of a part, and line {read} reads it."
)
CUT_OFF = " Line {line} takes `int(…)`, which drops everything after the decimal point."
FIRST_LOSS = " The first loss is wrong already, before any step: look at how your code computes it."
WEIGHTS_RIGHT = " The weights are right at the end, so the steps are, too: look at what your code puts into the list."
LOSSES_RIGHT = (
    " All losses before loss {next} are right: look at what step {count} does to the weights, not at the loss."
)
RIGHT_IN_PART = (
    " {right} of the {total} entries of all failing cases that must not be 0 are right: what sets these apart?"
)
UNUSED = " Line {line} computes `{name}`, and no line uses it."
KEPT_ALONE = " It is the right one for this place."
LAST_CALL = "that of another call"


def say(key: str, code: str = "", /, **fields: Any) -> Diagnosis:
    """The diagnosis for a key, its sentences filled with ``fields``; its code is that of the key, or ``code``."""
    words = WORDS[key]
    seen, cause = (part.format_map(fields) for part in (words.seen, words.cause))
    return Diagnosis(
        code=code or key.partition(".")[0],
        message=f"{seen} {cause}".strip(),
        hint=words.nudge.format_map(fields),
        explanation=words.full.format_map(fields),
    )


def added(diagnosis: Diagnosis, sentence: str, **fields: Any) -> Diagnosis:
    """The diagnosis with a further sentence in its message, which is added as it is where there are no ``fields``."""
    message = diagnosis.message + (sentence.format_map(fields) if fields else sentence)
    return Diagnosis(diagnosis.code, message, diagnosis.hint, diagnosis.explanation)


def shape(size: tuple[int, ...] | None) -> str:
    """``(7, 5)``, or a word where there is none."""
    return "no shape" if size is None else str(tuple(size))


def axes(chosen: tuple[int, ...]) -> str:
    """``0``, or ``(0, 2)`` where there are several."""
    return str(chosen[0]) if len(chosen) == 1 else str(chosen)


def number(value: float) -> str:
    """Four digits, without a trail of zeros."""
    return f"{value + 0.0:.4g}"  # which has no sign where it is zero


def numbers_apart(first: float, second: float) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to see that they differ.

    >>> numbers_apart(-1.272, -1.27200006)
    ('-1.272', '-1.27200006')
    """
    for digits in (4, 6, 9, 12):
        pair = f"{first + 0.0:.{digits}g}", f"{second + 0.0:.{digits}g}"
        if pair[0] != pair[1]:
            break
    return pair
