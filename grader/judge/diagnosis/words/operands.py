"""The words of right formulas of the wrong tensors: upstream gradients, masks, operands, earlier calls, by key."""

from __future__ import annotations

from grader.judge.diagnosis.words.passes import EXCHANGED, ONES
from grader.judge.diagnosis.words.sentences import Words

OPERAND_WORDS: dict[str, Words] = {
    "accumulated": Words(
        "Every entry of `{path}` is NaN, as it was before the call.",
        "The result was added to what stood there (`+=`), instead of replacing it.",
        "What is in `{path}` before your code runs?",
        "Assign: `{path} = …`, not `{path} += …`.",
    ),
    "accumulated.loop": Words(
        "Every entry of `{path}` is NaN, as it was before the call.",
        "The sum was begun on what stood there, and not on zeros.",
        "What is in `{path}` when your code adds the first contribution to it?",
        "Begin the sum with zeros, before the first contribution is added: `{path} = torch.zeros_like({owner})`.",
    ),
    "accumulated.kept": Words(
        "Every entry of `{path}` is NaN.",
        "Your code adds to `{kept}` and puts that into `{path}`: what stood in `{kept}` before this backward pass is "
        "in it, too.",
        "What is in `{kept}` when a backward pass begins?",
        "Begin each backward pass anew: assign, `{kept} = …`, not `{kept} += …`.",
    ),
    "overwritten": Words(
        "`{path}` holds only one of several contributions where something is used more than once.",
        "Each contribution replaced the one before, where they have to be added.",
        "What must happen to the gradient of something that is used twice?",
        "Add up: `+=`, or `index_add_`, starting from zeros.",
    ),
    "wrong_value.use": Words(
        "`{path}` lacks {missing} of the contributions to it: the forward pass uses `{name}` {count} times.",
        "By each use something comes back, and what comes back has to be added.",
        "In which places of the formula does `{name}` stand, and what does each of them contribute?",
        "Write down what comes back by each use of `{name}`, and add it up.",
    ),
    "overwritten.contribution": Words(
        "`{path}` holds only one of several contributions where something is used more than once.",
        "The others were written over, or were never passed on.",
        "What must happen to the gradient of something that is used twice?",
        "Pass a gradient on to every operand, and add it there: `+=`, starting from zero.",
    ),
    "overwritten.engine": Words(
        "`{path}` is what comes out when {what} writes over a gradient that is there already.",
        "What is used twice gets a gradient from each use, and they have to be added.",
        "What must happen to the gradient of something that is used twice?",
        "Add up: `+=` in every line that passes a gradient on.",
    ),
    "overwritten.backward": Words(
        "`{path}` is what comes out when `backward` sets the gradients to 0 that are there already.",
        "`(a * b).backward()` came behind another `backward()`, and both belong in the gradients of `a` and `b`.",
        "What does a second `backward()` find in the gradients, and what must become of it?",
        "Let each gradient start at 0 where the node is made, and only add to it in `backward`.",
    ),
    "stale": Words(
        "`{path}` is what comes out for an earlier state: {label}.",
        "Something from before was kept and used again.",
        "Which values does your code remember from one call to the next?",
        "Compute it anew in each call, from what that call was given.",
    ),
    "accumulated.calls": Words(
        "`{path}` is the right answer plus that of an earlier call.",
        "What one call gives is added to what those before have given.",
        "What stands in your variable when a call begins?",
        "Begin each call anew: assign, in place of `+=` to what the object keeps.",
    ),
    "stale.written": Words(
        "`{path}` was not written, but `{found}` was: the tensor of an earlier call.",
        "The object remembers its first call, not its last.",
        "What does your object remember after a second call?",
        "Store the input anew at every call.",
    ),
    "stale.copied": Words(
        "`{path}` has the same values whatever the inputs are.",
        "It does not come from the inputs: numbers were written down, or other tensors were used than the given ones, "
        "such as one that an earlier cell computed.",
        "Would your code give another result if the inputs changed?",
        "Compute it from the variables of the cell, not from numbers.",
    ),
    "input_modified": Words(
        "The call changed its input `{name}`.",
        "An operation in place (`+=`, `*=`, a method ending in `_`, `out=`, an assignment to a slice or to `.data`) "
        "wrote into it, perhaps under another name of the same tensor.",
        "Which of your operations change a tensor instead of making a new one?",
        "Write `x = x + …` instead of `x += …`, or work on `{name}.{copy}()`.",
    ),
    "input_modified.other": Words(
        "A call changed the tensor that it was given.",
        "An operation in place (`+=`, `*=`, a method ending in `_`, an assignment to a slice) wrote into it.",
        "Which of your operations change a tensor instead of making a new one?",
        "Write `x = x + …` instead of `x += …`, or work on a `.clone()`.",
    ),
    "upstream_ignored": Words(
        "`{path}` is what an upstream gradient of ones would give.",
        "The upstream gradient was not used.",
        "The chain rule has two factors: which one is missing?",
        "Multiply by the upstream gradient (`{upstream}`).",
    ),
    "upstream_ignored.output": Words(
        "`{path}` is what the values of the output would give in place of the upstream gradient.",
        "The upstream gradient was not used.",
        "The chain rule has two factors: which one is missing?",
        "Multiply by the upstream gradient (`{upstream}`).",
    ),
    "mask_missing": Words(
        "`{path}` lets the gradient through where the ReLU was shut.",
        "The upstream gradient was passed on without the mask, or with one that is true everywhere, as `out >= 0` is.",
        "What is the slope of ReLU where its input is negative?",
        "Multiply by `(x > 0)`, with what goes into the ReLU for x.",
    ),
    "mask_missing.loss": Words(
        "`{path}` gets a part from where max(0, x) in the formula is 0, too.",
        "Nothing shuts that part out: a condition, or a mask, is missing, or it holds everywhere.",
        "What is the slope of max(0, x) where x is negative?",
        "Multiply that part by `(x > 0)`, with what the maximum is taken of for x.",
    ),
    "mask_missing.given": ONES,
    "mask_inverted.given": EXCHANGED,
    "mask_inverted": Words(
        "`{path}` lets the gradient through exactly where the ReLU was shut, and stops it where it was open.",
        "The mask is the wrong way round.",
        "For which inputs does ReLU have slope 1?",
        "Use `x > 0` as the mask, with what goes into the ReLU for x.",
    ),
    "mask_inverted.loss": Words(
        "`{path}` gets its part from where max(0, x) in the formula is 0, and none from where it is not.",
        "The condition, or the mask, is the wrong way round.",
        "For which x does max(0, x) have slope 1?",
        "Use `x > 0`, with what the maximum is taken of for x.",
    ),
    "mask_inverted.zeros": Words(
        "`{path}` is 0 in all the entries in which it must not be 0, and in none of the others.",
        "What decides which entries get a gradient is the wrong way round.",
        "For which entries does your mask let the gradient through, and for which must it?",
        "Turn the condition, or the mask, round.",
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
    "wrong_operand.arguments": Words(
        "`{path}` is what comes out when `{name}` and `{other}` change places.",
        "The formula is right, but its arguments come in another order.",
        "In which order do the arguments come in, and in which does your code pass them on?",
        "Pass the arguments on in the order in which they came.",
    ),
    "wrong_operand.swapped": Words(
        "`{path}` holds the value that belongs to `{other}`, and the other way round.",
        "The two results were swapped.",
        "Which result belongs to which name?",
        "Swap `{path}` and `{other}`.",
    ),
}
