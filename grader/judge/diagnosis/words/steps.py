"""The words of steps that went wrong in an optimizer (``optimizers``, ``moves``, ``steps``, ``settings``), by key."""

from __future__ import annotations

from grader.judge.diagnosis.words.sentences import Words

STEP_WORDS: dict[str, Words] = {
    "not_in_place": Words(
        "`{path}` has the same values after the call as before it.",
        "The update made a new tensor, or none at all, and the object that was passed in stayed as it was.",
        "What is the difference between `p = p - step` and `p -= step`?",
        "Change the tensor itself: `p -= …` or `p.sub_(…)`, under `torch.no_grad()` where it requires gradients.",
    ),
    "not_in_place.left_out": Words(
        "`{path}` has the same values after the call as before it, and others have changed.",
        "The loop does not get to it: it ends before, or the update is missing; or a new tensor was made of it.",
        "Which line of your code changes `{path}`, and does it run?",
        "Go over all of them: no `return` inside of the loop, and a generator can be gone through only once.",
    ),
    "not_in_place.elsewhere": Words(
        "`{path}` has the same values after the call as before it, but `{found}` holds the right ones.",
        "The update made a new tensor instead of changing the one that was passed in.",
        "What is the difference between `p = p - step` and `p -= step`?",
        "Change the tensor itself: `p -= …` or `p.sub_(…)`.",
    ),
    "wrong_value.tiny": Words(
        "`{path}` moved by less than a hundredth of what it should.",
        "The steps are far too small, or they take each other back.",
        "By how much does your first step change `{path}`, and by how much should it?",
        "Multiply the gradient by the learning rate, once, and by nothing else.",
    ),
    "wrong_value.moved_in_part": Words(
        "`{path}` is right in {right} of its {total} entries, and as before the call in all others.",
        "The steps do not get to them: an index, a slice or a condition leaves them out, or not all were handed over.",
        "Which entries does your step change, and which should it?",
        "Change the whole of every parameter in each step.",
    ),
    "not_in_place.no_gradients": Words(
        "`{path}` has the same values after the call as before it.",
        "No step came to it: no gradient is there at the step, or the optimizer holds no parameters, or a copy's.",
        "What does the optimizer find at its first step: which parameters, and which gradients?",
        "Fill the gradients before each step, clear them behind it; make the optimizer from the model that comes in.",
    ),
    "learning_rate_ignored.default": Words(
        "`{path}` is what comes out when the learning rate is {used} where none is given.",
        "The default of `lr` is another number than is asked for.",
        "Which default does `lr` have in the signature of your `__init__`, and in the one of the exercise?",
        "Give `lr` the default of the signature that the exercise gives.",
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
    "state_shared.kept": Words(
        "`{path}` is not there: your code keeps `{name}` on the class, and not on the object.",
        "What a class keeps is one for all of its objects, and each call of one replaces what the others need.",
        "Two objects of one class: does each remember its own values?",
        "Store it on `self`: `self.{name} = …`.",
    ),
    "state_lost": Words(
        "`{path}` is what comes out when no step knows of the one before.",
        "The state is made anew at each step, or momentum is not used.",
        "What does the second step know of the first?",
        "Store the buffers on the object and read them at the next step.",
    ),
    "state_lost.momentum": Words(
        "`{path}` is what comes out with a momentum of 0.",
        "Momentum is not used, or its buffer is made anew at each step.",
        "What does the second step know of the first?",
        "Store the buffers on the object and read them at the next step.",
    ),
    "first_step": Words(
        "`{path}` is what comes out when {what}.",
        "The first step is treated differently from the formula.",
        "Follow the first step on paper: what is in the state before and after it?",
        "Let the buffer begin as the first gradient itself.",
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
    "wrong_value.slips": Words(
        "`{path}` is what comes out when {what}.",
        "These are two mistakes; the rest of the formula is right.",
        "Take one of the two: which of your lines makes it?",
        "Write the formula of the notebook next to your code, mend one of the two, and check again.",
    ),
    "wrong_value.formula": Words(
        "`{path}` is what comes out when {what}.",
        "Everything else of the formula is right.",
        "In which order does the formula of the notebook add, divide and take the root?",
        "Write the denominator as in the formula: the root of the corrected average, plus eps.",
    ),
    "wrong_value.step": Words(
        "`{path}` is `{formula}`, with p for the parameter, g for its gradient and lr for the learning rate.",
        "Its parts are not put together as in a step of gradient descent.",
        "What is multiplied by the learning rate, and what is subtracted from what?",
        "A step is p − lr · g: compute `lr * g` first, then subtract it from the parameter.",
    ),
    "scaled.step": Words(
        "`{path}` moved by {factor} times as much as it should.",
        "Each step is {factor} times the right one.",
        "How often is the update taken, and by what is it multiplied or divided?",
        "The step is the learning rate times what the formula makes of the gradient, taken once.",
    ),
    "wrong_value.as_sgd": Words(
        "`{path}` is what comes out when each step is the learning rate times the gradient, as in SGD.",
        "The averages do not come into the step.",
        "What is the numerator of Adam's step, and what the denominator?",
        "Divide the corrected mean by the root of the corrected square plus eps, and multiply by the rate.",
    ),
    "wrong_value.swapped_rates": Words(
        "`{path}` is what comes out when the learning rate and the momentum change places.",
        "They were handed to the optimizer in the other order.",
        "In which order does your optimizer take its arguments?",
        "Hand them over by name: `lr=lr, momentum=momentum`.",
    ),
    "wrong_value.momentum": Words(
        "`{path}` is what comes out when momentum is {used}.",
        "A number was written in its place, or momentum was not handed over.",
        "Which momentum does your optimizer use, and from where does it know it?",
        "Hand over the momentum that you are given.",
    ),
    "wrong_value.defaults": Words(
        "`{path}` is wrong where the options are left out; wherever some are given, everything is right.",
        "An option that nobody gives is another number than is asked for, or the step is another where none is given.",
        "Which values do the options have in the signature of `__init__`, and in the one that is asked for?",
        "Compare the defaults one by one with those of the signature that the exercise gives.",
    ),
    "wrong_value.rate_inside": Words(
        "`{path}` is what comes out when the learning rate is multiplied into the buffer.",
        "Steps that the buffer remembers keep the rate that they were taken with, though the rate changes later.",
        "What does the buffer hold: gradients, or steps?",
        "Keep gradients in the buffer, and multiply by the learning rate when the parameter is changed.",
    ),
    "wrong_value.ended": Words(
        "`{path}` holds what was there before: not even the parameter that has gradients moved.",
        "A parameter whose `.g` is None ends the step for all that come behind it.",
        "What does your loop do when it finds no gradient: go on, or end?",
        "Use `continue`, not `return` or `break`.",
    ),
    "wrong_value.settings": Words(
        "`{path}` is what comes out when {what}.",
        "The steps that are asked for know a learning rate and a momentum, and nothing else.",
        "Which arguments does your optimizer get, and which does it take in which place?",
        "Make it once, from the parameters, `lr` and `momentum` alone, and leave its settings as they are.",
    ),
    "wrong_value.buffer": Words(
        "`{path}` is what comes out when {what}.",
        "Everything else of the formula is right.",
        "After three steps, what of the first gradient is in your buffer?",
        "`buffer = momentum * buffer + (1 - dampening) * g`, from the second step on.",
    ),
    "wrong_value.extra": Words(
        "`{path}` is what comes out when {what}.",
        "The formula that is asked for has nothing of the kind.",
        "Which of your lines does that, and does the formula of the notebook have it?",
        "Take it away: use the gradients, the learning rate and the update as the formula does.",
    ),
    "wrong_value.order": Words(
        "`{path}` is what comes out when the arguments behind `lr` are taken in the order {what}.",
        "They are handed over by their places, in the order of the signature that the exercise gives.",
        "In which order does your `__init__` take its arguments, and in which does that signature?",
        "Take them in the order of that signature: momentum, dampening, weight_decay, nesterov.",
    ),
}
