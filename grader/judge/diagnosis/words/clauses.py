"""What is wrong in an optimizer or a training loop, as clauses that the words of steps are filled with."""

from __future__ import annotations

#: Words for the mistakes that are told by simulation.
LR_ONCE = "The learning rate was kept when the optimizer was made, and its later change was not seen."
LR_NEVER = "The learning rate is not a factor of the step."
LR_FIXED = "A number was written in its place."
SAME_RATE = "the same at every step"
SLIPS = {
    "damp_first": "the buffer starts from zeros, so that the first gradient is dampened too",
    "empty_first": "the buffer misses the first gradient",
    "first_doubled": "the buffer begins as the first gradient, and that is added to it once more",
    "no_decay": "weight decay is left out",
    "decoupled": "weight decay is applied to the parameter itself, outside of the gradient",
    "decay_sign": "weight decay is subtracted",
    "no_damp": "dampening is left out",
    "damp_inverse": "dampening is taken for 1 − dampening",
    "damp_itself": "dampening is put in the place of 1 − dampening",
    "average": "dampening is 1 − momentum, which makes an average of the sum",
    "no_nesterov": "Nesterov is left out",
    "always_nesterov": "the step looks ahead as with Nesterov, where plain momentum is asked for",
    "buffer_only": "the look-ahead of Nesterov leaves out the gradient",
    "unscaled": "the look-ahead of Nesterov does not multiply the buffer by momentum",
    "raw": "neither average is corrected",
    "raw_mean": "the first average is not corrected",
    "raw_square": "the second average is not corrected",
    "counted": "the count of steps goes up once for each parameter",
    "by_two": "the count of steps goes up by two at each step",
    "rootless": "the square root is missing around 1 − β₂ᵗ, which comes out of the root of the second average",
    "default_correction": "the averages are corrected with 0.9 and 0.999, whatever is given",
    "largest": "the largest of the second averages so far stands in the place of the last, as in AMSGrad",
    "largest_corrected": "the largest of the corrected second averages so far stands in the place of the last",
    "ahead_of_gradient": "the look-ahead of Nesterov is the buffer plus momentum times the gradient",
    "ahead_of_buffer": "the look-ahead of Nesterov is the buffer plus momentum times the buffer",
    "both_weighed": "momentum is multiplied with the new gradient, too, and not with the buffer alone",
    "kept_negative": "the old buffer is subtracted, and not added",
    "momentum_written": "momentum is 0.9 wherever there is any, whatever is given",
    "gradient_weighed": "momentum is multiplied with the new gradient, and not with the buffer",
    "last_alone": "the buffer holds the last gradient alone, and not all that were before",
    "ahead": "the count of steps is one too high",
    "stuck": "the count of steps stays at one",
    "stuck_mean": "the first average is divided by 1 − β₁ at every step, and not by 1 − β₁ᵗ",
    "stuck_square": "the second average is divided by 1 − β₂ at every step, and not by 1 − β₂ᵗ",
    "stored": "the corrected averages are stored, and corrected again at the next step",
    "swapped": "the two betas change places",
    "swapped_averages": "the two betas change places in the averages, and not in their corrections",
    "swapped_corrections": "the two betas change places in the corrections, and not in the averages",
    "second_beta": "both averages use β₂",
    "mean_by_second": "the first average uses β₂, and its correction β₁",
    "square_by_first": "the second average uses β₁, and its correction β₂",
    "mean_corrected_by_second": "the first average is corrected with β₂",
    "mean_keeps_by_second": "β₂ weighs the old first average, and 1 − β₁ the new gradient",
    "mean_takes_by_second": "1 − β₂ weighs the gradient that enters the first average, and β₁ the old average",
    "square_keeps_by_first": "β₁ weighs the old second average, and 1 − β₂ the new square",
    "square_takes_by_first": "1 − β₁ weighs the square that enters the second average, and β₂ the old average",
    "no_square": "the step is the first average alone, and nothing divides it",
    "weights": "β weighs the new gradient and 1 − β the old average",
    "weights_mean": "in the first average, β₁ weighs the new gradient and 1 − β₁ the old average",
    "weights_square": "in the second average, β₂ weighs the new square and 1 − β₂ the old average",
    "unweighted_mean": "the new gradient enters the first average without the weight 1 − β₁",
    "unweighted_square": "the new square enters the second average without the weight 1 − β₂",
    "added_up": "gradients and squares are added up in the averages, with neither β nor 1 − β",
    "added_up_mean": "gradients are added up in the first average, with neither β₁ nor 1 − β₁",
    "old_whole": "the old averages are kept whole, without the weight β",
    "old_whole_mean": "the old first average is kept whole, without the weight β₁",
    "old_whole_square": "the old second average is kept whole, without the weight β₂",
    "times": "the averages are multiplied by 1 − βᵗ, not divided by it",
    "times_mean": "the first average is multiplied by 1 − β₁ᵗ, not divided by it",
    "times_square": "the second average is multiplied by 1 − β₂ᵗ, not divided by it",
    "stored_mean": "the corrected first average is stored, and corrected again at the next step",
    "stored_square": "the corrected second average is stored, and corrected again at the next step",
    "summed_squares": "the squares are summed up in the place of the second average, as in Adagrad",
    "signs_alone": "each step is the learning rate times the sign of the gradient",
    "as_adagrad": "the gradient stands above the root of the sum of all squares so far, as in Adagrad",
    "unweighted": "the new gradient enters the averages without the weight 1 − β",
    "no_root": "the root of the second average is left out",
    "eps_inside": "eps stands inside of the root",
    "eps_outside": "eps is added to the fraction, not to its denominator",
    "eps_behind": "eps is added to the whole step, not to the denominator, around which there are no parentheses",
    "eps_inside_early": "eps stands inside of the root, and is divided by 1 − β₂ᵗ there with the second average",
    "no_eps": "eps is no part of the denominator, as without parentheses, or is far smaller than the one that is given",
    "power_of_rest": "the averages are divided by (1 − β)ᵗ, and not by 1 − βᵗ",
    "power_of_rest_mean": "the first average is divided by (1 − β₁)ᵗ, and not by 1 − β₁ᵗ",
    "power_of_rest_square": "the second average is divided by (1 − β₂)ᵗ, and not by 1 − β₂ᵗ",
    "weight_squared": "the weight of the new square is squared as well: ((1 − β₂)·g)² for (1 − β₂)·g²",
    "decay_itself": "weight decay is added as it is, and not times the parameter",
    "of_param": "the parameter stands in the place of its gradient",
    "ahead_negative": "the look-ahead of Nesterov subtracts the buffer from the gradient, and does not add it",
    "kept_twice": "the old buffer is kept whole, and momentum times it is added, as by `+=`",
    "kept_twice_mean": "the old first average is kept whole, and β₁ times it is added, as by `+=`",
    "kept_twice_square": "the old second average is kept whole, and β₂ times it is added, as by `+=`",
    "power": "the averages are divided by βᵗ, and not by 1 − βᵗ",
    "power_mean": "the first average is divided by β₁ᵗ, and not by 1 − β₁ᵗ",
    "power_square": "the second average is divided by β₂ᵗ, and not by 1 − β₂ᵗ",
    "plus": "the averages are divided by 1 + βᵗ, and not by 1 − βᵗ",
    "plus_mean": "the first average is divided by 1 + β₁ᵗ, and not by 1 − β₁ᵗ",
    "plus_square": "the second average is divided by 1 + β₂ᵗ, and not by 1 − β₂ᵗ",
    "decay_doubled": "weight decay is doubled",
    "decay_halved": "weight decay is halved",
    "decay_of_signs": "weight decay is that of the signs of the parameter, and not of the parameter itself",
    "decay_of_squares": "weight decay is that of the squares of the parameter, and not of the parameter itself",
    "decay_by_rate": "weight decay is multiplied by the learning rate, and then again with the whole step",
    "undecayed": "the look-ahead of Nesterov starts from the gradient without weight decay",
    "decay_of_half_squares": "weight decay is the penalty itself, half of the squares, and not its derivative",
    "decay_of_total": "weight decay is one number for all entries, such as the sum of their squares, not part of each",
    "rate_twice": "the learning rate is multiplied into the buffer, and then again with the whole step",
    "zeroed": "the buffer is the tensor of the first gradient itself, not a copy, and is zeroed with it",
    "kept_whole": "the old buffer is taken whole, and not multiplied by momentum",
    "damp_both": "dampening is applied to the whole sum, the old buffer included",
    "damp_added": "dampening is added to 1, and not taken from it",
    "square_still": "the second average is never updated, and stays 0",
    "square_late": "the step uses the second average of the step before",
    "mean_late": "the step uses the first average of the step before",
    "ones": "both averages start at 1, and not at 0",
    "square_of_ones": "the second average starts at 1, and not at 0",
    "decay_unscaled": "weight decay is applied without the learning rate",
    "damp_old": "dampening is applied to the buffer, and not to the new gradient",
    "stored_ahead": "what looks ahead is stored as the buffer",
    "behind": "the count of steps is one too low, or goes up after the update",
    "first_beta": "the second average is corrected with β₁",
    "first_whole": "the averages start from the first gradient, and are not corrected",
    "first_whole_corrected": "the averages start from the first gradient, and are corrected as if from zeros",
    "first_whole_mean": "the first average starts from the first gradient, and is corrected as if from zeros",
    "first_whole_square": "the second average starts from the first square, and is corrected as if from zeros",
    "by_count": "the averages are divided by 1 − β·t, and not by 1 − βᵗ",
    "by_count_mean": "the first average is divided by 1 − β₁·t, and not by 1 − β₁ᵗ",
    "by_count_square": "the second average is divided by 1 − β₂·t, and not by 1 − β₂ᵗ",
    "one_beta": "both averages use β₁",
    "of_mean": "the second average is of the squared mean, and not of the squared gradient",
    "of_deviation": "the second average is of the gradient's distance from its mean, as in AdaBelief",
    "largest_gradient": "the largest gradient so far stands in the place of the second average, as in Adamax",
    "gradient_once_more": "the gradient is taken into the mean once more before it is used, as in NAdam",
    "of_absolute": "the second average is of the absolute gradient, and not of its square",
    "of_gradient": "the second average is of the gradient, and not of its square",
    "default_betas": "the betas are 0.9 and 0.999, whatever is given",
    "plain_gradient": "the gradient stands in the numerator, and not its average",
    "root_mean_square": "the gradient stands in the numerator, and the average below it is not corrected",
    "eps_early": "eps is added before the second average is corrected",
}

