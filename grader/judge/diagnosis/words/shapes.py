"""The words of values in a wrong shape, or summed over too few or too many axes (``shapes``, ``rows``), by key."""

from __future__ import annotations

from grader.judge.diagnosis.words.sentences import Words

SHAPE_WORDS: dict[str, Words] = {
    "wrong_shape": Words(
        "`{path}` has shape {actual}; it should be {expected}.",
        "A gradient always has the shape of the tensor it belongs to.",
        "Write the shape of every factor next to it: how do you get to {expected}?",
        "Go through your formula shape by shape until each product, sum and transpose gives {expected}.",
    ),
    "wrong_shape.undifferentiated": Words(
        "`{path}` has shape {actual}; it should be {expected}: what stands there is the value of the function.",
        "The function itself stands where its derivative belongs.",
        "What is the derivative of the function with respect to this input alone?",
        "Differentiate the function: how does its value change when one entry of the input does?",
    ),
    "wrong_shape.other_sum": Words(
        "`{path}` has shape {actual}; it should be {expected}. It is a sum over axis {axis}, not the right one.",
        "The axis that is summed over goes; those that stay must make {expected}.",
        "What does each axis count, and over which of them is there something to be added up?",
        "Sum over the axes that {expected} does not have.",
    ),
    "wrong_shape.named": Words(
        "`{path}` holds the rows alone that `{name}` names: it has shape {actual}; it should be {expected}.",
        "Rows that no index names have a gradient, too: it is 0.",
        "Which rows does no index name, and what is the gradient of those?",
        "Begin with zeros in the full shape, and add to the rows that are named.",
    ),
    "wrong_shape.behind": Words(
        "`{path}` ends with the last row that `{name}` names: it has shape {actual}; it should be {expected}.",
        "The rows behind it, which no index names, have a gradient, too: it is 0.",
        "From which number does your code take how many rows there are?",
        "Take the number of rows from the tensor that the gradient belongs to, not from the index.",
    ),
    "wrong_shape.row": Words(
        "`{path}` is the {which} row of the right answer alone: it has shape {actual}; it should be {expected}.",
        "Each round of a loop replaced the one before, a `return` ended it, or an index took one row.",
        "What happens to the rows of the other rounds?",
        "Create the result in its full shape before the loop and write each row into its place, or compute all in one.",
    ),
    "wrong_shape.fewer": Words(
        "`{path}` has shape {actual}; it should be {expected}.",
        "The number of axes is {count} where it should be {asked}: a sum, a mean, an index or `flatten` takes axes "
        "away, and a sum with `keepdim=True` leaves them with size 1.",
        "Which line takes an axis away?",
        "Print the shape of each intermediate result: from which line on is it not the one that leads to {expected}?",
    ),
    "wrong_shape.more": Words(
        "`{path}` has shape {actual}; it should be {expected}.",
        "The number of axes is {count} where it should be {asked}: one was not summed away, or was added.",
        "What does each axis of the result count?",
        "Print the shape of each intermediate result: from which line on is it not the one that leads to {expected}?",
    ),
    "wrong_shape.along": Words(
        "`{path}` has shape {actual}; it should be {expected}.",
        "Axis {axis} has size {has}, where {wanted} is asked for.",
        "Which line gives this axis its size?",
        "Print the shape of each intermediate result: from which line on is it not the one that leads to {expected}?",
    ),
    "wrong_shape.one": Words(
        "`{path}` is the {which} of the values that are asked for, alone: it has shape {actual}; it should be "
        "{expected}.",
        "Only the {which} one was kept, or only it was returned.",
        "What happens to the values of the other steps?",
        "Begin with an empty list, append one value in every step, and return the list.",
    ),
    "wrong_shape.order": Words(
        "`{path}` has shape {actual}; it should be {expected}.",
        "The sizes are right but stand in another order, and a transpose alone does not mend every case.",
        "Name each axis: in which order are they asked for?",
        "Write down the shape of each factor and turn those that need it; then look at the values again.",
    ),
    "transposed": Words(
        "`{path}` is the transpose of the right answer{shapes}.",
        "The factors of a product stand the other way round, a `.T` is missing or too much, or a new axis "
        "(`[:, None]`) stands in the wrong place.",
        "Write down the shape of each factor: which order gives {expected}?",
        "In a product, swap the factors and transpose the other one: (A.T @ B).T is B.T @ A. Else, move the new axis.",
    ),
    "transposed.parameter": Words(
        "`{path}` has its axes the other way round{shapes}.",
        "The sizes stand in the order of `nn.Linear`, or were swapped.",
        "By which product does the layer use it, and which shape does that product need?",
        "Create it with the shape {expected}.",
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
    "unit_axis.scaled": Words(
        "`{path}` is {factor} what is right, in the wrong shape besides: it has shape {actual}; it should be "
        "{expected}.",
        "An axis of size one is missing or too much, and the factor is a mistake of its own.",
        "What is the difference between (n,) and (n, 1)? And which factor does the formula have?",
        "Use `[:, None]`, `[:, 0]`, `squeeze` or `keepdim` so that the shape is {expected}; then look at the factor.",
    ),
    "broadcast_to_square": Words(
        "`{path}` comes from a {square} matrix of all pairs; there is one right value for each row.",
        "Two tensors of n entries met each with each: broadcasting makes (n, n) of (n, 1) and (n,), so does `outer`. "
        "Or one of the two was averaged before they met.",
        "Print the shapes of the two tensors that meet there.",
        "Bring both to the same shape first, for instance with `[:, 0]`, and let them meet entry by entry.",
    ),
    "broadcast_to_square.reduced": Words(
        "`{path}` is a row, a column, a sum or a mean of the {square} matrix of all pairs, not its diagonal.",
        "A tensor of shape (n, 1) less one of shape (n,) is that matrix, whatever is taken of it; or one of the two "
        "was averaged or summed before they met.",
        "Print the shapes of the two operands of your difference.",
        "Bring both to the same shape before you subtract, for instance with `[:, 0]`.",
    ),
    "broadcast_to_square.first": Words(
        "`{path}` is what comes out when {which}.",
        "An index takes one row where all are meant, or a slice was taken of the {square} matrix of all pairs.",
        "Print the shapes of the two operands of your difference: which rows stand in each?",
        "Take the column as a row, with `[:, 0]`, not with `[0]`, and subtract entry by entry.",
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
        "What goes over the batch, a sum or a loop, ends after the first sample: by an index, a `return` or a `break`.",
        "How often does your loop run before the result is given?",
        "Add up the contributions of all samples, or use one matrix product.",
    ),
    "not_summed_over_batch.missing": Words(
        "`{path}` misses the contribution of the {which} sample.",
        "A sum or a loop does not go over the whole batch.",
        "At which index does your loop begin, and at which does it end?",
        "Let the loop run over all samples, `range(len(…))`, or use one matrix product.",
    ),
    "summed_too_far.averaged": Words(
        "`{path}` has shape {actual}; it is the right answer averaged over axis {axis}, which has to stay: {expected}.",
        "A mean was taken of what is asked for one by one.",
        "How many numbers are asked for, and how many are there?",
        "Take the mean away.",
    ),
    "broadcast_to_square.scaled": Words(
        "`{path}` is a {square} matrix of all pairs; there is one right value for each row.",
        "A tensor of shape (n, 1) met one of shape (n,), and the diagonal is {factor} what is right besides.",
        "What shape does (n, 1) − (n,) have?",
        "Bring both to the same shape first, for instance with `[:, 0]`; then look at the factor.",
    ),
    "summed_too_far": Words(
        "`{path}` has shape {actual}; it is the right answer summed over axis {axis}, which has to stay: {expected}.",
        "A `sum` or a `mean` went over too many axes.",
        "Which axes may be summed, and which belong to the result?",
        "Leave axis {axis} alone: name the others in `sum(…)`, or take the `sum` or `mean` away.",
    ),
    "wrong_shape.mean": Words(
        "`{path}` has shape {actual}; its mean would be the right answer, of shape {expected}.",
        "The mean over its entries was left out.",
        "How many numbers does the formula give, for all rows together?",
        "Take the `mean()` of it.",
    ),
    "summed_too_far.total": Words(
        "`{path}` has shape {actual}; it is the sum of all entries of the right answer, of shape {expected}.",
        "A `sum()` without axes adds up everything.",
        "Which axes may be summed, and which belong to the result?",
        "Name the axes that are to be summed: `sum(…)`, with `keepdim=True` where they have to stay with size 1.",
    ),
    "summed_too_far.parameter": Words(
        "`{path}` has shape {actual}; it should be {expected}, with axis {axis} at its full size.",
        "The parameter was made smaller than is asked for, as one number for a whole row is.",
        "How many numbers does the parameter hold, and for how many outputs?",
        "Make it of shape {expected}, from the sizes that `__init__` is given.",
    ),
}
