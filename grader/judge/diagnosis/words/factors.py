"""The words of values that are right but for a factor (``factors``, ``other_factors``), by key."""

from __future__ import annotations

from dataclasses import replace

from grader.judge.diagnosis.words.sentences import Words

MEAN = Words(
    "`{path}` is {size} times too small where {letter} = {size}, that is {letter} times in every case.",
    "The contributions were averaged where they have to be summed.",
    "Is a sum asked for, or a mean?",
    "Use `sum` in place of `mean`.",
)
HALF = Words(
    "`{path}` is exactly half of what it should be.",
    "A factor of 2 is missing, usually that of a square's derivative, or one of ½ is too many.",
    "Is there a square in the formula, and what is the derivative of x²? Does a ½ stand in your code?",
    "Multiply by 2.",
)
FACTOR_WORDS: dict[str, Words] = {
    "zeros": Words(
        "`{path}` is zero everywhere.",
        "It was created with zeros and nothing was written into it, or it was multiplied by zero, as by the difference "
        "of two equal tensors.",
        "Which line is supposed to fill it?",
        "Follow the result from the last line backwards: where does it become zero?",
    ),
    "zeros.seed": Words(
        "`{path}` is zero everywhere, in every formula.",
        "The gradient of the result itself, 1, is not set before the walk back, or does not get to the inputs: the "
        "walk does not begin at the result, or gradients are cleared after it.",
        "What is the derivative of the result with respect to itself, and which line writes it?",
        "Begin `backward` with `self.grad = 1.0`, at the result, before any node passes its gradient on.",
    ),
    "zeros.inside": Words(
        "`{path}` is zero at nodes that were made from others; at those that a graph begins with it is right.",
        "Here `a` and `b` are results themselves, of `a * 1` and `b * 1`, and `out` has a gradient, too: 1. Their "
        "gradients are cleared after the walk, or never kept.",
        "Which nodes keep their gradient when `backward` has run?",
        "Leave the gradient of every node where it is: it is cleared by nothing in `backward`.",
    ),
    "sign_flipped": Words(
        "`{path}` has the right numbers with the opposite sign, everywhere.",
        "A difference was taken the other way round, or a minus sign was lost.",
        "In which direction does the difference go?",
        "Swap the two sides of the difference, or add the minus sign.",
    ),
    "missing_mean": Words(
        "`{path}` is {size} times too large where {letter} = {size}, that is {letter} times in every case.",
        "The mean over {letter} was left out on the way back.",
        "What does the mean contribute to the derivative?",
        "Divide by {letter}, as the derivative of a mean over {letter} does.",
    ),
    "missing_mean.upstream": Words(
        "`{path}` is {size} times too large where {letter} = {size}, that is {letter} times in every case.",
        "It was multiplied by {letter}, or what is a mean in the formula was taken as a sum.",
        "Where does {letter} come into your formula, and where into that of the notebook?",
        "Divide by {letter} once, or take one factor {letter} away.",
    ),
    "missing_mean.times": Words(
        "`{path}` is {size} times too large where {letter} = {size}, that is {letter} times in every case.",
        "It was multiplied by {letter} once too often, or divided by it once too seldom; or multiplied by {root} "
        "where it has to be divided by {root}.",
        "Where does {letter} come into your formula, and where into that of the notebook?",
        "Divide by {letter} once, or take one factor {letter} away.",
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
    "averaged_instead_of_summed": replace(
        MEAN, nudge="Something that is used by every sample gets a gradient from each: what happens to them?"
    ),
    "averaged_instead_of_summed.value": MEAN,
    "averaged_instead_of_summed.some": Words(
        "`{path}` is {count} times too small here, in every case by the number of entries along the axes {which}.",
        "Along those axes the contributions were averaged where they have to be summed.",
        "Along which axes does your code sum, and along which does it take a mean?",
        "Use `sum` along all of these axes.",
    ),
    "averaged_instead_of_summed.one_less": Words(
        "`{path}` is {less} times too small where {letter} = {size}, that is {letter} − 1 times in every case.",
        "It was divided by {letter} − 1, where the contributions have to be summed.",
        "Something that is used by every sample gets a gradient from each: what happens to them?",
        "Use `sum`, and divide by nothing: one less belongs to the estimate of a variance.",
    ),
    "averaged_instead_of_summed.entries": replace(
        MEAN, seen="`{path}` is {count} times too small here, by the number of entries that are summed, in every case."
    ),
    "averaged_instead_of_summed.output": Words(
        "`{path}` is {count} times too small here, in every case by the number of entries of the output.",
        "It was divided by that number, as by a mean over all of the output, which the formula does not have.",
        "Is a sum asked for, or a mean?",
        "Take the division away: the upstream gradient has all that comes after the output in it.",
    ),
    "averaged_instead_of_summed.repeats": Words(
        "`{path}` holds averages where a row is used several times.",
        "The contributions of a row that is used more than once were averaged where they have to be summed.",
        "What must happen to the gradient of something that is used twice?",
        "Add up all contributions: `index_add_`, starting from zeros.",
    ),
    "mean_twice.entries": Words(
        "`{path}` is {count} times too small here, in every case by the number of its entries.",
        "It was divided by that number, or a mean was taken where each entry stands for itself.",
        "Which of your lines divides, and what is added up in the formula of the notebook?",
        "Take the division away.",
    ),
    "missing_factor_two": HALF,
    "missing_factor_two.value": replace(
        HALF, cause="A factor of 2 is missing.", nudge="Which constant factor does the formula have?"
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
    "scaled.parts": Words(
        "`{path}` is {factor} times what it should be, in every case.",
        "That is made of {parts}.",
        "Which line brings each of these in, or should?",
        "The rest of the formula is right. Mend one of these after the other, and check again after each.",
    ),
    "scaled.part": Words(
        "`{path}` is {factor} times what it should be, in every case.",
        "That is {part}.",
        "Which line brings that in?",
        "The rest of the formula is right: mend that factor alone.",
    ),
    "scaled.upside_down": Words(
        "`{path}` is {letter}²/4 times what it should be, in every case.",
        "The fraction 2/{letter} stands upside down, as {letter}/2.",
        "What is multiplied by 2, and what is divided by {letter}?",
        "Multiply by 2 and divide by {letter}.",
    ),
    "scaled.one_less": Words(
        "`{path}` is {letter}/({letter} − 1) times what it should be, in every case where that is a number.",
        "It was divided by {letter} − 1, where {letter} is right.",
        "How many values is the mean taken over?",
        "Divide by {letter}: one less belongs to the estimate of a variance, not to a mean.",
    ),
    "scaled.fixed": Words(
        "`{path}` is {letter}/{used} times what it should be, in every case.",
        "A number that is the same for every size stands where {letter} belongs, or {letter} is a factor too much.",
        "Which number of your code was right for one example alone?",
        "Take {letter} from the shape of a tensor, not from an example.",
    ),
    "scaled.sizes": Words(
        "`{path}` is {right}/{used} times what it should be, in every case.",
        "It was divided by the size {used}, where a division by {right} is right.",
        "Over how many entries is the mean taken, and which axis do you take that number from?",
        "Divide by {right} in place of {used}.",
    ),
}