#: The keys of words that speak of Adam's two averages, and have others (``.one``) where there is one alone.
OF_ONE_AVERAGE = frozenset({"wrong_value.averages", "wrong_value.formula"})


def of_one_average(what: str, beta: str) -> str:
    """One of ``SLIPS`` where the squares alone are averaged, by ``beta``, and the gradient itself stands above them.

    >>> of_one_average(SLIPS["unweighted_square"], "`kept`")
    'the new square enters the average of the squares without the weight 1 − `kept`'
    """
    for adams, own in (
        ("first average", "gradient"),
        ("old second average", "old average of the squares"),
        ("second average", "average of the squares"),
        ("β₂", beta),
    ):
        what = what.replace(adams, own)
    return what


#: What a training loop does that plain descent does not.
LOOPS = {
    "momentum": "the steps have momentum: each adds the new gradient to a share of the step before",
    "average": "each step follows a running average of the gradients, and not the gradient",
    "falling": "the learning rate falls from step to step",
    "cosine": "the learning rate falls along a cosine",
    "linear": "the learning rate falls evenly from step to step",
    "warm": "the learning rate grows from step to step, as in a warm-up",
    "decay": "a part of the weights is added to their gradients, as weight decay is",
    "decay_itself": "a part of the parameter itself is taken away at each step, as in AdamW",
    "norm": "the gradients are cut to a length of {limit} before each step",
    "unit": "the gradient of each tensor is divided by its length",
    "entries": "each entry of the gradients is cut to at most {limit}",
    "each": "the gradient of each tensor is cut to a length of 1",
    "signs": "only the signs of the gradients are used",
    "penalty": "the squares of the weights are added to the loss, as a penalty",
    "rows": "each step goes through the rows one by one, and updates the weights after each",
    "batches": "each step goes through batches of {size} rows, and updates the weights after each",
    "one_row": "each step uses one row alone, the next one at each step",
    "one_batch": "each step uses {size} rows alone, the next ones at each step",
    "first_rows": "each step uses the first rows alone",
}

