"""Every sentence that a diagnosis says, by code: to translate or rewrite them, change this module and ``causes`` alone.

A key is a code, or a code with a variant behind a dot (``"stale.copied"``). Each entry has what was *seen* (with
numbers and shapes), the *cause* (what makes it), a *nudge* (a question that does not give the answer away) and the
*full* hint. ``{fields}`` are filled in by ``say``; what a student wrote is only ever a field, never a template.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grader.model import Diagnosis

LOOPS = "loops in Python where tensor operations are asked for"
ONLY_IN = " All other cases are right; this one differs by: {label}."
STARTS = " {right} came out right, so the mistake is behind {right} on the way back: in the step before {first}."
FORWARD = " The result of the forward pass is wrong already, so look there first."
SHAPES = ": it has shape {actual}; it should be {expected}"
MADE = " (`{name}` is the check's own name for `{source}`.)"
KEPT = " `{found}` holds the right tensor."
KEPT_ALONE = " It is the right one for this place."

#: Words for the mistakes that are told by simulation.
LR_ONCE = "The learning rate was kept when the optimizer was made, and its later change was not seen."
LR_NEVER = "The learning rate is not a factor of the step."
LR_FIXED = "A number was written in its place."
SAME_RATE = "the same at every step"
LAST_CALL = "that of another call"
SLIPS = {
    "damp_first": "the buffer starts from zeros, so that the first gradient is dampened too",
    "empty_first": "the buffer misses the first gradient",
    "no_decay": "left out",
    "decoupled": "applied to the parameter itself, outside of the gradient",
    "decay_sign": "subtracted",
    "no_damp": "left out",
    "damp_inverse": "taken for 1 − dampening",
    "average": "1 − momentum: an average instead of a sum",
    "no_nesterov": "without Nesterov",
    "always_nesterov": "with Nesterov where plain momentum is asked for",
    "buffer_only": "when the look-ahead leaves out the gradient",
    "raw": "neither average is corrected",
    "raw_mean": "the first average is not corrected",
    "raw_square": "the second average is not corrected",
    "counted": "the count of steps goes up once for each parameter",
    "ahead": "the count of steps is one too high",
    "stuck": "the count of steps stays at one",
    "eps_inside": "eps stands inside of the root",
    "eps_outside": "eps is added to the fraction, not to its denominator",
    "no_eps": "eps is no part of the denominator",
    "eps_early": "eps is added before the second average is corrected",
}


@dataclass(frozen=True, slots=True)
class Words:
    """The sentences of one mistake."""

    seen: str
    cause: str = ""
    nudge: str = ""
    full: str = ""


def say(key: str, **fields: Any) -> Diagnosis:
    """The diagnosis for a key, its sentences filled with ``fields``."""
    words = WORDS[key]
    seen, cause = (part.format_map(fields) for part in (words.seen, words.cause))
    return Diagnosis(
        code=key.partition(".")[0],
        message=f"{seen} {cause}".strip(),
        hint=words.nudge.format_map(fields),
        explanation=words.full.format_map(fields),
    )


def added(diagnosis: Diagnosis, sentence: str, **fields: Any) -> Diagnosis:
    """The diagnosis with a further sentence in its message."""
    message = diagnosis.message + sentence.format_map(fields)
    return Diagnosis(diagnosis.code, message, diagnosis.hint, diagnosis.explanation)


def shape(size: tuple[int, ...] | None) -> str:
    """``(7, 5)``, or a word where there is none."""
    return "no shape" if size is None else str(tuple(size))


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


WORDS: dict[str, Words] = {
    # ------------------------------------------------------------------------------ how the check ended
    "not_implemented": Words(
        "This stub is still untouched: it raises NotImplementedError.",
        "Write your answer in its place, and remove that line.",
        "Begin with the shapes: which shape must each result have?",
        "Replace `raise NotImplementedError` by your own code.",
    ),
    "not_defined": Words(
        "{names} is not defined when the check begins.",
        "The cell that defines it failed, was removed, or gives it another name.",
        "Did every cell above this one run without an error?",
        "Run the notebook from the top, and keep the stub's name as it was.",
    ),
    "not_implemented.part": Words(
        "This part is not written yet: NotImplementedError was raised{where}.",
        "Something of this exercise is written already, but not all of it.",
        "What do these lines get, and what must they give back or set?",
        "Replace that `raise NotImplementedError` by your own code.",
    ),
    "raised": Words(
        "The call raised {error}{where}.",
        "{why}",
        "{question}",
        "{remedy}",
    ),
    "raised.elsewhere": Words(
        "The call raised NotImplementedError{where}, outside of this stub.",
        "What this one calls is not written: a stub{names}, or a method that your class defines by another name.",
        "Which of your functions does this one need?",
        "Fill in the stub that is named first; then check this one again.",
    ),
    "timed_out": Words(
        "The call did not end in time{label}.",
        "A loop that never ends, or one over single elements where one tensor operation would do.",
        "Does every loop come to its end?",
        "Replace loops over elements by tensor operations, and check what ends each `while`.",
    ),
    "crashed": Words(
        "The Python process died during the call{label}.",
        "Something ended it from within: `exit()`, too deep a recursion, or a fault in native code.",
        "Does your code end the process anywhere?",
        "Remove calls such as `exit()`; restart the kernel and run the notebook from the top.",
    ),
    "memory_exceeded": Words(
        "The call asked for more memory than there is for a check{label}.",
        "Usually a broadcast to a far larger shape, or a list that grows without end.",
        "Print the shapes of your intermediate results: is one much larger than you thought?",
        "Look for a broadcast such as (n, 1) with (n,), and for tensors kept in a list at each step.",
    ),
    "output_exceeded": Words(
        "The call printed or returned more than a check may{label}.",
        "A `print` in a loop, or a tensor far larger than asked for.",
        "Do you still need that `print`?",
        "Remove the `print` calls, and check the shape of what you return.",
    ),
    # -------------------------------------------------------------------------------- no tensor was there
    "not_written": Words(
        "`{path}` was not written: {state}.",
        "The call ended without assigning to it.",
        "Where in your code is `{path}` assigned?",
        "Assign the result to `{path}`, not to a local name.",
    ),
    "not_written.returned": Words(
        "`{call}` returned nothing.",
        "A function without `return` returns None.",
        "What does the last line of your function give back?",
        "Return the result, even where it is kept in an attribute too.",
    ),
    "not_written.too_few": Words(
        "`{call}` did not return {count} values.",
        "A function without `return` returns None; several values stand behind one `return`, with commas between them.",
        "What does the last line of your function give back?",
        "Return {count} values, in the order that the docstring names.",
    ),
    "not_written.one_tensor": Words(
        "`{call}` returned one tensor, of shape {shape}, where {count} values are asked for.",
        "One tensor is one value, whatever its shape; several stand behind one `return`, with commas between them.",
        "What does the last line of your function give back?",
        "Return {count} tensors, in the order that the docstring names.",
    ),
    "not_written.one_is_none": Words(
        "The {place} of the values that `{call}` returned is None.",
        "It was never computed, or what computes it returns nothing.",
        "Which line makes the {place} value?",
        "Return {count} values, in the order that the docstring names, none of them None.",
    ),
    "not_written.only_returned": Words(
        "`{path}` was not written; the right tensor was returned instead.",
        "What this function returns is not looked at: its result is what it sets.",
        "Where in your code is `{path}` assigned?",
        "Assign the result to `{path}`.",
    ),
    "not_written.no_way": Words(
        "`{path}` is None: autograd found no way from the output back to `{owner}`.",
        "`.data`, `.detach()`, `torch.no_grad()` or `requires_grad=False` hides an operation from autograd.",
        "Which step between `{owner}` and the output does autograd not see?",
        "Make `{owner}` an `nn.Parameter`, and compute the output from the parameter itself.",
    ),
    "not_written.elsewhere": Words(
        "`{path}` was not written, but `{found}` holds the right tensor.",
        "The result went to another name.",
        "Compare the name on the left of your assignment with the one that is asked for.",
        "Assign to `{path}` instead of `{found}`.",
    ),
    "not_written.alike": Words(
        "`{path}` was not written, but `{found}` holds a tensor of that shape.",
        "Perhaps the result went to another name.",
        "Compare the name on the left of your assignment with the one that is asked for.",
        "Assign the result to `{path}`.",
    ),
    "not_in_place": Words(
        "`{path}` has the same values after the call as before it.",
        "The update made a new tensor, or none at all, and the object that was passed in stayed as it was.",
        "What is the difference between `p = p - step` and `p -= step`?",
        "Change the tensor itself: `p -= …` or `p.sub_(…)`, under `torch.no_grad()` where it requires gradients.",
    ),
    "not_in_place.no_step": Words(
        "`{path}` has the same values after the call as before it, and the loss stayed the same at every step.",
        "No step was taken: there is no update, or no gradient is there at the moment of the update.",
        "In which order does your loop fill the gradients, use them and clear them?",
        "In every step, clear the old gradients, compute the loss and its gradients, and only then update.",
    ),
    "not_in_place.elsewhere": Words(
        "`{path}` has the same values after the call as before it, but `{found}` holds the right ones.",
        "The update made a new tensor instead of changing the one that was passed in.",
        "What is the difference between `p = p - step` and `p -= step`?",
        "Change the tensor itself: `p -= …` or `p.sub_(…)`.",
    ),
    "not_a_tensor": Words(
        "`{path}` is {kind}, not a tensor.",
        "`.item()`, `.tolist()` or plain Python numbers leave the world of tensors.",
        "What does `type({path})` say?",
        "Keep the result a tensor of shape {expected}.",
    ),
    "not_a_tensor.tuple": Words(
        "`{path}` is {kind}, not a tensor.",
        "Two values, or one with a comma behind it, make a tuple.",
        "Is there a comma at the end of the line?",
        "Assign one tensor of shape {expected}.",
    ),
    "not_a_tensor.dtype": Words(
        "`{path}` holds numbers {kind}, as no result of this exercise does.",
        "An operation changed the kind of its numbers.",
        "What does `{path}.dtype` say, and on which line did it become that?",
        "Keep the dtype of what the stub was given.",
    ),
    "not_a_tensor.array": Words(
        "`{path}` is {kind}, not an array.",
        "This exercise is about NumPy: its gradients are arrays.",
        "What does `type({path})` say?",
        "Keep the result a NumPy array of shape {expected}.",
    ),
    "not_a_tensor.number": Words(
        "`{path}` is {kind}, not a number.",
        "A single number is asked for here, such as `float(…)` gives.",
        "What does `type({path})` say?",
        "Give back the number itself, neither formatted nor in a container.",
    ),
    "not_registered": Words(
        "`{path}` holds the right numbers, but it is no parameter of its module.",
        "A plain tensor as an attribute of an `nn.Module` is not found by `parameters()`: no optimizer would train it.",
        "What does `list(layer.parameters())` print?",
        "Wrap it: `self.… = nn.Parameter(…)`, after `super().__init__()`.",
    ),
    "wrong_shape": Words(
        "`{path}` has shape {actual}; it should be {expected}.",
        "A gradient always has the shape of the tensor it belongs to.",
        "Write the shape of every factor next to it: how do you get to {expected}?",
        "Go through your formula shape by shape until each product, sum and transpose gives {expected}.",
    ),
    "wrong_shape.value": Words(
        "`{path}` has shape {actual}; it should be {expected}.",
        "An axis is missing or too much, or there are too many values along one, or too few.",
        "Which line gives the result its shape?",
        "Print the shape of each intermediate result: from which line on is it not the one that leads to {expected}?",
    ),
    "wrong_dtype": Words(
        "`{path}` has dtype {actual}; floating-point numbers are asked for.",
        "A comparison gives bools and integer tensors give integers, until they meet a float.",
        "Which operation made it {actual}?",
        "Convert it, for instance with `.to(x.dtype)`.",
    ),
    "wrong_dtype.whole": Words(
        "`{path}` has dtype {actual}; whole numbers are asked for.",
        "A division, a mean, or a tensor made without naming its dtype gives floats.",
        "Which operation made it {actual}?",
        "Use what gives whole numbers by itself, such as `argmax`, or convert with `.long()`.",
    ),
    "non_finite": Words(
        "`{path}` has {count} of {total} entries that are NaN or infinite ({label}).",
        "A division by zero, the logarithm of zero, the root of a negative number, or an `exp` that overflows.",
        "Which of your intermediate results can become very large, or exactly zero?",
        "Subtract the maximum before `exp`, and keep denominators away from zero.",
    ),
    "non_finite.unwritten": Words(
        "`{path}`: {count} of its {total} entries were never written ({label}).",
        "It held NaN before the call, so that what is left out shows; only some entries were assigned.",
        "Which entries does your code assign, and what should stand in the others?",
        "Write all entries: begin with `torch.zeros_like(…)`, or use `torch.where` or a product with a mask.",
    ),
    "non_finite.read": Words(
        "Every entry of `{path}` is NaN ({label}).",
        "It was computed from a gradient that nothing has written yet, and that held NaN before the call.",
        "Which `.g` does that line read, and which line sets it?",
        "Compute it from gradients that are there: the upstream one, and those that your code has set before.",
    ),
    # -------------------------------------------------------------------------------------- accumulation
    "accumulated": Words(
        "Every entry of `{path}` is NaN, as it was before the call.",
        "The result was added to what stood there (`+=`), instead of replacing it.",
        "What is in `{path}` before your code runs?",
        "Assign: `{path} = …`, not `{path} += …`.",
    ),
    "accumulated.steps": Words(
        "`{path}` is what comes out when gradients from before are added to those of a step.",
        "`backward()` adds to `.grad`, and nothing cleared it before.",
        "What does `.grad` hold when the second step begins?",
        "Clear the gradients in every step, before `backward()`.",
    ),
    "overwritten": Words(
        "`{path}` holds only one of several contributions where something is used more than once.",
        "Each contribution replaced the one before, where they have to be added.",
        "What must happen to the gradient of something that is used twice?",
        "Add up: `+=`, or `index_add_`, starting from zeros.",
    ),
    "stale": Words(
        "`{path}` is what comes out for an earlier state: {label}.",
        "Something from before was kept and used again.",
        "Which values does your code remember from one call to the next?",
        "Compute it anew in each call, from what that call was given.",
    ),
    "stale.steps": Words(
        "`{path}` is what comes out after one step less than asked for.",
        "The loop runs too seldom, or its last step is not taken.",
        "How often does your loop run for `steps = 1`?",
        "Let the loop run `steps` times: `range(steps)`.",
    ),
    "stale.written": Words(
        "`{path}` was not written, but `{found}` was: the tensor of an earlier call.",
        "The object remembers its first call, not its last.",
        "What does your object remember after a second call?",
        "Store the input anew at every call.",
    ),
    "stale.copied": Words(
        "`{path}` has the same values whatever the inputs are.",
        "It does not come from the inputs: numbers were written down, or other tensors were used than the given ones.",
        "Would your code give another result if the inputs changed?",
        "Compute it from the variables of the cell, not from numbers.",
    ),
    "input_modified": Words(
        "The call changed its input `{name}`.",
        "An operation in place (`+=`, `*=`, a method ending in `_`, an assignment to a slice) wrote into it.",
        "Which of your operations change a tensor instead of making a new one?",
        "Write `x = x + …` instead of `x += …`, or work on `{name}.clone()`.",
    ),
    # ------------------------------------------------------------------------------------------- factors
    "zeros": Words(
        "`{path}` is zero everywhere.",
        "It was created with zeros and nothing was written into it, or it was multiplied by zero.",
        "Which line is supposed to fill it?",
        "Follow the result from the last line backwards: where does it become zero?",
    ),
    "sign_flipped": Words(
        "`{path}` has the right size but the opposite sign, everywhere.",
        "A difference was taken the other way round, or a minus sign was lost.",
        "In which direction does the difference go?",
        "Swap the two sides of the difference, or add the minus sign.",
    ),
    "missing_mean": Words(
        "`{path}` is {size} times too large where {letter} = {size}, that is {letter} times in every case.",
        "The mean over {letter} was left out on the way back.",
        "What does the mean contribute to the derivative?",
        "Divide by {letter}: the derivative of a mean has a factor 1/{letter}.",
    ),
    "missing_mean.value": Words(
        "`{path}` is {size} times too large where {letter} = {size}, that is {letter} times in every case.",
        "The mean over {letter} was left out.",
        "Is a sum asked for, or a mean?",
        "Divide by {letter}, or use `mean` in place of `sum`.",
    ),
    "mean_twice": Words(
        "`{path}` is {size} times too small where {letter} = {size}, that is {letter} times in every case.",
        "It was divided by {letter} once too often.",
        "How often does your code divide by {letter}? A mean over all entries divides by every size.",
        "Take one division by {letter} away.",
    ),
    "averaged_instead_of_summed": Words(
        "`{path}` is {size} times too small where {letter} = {size}, that is {letter} times in every case.",
        "The contributions were averaged where they have to be summed.",
        "Something that is used by every sample gets a gradient from each: what happens to them?",
        "Use `sum` in place of `mean`.",
    ),
    "averaged_instead_of_summed.value": Words(
        "`{path}` is {size} times too small where {letter} = {size}, that is {letter} times in every case.",
        "The contributions were averaged where they have to be summed.",
        "Is a sum asked for, or a mean?",
        "Use `sum` in place of `mean`.",
    ),
    "averaged_instead_of_summed.entries": Words(
        "`{path}` is {count} times too small here, by the number of entries that are summed, in every case.",
        "The contributions were averaged where they have to be summed.",
        "Is a sum asked for, or a mean?",
        "Use `sum` in place of `mean`.",
    ),
    "averaged_instead_of_summed.repeats": Words(
        "`{path}` holds averages where a row is used several times.",
        "The contributions of a row that is used more than once were averaged where they have to be summed.",
        "What must happen to the gradient of something that is used twice?",
        "Add up all contributions: `index_add_`, starting from zeros.",
    ),
    "averaged_instead_of_summed.loss": Words(
        "`{path}` is what comes out when the loss is a mean.",
        "The squares were averaged where this loss is their sum.",
        "Is the loss of this notebook a sum or a mean?",
        'Use `sum()`, or `reduction="sum"`.',
    ),
    "missing_factor_two": Words(
        "`{path}` is exactly half of what it should be.",
        "A factor of 2 is missing, usually that of a square's derivative.",
        "What is the derivative of x²?",
        "Multiply by 2.",
    ),
    "missing_factor_two.value": Words(
        "`{path}` is exactly half of what it should be.",
        "A factor of 2 is missing.",
        "Which constant factor does the formula have?",
        "Multiply by 2.",
    ),
    "extra_factor_two": Words(
        "`{path}` is exactly twice what it should be.",
        "There is a factor of 2 too many.",
        "How often does your code multiply by 2, or add the same thing?",
        "Remove one factor of 2, or one of two equal contributions.",
    ),
    "scaled": Words(
        "`{path}` is {factor} times what it should be, in every case.",
        "The formula is right but for a factor.",
        "Which constant factor could be missing, or too much?",
        "Find where the factor {factor} comes from: what is multiplied, divided or summed too often, or not at all.",
    ),
    "scaled.sizes": Words(
        "`{path}` is {right}/{used} times what it should be, in every case.",
        "It was divided by the size {used}, where a division by {right} is right.",
        "Over how many entries is the mean taken, and which axis do you take that number from?",
        "Divide by {right} in place of {used}.",
    ),
    # -------------------------------------------------------------------------------------------- shapes
    "transposed": Words(
        "`{path}` is the transpose of the right answer{shapes}.",
        "The two factors of a product stand the other way round, or a `.T` is missing or too much.",
        "Write down the shape of each factor: which order gives {expected}?",
        "Swap the factors and transpose the other one: (A.T @ B).T is B.T @ A.",
    ),
    "permuted_axes": Words(
        "`{path}` has the right numbers with its axes in another order: shape {actual} instead of {expected}.",
        "Axes were swapped with `transpose` or `permute`, or in an `einsum`.",
        "Name each axis: in which order are they asked for?",
        "Permute the axes by {order}.",
    ),
    "unit_axis": Words(
        "`{path}` has the right numbers in the wrong shape: it has shape {actual}; it should be {expected}.",
        "An axis of size one is missing or too much.",
        "What is the difference between (n,) and (n, 1)?",
        "Use `[:, None]`, `[:, 0]`, `squeeze` or `keepdim` so that the shape is {expected}.",
    ),
    "broadcast_to_square": Words(
        "`{path}` comes from a {square} matrix of all pairs; there is one right value for each row.",
        "A tensor of shape (n, 1) met one of shape (n,), and broadcasting made (n, n) of them.",
        "Print the shapes of the two operands of your difference.",
        "Bring both to the same shape first, for instance with `[:, 0]`.",
    ),
    "not_summed_over_batch": Words(
        "`{path}` has shape {actual}; its sum over axis {axis} would be the right answer, of shape {expected}.",
        "The contributions along that axis were not added up.",
        "One tensor is used by every sample: how many gradients does it get, and what happens to them?",
        "Sum over axis {axis}: `.sum({axis})`.",
    ),
    "summed_too_far": Words(
        "`{path}` has shape {actual}; it is the right answer summed over axis {axis}, which has to stay: {expected}.",
        "A sum went over too many axes.",
        "Which axes may be summed, and which belong to the result?",
        "Leave axis {axis} alone: name the axes in `sum(…)`.",
    ),
    # ------------------------------------------------------------------------- upstream, masks, operands
    "upstream_ignored": Words(
        "`{path}` is what an upstream gradient of ones would give.",
        "The upstream gradient was not used.",
        "The chain rule has two factors: which one is missing?",
        "Multiply by the upstream gradient (`{upstream}`).",
    ),
    "mask_missing": Words(
        "`{path}` lets the gradient through where the ReLU was shut.",
        "The upstream gradient was passed on without the mask.",
        "What is the slope of ReLU where its input is negative?",
        "Multiply by `(inp > 0)`.",
    ),
    "mask_inverted": Words(
        "`{path}` lets the gradient through exactly where the ReLU was shut, and stops it where it was open.",
        "The mask is the wrong way round.",
        "For which inputs does ReLU have slope 1?",
        "Use `inp > 0` as the mask.",
    ),
    "mask_at_zero": Words(
        "`{path}` differs only where an input of the ReLU is exactly 0.",
        "The mask treats 0 as positive; here the slope at 0 is 0.",
        "What does your mask say about an input of exactly 0?",
        "Use `> 0`, not `>= 0`.",
    ),
    "mask_at_zero.half": Words(
        "`{path}` differs only where an input of the ReLU is exactly 0.",
        "Half of the gradient passes there; here the slope at 0 is 0.",
        "What does your mask say about an input of exactly 0?",
        "Use `> 0` as the mask.",
    ),
    "last_sample_only": Words(
        "`{path}` holds the contribution of the last sample alone.",
        "Each sample's contribution replaced the one before, so only the last was left.",
        "What happens to the first sample's contribution in your loop?",
        "Add up the contributions of all samples, or use one matrix product.",
    ),
    "wrong_operand": Words(
        "`{path}` is what comes out with {used} in place of {right}.",
        "The formula is right, but one of its factors is another tensor.",
        "Go through the factors of your formula: is each the tensor you meant?",
        "Use {right} where {used} stands.",
    ),
    "wrong_operand.other": Words(
        "`{path}` holds the value that belongs to `{other}`.",
        "A factor is missing here, or it is that of another tensor.",
        "In which factor do `{path}` and `{other}` have to differ?",
        "Write the two formulas below one another, factor by factor, and correct that of `{path}`.",
    ),
    "wrong_operand.place": Words(
        "`{path}` holds the value that belongs to `{other}`.",
        "The values are returned in another order than is asked for, or one of them is missing.",
        "In which order does the docstring name the values?",
        "Return all values, in the order that the docstring names.",
    ),
    "wrong_operand.swapped": Words(
        "`{path}` holds the value that belongs to `{other}`, and the other way round.",
        "The two results were swapped.",
        "Which result belongs to which name?",
        "Swap `{path}` and `{other}`.",
    ),
    # ---------------------------------------------------------------------------------------- optimizers
    "learning_rate_ignored": Words(
        "`{path}` is what comes out when the learning rate is {used}.",
        "{what}",
        "Where does your step use the learning rate, and when does it read it?",
        "Multiply the update by the learning rate, read at every step.",
    ),
    "ascent": Words(
        "`{path}` moved by the right amount in the opposite direction.",
        "The step goes up the gradient, not down.",
        "Should the loss grow or shrink?",
        "Subtract the update.",
    ),
    "ascent.losses": Words(
        "`{path}` is what comes out when each step goes the opposite way.",
        "The steps go up the gradient, not down.",
        "Should the loss grow or shrink?",
        "Subtract the update.",
    ),
    "state_shared": Words(
        "`{path}` is what comes out when optimizers or parameters share one state.",
        "The state lives in the class, or in one variable for all, instead of one for each parameter and object.",
        "Two optimizers, two parameters: how many buffers are there?",
        "Create the state in `__init__`, one entry for each parameter.",
    ),
    "state_shared.objects": Words(
        "`{path}` is what comes out when two objects of one class share what they remember.",
        "What an object was given lives in the class, or in one variable for all, not in the object.",
        "Two objects are made from different tensors: where does each keep its own?",
        "Store what `__init__` is given on `self`, and read it from there.",
    ),
    "state_shared.written": Words(
        "`{path}` was not written, but `{found}` was: the tensor that another object was given.",
        "What an object remembers lives in the class, or in one variable for all objects.",
        "Two objects of one class: does each remember its own values?",
        "Store it on `self`.",
    ),
    "state_lost": Words(
        "`{path}` is what comes out when no step knows of the one before.",
        "The state is made anew at each step, or momentum is not used.",
        "What does the second step know of the first?",
        "Store the buffers on the object and read them at the next step.",
    ),
    "first_step": Words(
        "`{path}` is what comes out when {what}.",
        "The first step is treated differently from the formula.",
        "Follow the first step on paper: what is in the state before and after it?",
        "Let the buffer begin as the first gradient itself.",
    ),
    "first_step.only": Words(
        "`{path}` is what comes out when only the first step is taken.",
        "Something ends the loop too early, such as a `return` inside of it.",
        "Which line does your code reach after its first step?",
        "Take all steps before you return.",
    ),
    "weight_decay": Words(
        "`{path}` is what comes out when weight decay is {what}.",
        "The decay is a part of the gradient: it is added before anything else happens to it.",
        "At which point does the decay enter, and with which sign?",
        "Start each step with `g + weight_decay * p`.",
    ),
    "dampening": Words(
        "`{path}` is what comes out when dampening is {what}.",
        "Dampening scales what is added to the buffer, by 1 − dampening.",
        "By what is the gradient multiplied before it enters the buffer?",
        "`buffer = momentum * buffer + (1 - dampening) * g`, from the second step on.",
    ),
    "nesterov": Words(
        "`{path}` is what comes out {what}.",
        "With Nesterov the step looks ahead: gradient plus momentum times the new buffer.",
        "Which of the two is the step: the buffer, or something built with it?",
        "`step = g + momentum * buffer` with Nesterov, `step = buffer` without.",
    ),
    "bias_correction": Words(
        "`{path}` is what comes out when {what}.",
        "Averages that start at zero are too small in the first steps, and have to be divided by 1 − βᵗ.",
        "What does a running average that started at 0 say after one step?",
        "Divide the first by 1 − β₁ᵗ and the second by 1 − β₂ᵗ, with t counted from 1.",
    ),
    # --------------------------------------------------------------------------------------------- others
    "not_raised": Words(
        "`{check}` did not raise {name}.",
        "The contract asks for that error; {what}.",
        "Which arguments make no sense, and where could you refuse them?",
        "Test the arguments first, and `raise {name}(…)` for these.",
    ),
    "not_raised.alone": Words(
        "`{check}` raised {name}, but nothing else of this exercise is right yet.",
        "An error earns its points only beside another check of this exercise that passes.",
        "Does your code raise {name} for arguments that make sense, too?",
        "Mend the other checks of this exercise first.",
    ),
    "uses_autograd": Words(
        "The call used autograd (`{name}`).",
        "This exercise is about writing the gradient by hand, so it earns nothing with autograd's.",
        "Can you write the formula down without `backward()`?",
        "Compute the gradient from the tensors themselves; compare with autograd outside of the stub.",
    ),
    "wrong_value": Words(
        "`{path}` has the right shape, but is off by up to {error}: {actual} at {place}, where {expected} is right.",
        "None of the usual mistakes explains it.",
        "Try it on numbers so small that you can compute the answer on paper.",
        "Compare your formula with the derivative term by term, and with a small numerical difference.",
    ),
    "wrong_value.whole": Words(
        "`{path}` holds {actual} at {place}, where {expected} is right.",
        "",
        "What does each of these numbers stand for, and which of your lines decides about it?",
        "Go through the lines that decide about that number, with the values of the case in mind.",
    ),
    "wrong_value.formula": Words(
        "`{path}` is what comes out when {what}.",
        "Everything else of the formula is right.",
        "In which order does the formula of the notebook add, divide and take the root?",
        "Write the denominator as in the formula: the root of the corrected average, plus eps.",
    ),
    "wrong_value.standing": Words(
        "`{path}` is {actual} at every step.",
        "The weights that the loss is computed from did not change from one step to the next.",
        "In which order does your loop fill the gradients, use them and clear them?",
        "In every step, compute the loss anew, and update the very weights that it is computed from.",
    ),
    "wrong_value.late": Words(
        "`{path}` begins with the loss after the first update, and every loss stands one place too early.",
        "Each loss was computed after the update of its step, and is asked for as it was before.",
        "At which moment of a step does your code compute the loss that it keeps?",
        "Keep the loss that the gradients were computed from.",
    ),
    "wrong_value.more_steps": Words(
        "`{path}` is what comes out after one step more than asked for.",
        "The loop runs once too often.",
        "How often does your loop run for `steps = 1`?",
        "Let the loop run `steps` times: `range(steps)`.",
    ),
    "wrong_value.measured": Words(
        "`{path}` earns {share} of its points{right}.",
        "{goal}",
        "What keeps it from the goal?",
        "Compare the result with the goal that the exercise names.",
    ),
    "wrong_value.upstream": Words(
        "`{path}` is the upstream gradient itself.",
        "The derivative of the function is missing.",
        "The chain rule has two factors: which one is missing?",
        "Multiply the upstream gradient by the derivative of the function at its input.",
    ),
}
