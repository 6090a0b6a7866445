"""The words of tensors with wrong values or shapes, by key."""

from __future__ import annotations

from grader.judge.diagnosis.words import Words

VALUE_WORDS: dict[str, Words] = {
    # ----------------------------------------------------------------------------------------------------- accumulation
    "accumulated": Words(
        "Every entry of `{path}` is NaN, as it was before the call.",
        "The result was added to what stood there (`+=`), instead of replacing it.",
        "What is in `{path}` before your code runs?",
        "Assign: `{path} = …`, not `{path} += …`.",
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
    # ---------------------------------------------------------------------------------------------------------- factors
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
    "scaled.one_less": Words(
        "`{path}` is {letter}/({letter} − 1) times what it should be, in every case where that is a number.",
        "It was divided by {letter} − 1, where {letter} is right.",
        "How many values is the mean taken over?",
        "Divide by {letter}: one less belongs to the estimate of a variance, not to a mean.",
    ),
    "scaled.sizes": Words(
        "`{path}` is {right}/{used} times what it should be, in every case.",
        "It was divided by the size {used}, where a division by {right} is right.",
        "Over how many entries is the mean taken, and which axis do you take that number from?",
        "Divide by {right} in place of {used}.",
    ),
    # ----------------------------------------------------------------------------------------------------------- shapes
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
    "broadcast_to_square.reduced": Words(
        "`{path}` is a row, a column, a sum or a mean of the {square} matrix of all pairs, not its diagonal.",
        "A tensor of shape (n, 1) less one of shape (n,) is that matrix, whatever is taken of it afterwards.",
        "Print the shapes of the two operands of your difference.",
        "Bring both to the same shape before you subtract, for instance with `[:, 0]`.",
    ),
    "not_summed_over_batch": Words(
        "`{path}` has shape {actual}; its sum over axis {axis} would be the right answer, of shape {expected}.",
        "The contributions along it were not added up.",
        "One tensor is used by every sample: how many gradients does it get, and what happens to them?",
        "Sum over axis {axis}: `.sum({axis})`.",
    ),
    "not_summed_over_batch.value": Words(
        "`{path}` has shape {actual}; its sum over axis {axis} would be the right answer, of shape {expected}.",
        "The values along it were not added up.",
        "How many numbers are asked for, and how many are there?",
        "Sum over axis {axis}: `.sum({axis})`.",
    ),
    "not_summed_over_batch.first": Words(
        "`{path}` holds the contribution of the first sample alone.",
        "The sum over the batch ends after its first sample: an index, or a `return` or `break` in the loop.",
        "How often does your loop run before the result is given?",
        "Add up the contributions of all samples, or use one matrix product.",
    ),
    "not_summed_over_batch.missing": Words(
        "`{path}` misses the contribution of the {which} sample.",
        "The sum does not go over the whole batch.",
        "With which index does your loop begin, and with which does it end?",
        "Let the loop run over all samples, `range(len(…))`, or use one matrix product.",
    ),
    "summed_too_far": Words(
        "`{path}` has shape {actual}; it is the right answer summed over axis {axis}, which has to stay: {expected}.",
        "A sum went over too many axes.",
        "Which axes may be summed, and which belong to the result?",
        "Leave axis {axis} alone: name the axes in `sum(…)`.",
    ),
    # ---------------------------------------------------------------------------------------- upstream, masks, operands
    "upstream_ignored": Words(
        "`{path}` is what an upstream gradient of ones would give.",
        "The upstream gradient was not used.",
        "The chain rule has two factors: which one is missing?",
        "Multiply by the upstream gradient (`{upstream}`).",
    ),
    "mask_missing": Words(
        "`{path}` lets the gradient through where the ReLU was shut.",
        "The upstream gradient was passed on without the mask, or with one that is true everywhere, as `out >= 0` is.",
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
    # ---------------------------------------------------------------------------------------------------- none of these
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
    "wrong_value.measured": Words(
        "`{path}` earns {share} of its points{right}.",
        "{goal}",
        "What keeps it from the goal?",
        "Compare the result with the goal that the exercise names.",
    ),
    "wrong_value.misstep": Words(
        "`{path}` is what comes out when {what}.",
        "Everything else of the formula is right.",
        "Which way does this term go through your code, and through the formula of the notebook?",
        "Go through the formula of the notebook term by term: the variance, eps, the scale, and the two means.",
    ),
    "wrong_value.approximate": Words(
        "`{path}` is the derivative of the approximation by `tanh`.",
        "It comes near the exact function, which is made with `erf`, and is another.",
        "With which function does the exercise define GELU?",
        "Differentiate x · Φ(x), with Φ(x) = (1 + erf(x / √2)) / 2.",
    ),
    "wrong_value.upstream": Words(
        "`{path}` is the upstream gradient itself.",
        "The derivative of the function is missing.",
        "The chain rule has two factors: which one is missing?",
        "Multiply the upstream gradient by the derivative of the function at its input.",
    ),
    "wrong_value.kernel": Words(
        "`{path}` is what comes out when the kernel is not flipped on the way back.",
        "A kernel that slides over the output's gradient has to lie the other way round than on the way forward.",
        "Which entries of the output did one entry of the input go into, and through which entry of the kernel each?",
        "Turn the kernel over along both of its spatial axes, or add up the windows that the output was made of.",
    ),
    "wrong_value.softmax": Words(
        "`{path}` is what comes out when the softmax is taken over another axis.",
        "Its weights then add up to 1 along an axis where they should not.",
        "Along which axis do the weights have to add up to 1?",
        "Print the sums of the weights along each axis, and compare them with the formula of the notebook.",
    ),
    "wrong_value.softmax_sum": Words(
        "`{path}` is what comes out when the sum in the derivative of the softmax runs over another axis.",
        "The softmax itself is taken over the right one.",
        "Which of the weights change when one of the scores does?",
        "Sum along the axis that the softmax was taken over.",
    ),
    "wrong_value.unscaled": Words(
        "`{path}` is what comes out when the softmax is taken of scores that are not scaled.",
        "The scores are multiplied or divided by a number before the softmax, and that was left out.",
        "What happens to the scores between the product and the softmax?",
        "Compute the weights again as the forward pass of the notebook does, with every factor of it.",
    ),
    "wrong_value.scaled_twice": Words(
        "`{path}` is what comes out when the scores are scaled twice before the softmax.",
        "The scaling was done once too often, or by the square of its factor, as a missing root makes it.",
        "By which number are the scores multiplied or divided, and how often?",
        "Compute the weights again as the forward pass of the notebook does, and print what it scales the scores by.",
    ),
    "wrong_value.no_relu": Words(
        "`{path}` is what comes out when there is no ReLU.",
        "It is missing in the forward pass that your code computes.",
        "Through which functions does a value go from the input to the output?",
        "Write the forward pass down step by step, and look which step your code does not take.",
    ),
    "wrong_value.left_out": Words(
        "`{path}` is what comes out with zeros in the place of {names}.",
        "It has to depend on {names}, and does not.",
        "Which inputs does each step of the forward pass use?",
        "Write the forward pass down step by step, and look where {names} comes in.",
    ),
}
