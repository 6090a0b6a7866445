"""The words of other forward and backward passes than the right ones (``passes``, ``given``, ``formulas``), by key."""

from __future__ import annotations

from dataclasses import replace

from grader.judge.diagnosis.words.sentences import Words

ONES = Words(
    "`{path}` is what comes out with ones in the place of `{name}`.",
    "`{name}` does not come into it, or is taken to be 1 everywhere.",
    "What has to happen in the entries where `{name}` is 0?",
    "Look where `{name}` stands in the forward pass: the way back has it at the same place.",
)
EXCHANGED = Words(
    "`{path}` is what comes out when 0 and 1 change places in `{name}`.",
    "`{name}` is used the wrong way round.",
    "What has to happen in the entries where `{name}` is 0, and what in those where it is 1?",
    "Use `{name}` as the forward pass does, without turning it round.",
)
PASS = Words(
    "`{path}` is what comes out when {what}.",
    "Everything else of it is right.",
    "Through which functions does a value go, and what is the derivative of each?",
    "Write the steps down one by one, each with its derivative, and compare them with your lines.",
)
SEED = Words(
    "`{path}` is what comes out when `backward` begins with {what}, in place of 1.",
    "",
    "What is the derivative of the result with respect to itself?",
    "Begin `backward` with `self.grad = 1.0`.",
)
VALUE = Words(
    "`{path}` is what comes out when {what}.",
    "What that operation gives is wrong, before anything goes back.",
    "What does that operation make of its operands?",
    "Work it out by hand for two small numbers, and compare that with the `data` of your result.",
)
PASS_WORDS: dict[str, Words] = {
    "wrong_value.pass": PASS,
    "wrong_value.pass.one": replace(
        PASS, seen="`{path}` is what comes out when {what}, in one place of the {count} that it could be."
    ),
    "wrong_value.part": Words(
        "`{path}` is what comes of a part of the output's gradient, along {where}: {which}.",
        "A loop or a slice does not go over all places of the output.",
        "At which index does your loop begin, at which does it end, and by how much does it advance?",
        "Let the loop go over every place of the output: `range(size)`, with the size that the output has there.",
    ),
    "wrong_value.part.outputs": Words(
        "`{path}` is what comes out where {unused} is 0.",
        "The forward pass has several outputs, and the gradient of each of them contributes.",
        "By which ways does the loss depend on this input: through which of the outputs?",
        "Begin with what arrives at each output, {unused} too, and add where two ways meet.",
    ),
    "wrong_value.upstream_made": Words(
        "`{path}` is what comes out when {what}.",
        "Everything else of it is right.",
        "What does your code make of {upstream} before it comes into the formula?",
        "Use {upstream} as it comes, entry by entry.",
    ),
    "wrong_value.operation": Words(
        "`{path}` is what comes out when {what}, where their difference is asked for.",
        "Everything else of it is right.",
        "Which operation does the formula have between the two?",
        "Take the second from the first, with `-`.",
    ),
    "wrong_value.upstream_added": Words(
        "`{path}` is the derivative plus the upstream gradient.",
        "By the chain rule, the two are multiplied.",
        "What does the chain rule do with the derivative and with what arrives?",
        "Multiply the derivative by the upstream gradient, entry by entry.",
    ),
    "wrong_value.engine": Words(
        "`{path}` is what comes out when {what}.",
        "",
        "What does that operation pass on to each of its operands?",
        "To each operand belongs the gradient that arrives at the result, times the derivative with respect to it.",
    ),
    "wrong_value.engine.value": VALUE,
    "wrong_value.engine.operation": replace(
        VALUE,
        seen="`{path}` is wrong in every formula with `{name}`, and in no other.",
        cause="The first place to look is what that operation gives, before anything goes back.",
    ),
    "wrong_value.seed": replace(
        SEED, seen="`{path}` is what comes out when `backward` begins with the value of the result, in place of 1."
    ),
    "wrong_value.seed_number": SEED,
    "wrong_value.walk": Words(
        "`{path}` is off only where a result inside of the formula is used twice; all single operations are right.",
        "A node has to pass its gradient on once, after all of it has come in: look at the order of the nodes.",
        "When has all of a node's gradient come in, and when does your code pass it on?",
        "Sort the nodes first, each after those that it was made from; then go through the list from its end.",
    ),
    "wrong_value.walk_early": Words(
        "`{path}` is what comes out when a node passes its gradient on before all of it has come in.",
        "The nodes are visited branch by branch or level by level, which is not always the order of the computation.",
        "When has all of a node's gradient come in, and when does your code pass it on?",
        "Sort the nodes first, each after those that it was made from; then go through the list from its end.",
    ),
    "wrong_value.walk_again": Words(
        "`{path}` is what comes out when a node that is used twice passes its gradient on twice.",
        "It is visited once for each use, and what came in before is passed on again.",
        "How often does your code visit a node that is used twice?",
        "Visit each node once, after all that uses it: sort the nodes first, and remember which you have seen.",
    ),
    "wrong_value.walk_backwards": Words(
        "`{path}` is what comes out when only the last operation passes its gradient on.",
        "The nodes are visited from the inputs to the result, or the walk ends after the first.",
        "Which node has its gradient first, and which can have it only then?",
        "Go through the sorted nodes from the result back to the inputs, as `reversed` does.",
    ),
    "wrong_value.misstep": Words(
        "`{path}` is what comes out when {what}.",
        "Everything else of the formula is right.",
        "Which way does this term go through your code, and through the formula of the notebook?",
        "Go through the formula of the notebook term by term: what it divides by, eps, the scale, and each mean.",
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
        "Write the forward pass down step by step, and look for {names} there.",
    ),
    "wrong_value.number": Words(
        "`{path}` is what comes out with {value} in the place of `{name}`.",
        "It has to depend on `{name}`, and does not.",
        "Where does `{name}` come into the formula?",
        "Write the forward pass down step by step, and look where `{name}` comes in.",
    ),
    "wrong_value.complement": Words(
        "`{path}` is what comes out with `1 − {name}` in the place of `{name}`.",
        "Two weights that add up to 1 have changed places, or one was taken for the other.",
        "Which of the terms is to get `{name}`, and which `1 − {name}`?",
        "Look up which term `{name}` weighs, and give `1 − {name}` to the other.",
    ),
    "wrong_value.ones": ONES,
    "wrong_value.ones.given": replace(
        ONES,
        nudge="Where does `{name}` come into the formula?",
        full="Go through the formula factor by factor: where does `{name}` stand in it, and where in your code?",
    ),
    "wrong_value.exchanged": EXCHANGED,
}