#: What students make of the gradients, or of the update, without being asked to.
MADE = {
    "entries": "each entry of the {what} is cut to at most 1",
    "norm_each": "the {what} of each parameter is cut to a length of 1",
    "unit": "the {what} of each parameter is divided by its length",
    "signs": "only the signs of the {what} are used",
    "doubled": "the {what} is doubled",
    "halved": "the {what} is halved",
}

#: What is made of the learning rate.
RATES = {
    "squared": "the square of the learning rate stands in its place",
    "rooted": "the root of the learning rate stands in its place",
    "divided": "the step is divided by the learning rate, and not multiplied by it",
}

#: What an optimizer may be given beside a learning rate and a momentum.
SETTINGS = {
    "nesterov": "each step looks ahead, as with Nesterov",
    "dampening": "the gradient enters the buffer times 1 − momentum",
    "Adam": "the steps are those of Adam",
    "twice": "each step is taken twice, with the same gradients",
    "decay": "there is weight decay",
    "once": "one step alone is taken, with the gradients that come last, as by a `step` behind the loop",
    "sums": "the gradients of all steps so far are added up",
}

#: What else may come together with one of ``SLIPS``.
TOGETHER = {
    "signs": "only the signs of the update are used",
    "rate": "the learning rate is left out",
    "ascent": "the step goes up the gradient",
    "rate_inside": "the learning rate is multiplied into the buffer",
}
