"""The words of steps that went wrong, in optimizers and training loops, by key."""

from __future__ import annotations

from grader.judge.diagnosis.words import Words

#: Words for the mistakes that are told by simulation.
LR_ONCE = "The learning rate was kept when the optimizer was made, and its later change was not seen."
LR_NEVER = "The learning rate is not a factor of the step."
LR_FIXED = "A number was written in its place."
SAME_RATE = "the same at every step"
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
    "unscaled": "when the look-ahead does not multiply the buffer by momentum",
    "raw": "neither average is corrected",
    "raw_mean": "the first average is not corrected",
    "raw_square": "the second average is not corrected",
    "counted": "the count of steps goes up once for each parameter",
    "ahead": "the count of steps is one too high",
    "stuck": "the count of steps stays at one",
    "stored": "the corrected averages are stored, and corrected again at the next step",
    "swapped": "the two betas change places",
    "weights": "β weighs the new gradient and 1 − β the old average",
    "unweighted": "the new gradient enters the averages without the weight 1 − β",
    "no_root": "the root of the second average is left out",
    "eps_inside": "eps stands inside of the root",
    "eps_outside": "eps is added to the fraction, not to its denominator",
    "no_eps": "eps is no part of the denominator",
    "eps_early": "eps is added before the second average is corrected",
}

STEP_WORDS: dict[str, Words] = {
    # ------------------------------------------------------------------------------------------------------- optimizers
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
    "not_in_place.no_gradients": Words(
        "`{path}` has the same values after the call as before it.",
        "No step was taken: no gradient is there at the moment of the step, or the optimizer holds no parameters.",
        "What does the optimizer find at its first step: which parameters, and which gradients?",
        "Fill the gradients before each step, clear them behind it; a generator gives its parameters only once.",
    ),
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
    "first_step.used_up": Words(
        "`{path}` is what comes out when only the first step is taken, where the parameters come as a generator.",
        "A generator gives its parameters once; at the second step it is empty.",
        "What is left of a generator after a loop over it?",
        "Keep the parameters as a list: `self.params = list(params)`.",
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
    "wrong_value.averages": Words(
        "`{path}` is what comes out when {what}.",
        "Everything else of the formula is right.",
        "Of what are the two running averages, and how much does each new gradient weigh in them?",
        "mean = β₁ · mean + (1 − β₁) · g, and square = β₂ · square + (1 − β₂) · g².",
    ),
    "wrong_value.formula": Words(
        "`{path}` is what comes out when {what}.",
        "Everything else of the formula is right.",
        "In which order does the formula of the notebook add, divide and take the root?",
        "Write the denominator as in the formula: the root of the corrected average, plus eps.",
    ),
    # --------------------------------------------------------------------------------------------------- training loops
    "accumulated.steps": Words(
        "`{path}` is what comes out when gradients from before are added to those of a step.",
        "`backward()` adds to `.grad`, and nothing cleared it before.",
        "What does `.grad` hold when the second step begins?",
        "Clear the gradients in every step, before `backward()`.",
    ),
    "stale.steps": Words(
        "`{path}` is what comes out after one step less than asked for.",
        "The loop runs too seldom, or its last step is not taken.",
        "How often does your loop run for `steps = 1`?",
        "Let the loop run `steps` times: `range(steps)`.",
    ),
    "stale.gradients": Words(
        "`{path}` is what comes out when every step uses the gradients of the first.",
        "The gradients were computed once, for weights that have changed since.",
        "Which of your lines run once, and which at every step?",
        "Compute the gradients anew in every step, from the weights as they are then.",
    ),
    "averaged_instead_of_summed.steps": Words(
        "`{path}` is what comes out when the steps follow the gradient of a mean.",
        "The gradients were divided by a number of samples or entries, where the loss is a sum.",
        "Is the loss of this notebook a sum or a mean?",
        "Use the gradients of the sum as they are.",
    ),
    "averaged_instead_of_summed.loss": Words(
        "`{path}` is what comes out when the loss is a mean.",
        "The squares were averaged where this loss is their sum.",
        "Is the loss of this notebook a sum or a mean?",
        'Use `sum()`, or `reduction="sum"`.',
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
}
