"""The words of training loops that went wrong (``simulations``, ``hyperparameters``), by key."""

from __future__ import annotations

from dataclasses import replace

from grader.judge.diagnosis.words.factors import HALF
from grader.judge.diagnosis.words.sentences import Words

LOOP_WORDS: dict[str, Words] = {
    "not_in_place.no_step": Words(
        "`{path}` has the same values after the call as before it, and the loss stayed the same at every step.",
        "No step was taken: there is no update, it made a new tensor (`p = p - …`), or no gradient is there at the "
        "moment of the update.",
        "Which of your lines changes `{path}` itself, and which gradient is there when it runs?",
        "In every step, clear the old gradients, compute the loss and its gradients, and only then update, in place: "
        "`p -= …`, not `p = p - …`.",
    ),
    "ascent.losses": Words(
        "`{path}` is what comes out when each step goes the opposite way.",
        "The steps go up the gradient, not down.",
        "Should the loss grow or shrink?",
        "Subtract the update.",
    ),
    "first_step.only": Words(
        "`{path}` is what comes out when only the first step is taken.",
        "Something ends the loop too early, such as a `return` inside of it.",
        "Which line does your code reach after its first step?",
        "Take all steps before you return.",
    ),
    "accumulated.steps": Words(
        "`{path}` is what comes out when gradients from before are added to those of a step.",
        "`backward()` adds to `.grad`, and nothing cleared it before.",
        "What does `.grad` hold when the second step begins?",
        "Clear the gradients in every step, before `backward()`.",
    ),
    "accumulated.steps.by_hand": Words(
        "`{path}` is what comes out when gradients from before are added to those of a step.",
        "Your code adds them up from step to step (`+=`), where each step has gradients of its own.",
        "What do your gradients hold when the second step begins?",
        "Use the gradients of the step alone.",
    ),
    "accumulated.left": Words(
        "`{path}` is what comes out when gradients from before the call are added to those of the first step.",
        "`backward()` adds to `.grad`; clearing after a step comes too late for the first one.",
        "What does `.grad` hold when the first step begins?",
        "Clear the gradients in every step, before `backward()`.",
    ),
    "accumulated.one": Words(
        "`{path}` is what comes out when the gradients of one tensor of weights are never cleared, and those of the "
        "others are.",
        "`backward()` adds to every `.grad`.",
        "What does the `.grad` of each tensor of weights hold when the second step begins?",
        "Clear the gradients of all weights in every step, before `backward()`.",
    ),
    "stale.steps": Words(
        "`{path}` is what comes out after one step less than asked for.",
        "The loop runs too seldom, or one of its steps is not taken.",
        "How often does your loop run for `steps = 1`?",
        "Let the loop run `steps` times: `range(steps)`.",
    ),
    "stale.behind": Words(
        "`{path}` is what comes out when each step uses the gradients of the one before.",
        "The step is taken before `backward()` has computed the gradients of its loss.",
        "In which order do the loss, `backward()`, the step and the clearing stand in your loop?",
        "Clear the gradients, compute the loss, call `backward()`, and then take the step.",
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
        "The weights that the loss is computed from did not change from one step to the next, or hardly.",
        "In which order does your loop fill the gradients, use them and clear them?",
        "In every step, compute the loss anew, and update the very weights that it is computed from.",
    ),
    "missing_factor_two.steps": replace(
        HALF, seen="`{path}` is what comes out when the gradients are half of what they should be."
    ),
    "missing_factor_two.loss": Words(
        "`{path}` is what comes out when the loss is half of the sum of squares.",
        "Losses and steps are halved, as by a factor 1/2 in front of the sum.",
        "Which factor stands in front of the sum in the loss of this notebook?",
        "Take the sum of the squares as it is.",
    ),
    "extra_factor_two.steps": Words(
        "`{path}` is what comes out when the gradients, or the steps, are twice what they should be.",
        "There is a factor of 2 too many, or each step is taken twice.",
        "How often is each update taken, and how often does your code multiply by 2?",
        "Remove one factor of 2, or one of two equal updates.",
    ),
    "wrong_value.in_turn": Words(
        "`{path}` is what comes out when the {what} weights are updated before the gradient of the others is computed.",
        "That gradient then belongs to weights that no longer are those of the loss.",
        "From which weights is each of the gradients computed?",
        "Compute all gradients first, and only then update.",
    ),
    "wrong_value.in_turn.loss": Words(
        "`{path}` is what comes out when the {what} weights are updated before the loss and the gradient of the others "
        "are computed.",
        "Loss and gradients then belong to different weights: the loss is that after half a step.",
        "From which weights is the loss computed, and from which is each of the gradients?",
        "Compute the loss and all gradients first, and only then update.",
    ),
    "wrong_value.relu_at_the_end": Words(
        "`{path}` is what comes out when the output of the network goes through a ReLU, too.",
        "Only the hidden layer has one here.",
        "Through which functions does a value go from the input to the output?",
        "Leave out the ReLU after the last layer.",
    ),
    "wrong_value.batches": Words(
        "`{path}` is what comes out when {what}.",
        "One step that is asked for is one update, by the gradient of all rows.",
        "From which rows is the gradient of a step computed, and how often does the step update the weights?",
        "In every step, compute the loss and the gradient of all rows, and update the weights once.",
    ),
    "wrong_value.loop": Words(
        "`{path}` is what comes out when {what}.",
        "The steps that are asked for have nothing of the kind.",
        "What makes up one step as it is asked for, and what makes up one of yours?",
        "Subtract the learning rate, as it is given, times the gradient, as it is now.",
    ),
    "wrong_value.one_weight": Words(
        "`{path}` is what comes out when {what}.",
        "Everything else of the steps is right.",
        "How do the lines that update your weights differ?",
        "Give all of them the same update: subtract the learning rate times the gradient.",
    ),
    "wrong_value.idle": Words(
        "`{path}` is what comes out when the first step changes nothing.",
        "Its update is skipped, or is taken before there is a gradient.",
        "What does your first step subtract, and which line has computed it by then?",
        "In every step, the first included, compute the loss and its gradients, and then update.",
    ),
    "wrong_value.loss": Words(
        "`{path}` is what comes out when {what}.",
        "The loss that is asked for is the sum of the squares.",
        "What is the formula of the loss in this notebook?",
        "Take the sum of the squares as it is.",
    ),
    "wrong_value.unmoved": Words(
        "`{path}` is what comes out when {what} not updated.",
        "Everything else of the steps is right.",
        "Which of your lines change the weights, and which of the weights?",
        "Update all of them in every step.",
    ),
    "state_lost.loop": Words(
        "`{path}` is what comes out when no step knows of the one before.",
        "A new optimizer is made for each step, or its state is thrown away.",
        "How often does the line run that makes the optimizer?",
        "Take all steps with the optimizer that is given, and make none inside the loop.",
    ),
    "wrong_value.optimizer": Words(
        "`{path}` is what comes out when the steps are those of {what}.",
        "In one case at least, other steps are asked for.",
        "Which object takes the steps in your loop, and where was it made?",
        "Take the steps that are asked for: with the optimizer that is given, or by hand where none is.",
    ),
    "wrong_value.first_loss": Words(
        "`{path}` is {actual} at every step, which is the first loss; the weights have changed as they should.",
        "One loss was kept and repeated: it is computed before the loop, or another one is put into the list.",
        "Which number does your loop put into the list at the second step?",
        "Compute the loss anew in every step, and keep that one.",
    ),
    "wrong_value.first_loss.moved": Words(
        "`{path}` is {actual} at every step, which is the first loss, though the weights change.",
        "The loss is not computed anew from the weights that change, but once, before the loop, or from other tensors.",
        "From which tensors is the loss of the second step computed, and on which line?",
        "In every step, compute the loss anew, from the very weights that the step updates.",
    ),
    "wrong_value.one_value": Words(
        "`{path}` is {actual} at every step, and the first loss is another.",
        "One number was repeated, or one tensor stands in every place: in place (`total += loss`) it changes in all.",
        "Are the entries of your list so many numbers, or one tensor many times?",
        "Keep a number of its own at each step: `losses.append(loss.item())`, before anything changes that loss.",
    ),
    "wrong_value.running": Words(
        "`{path}` holds at each step the sum of all losses so far.",
        "The losses were added up from step to step.",
        "What does the first entry hold, and what does the second?",
        "Keep the loss of each step alone.",
    ),
    "wrong_value.late": Words(
        "`{path}` begins with the loss after the first update, and every loss stands one place too early.",
        "Each loss was computed after the update of its step, and is asked for as it was before.",
        "At which moment of a step does your code compute the loss that it keeps?",
        "Keep the loss that the gradients were computed from.",
    ),
    "wrong_value.steps_twice": Words(
        "`{path}` is what comes out when each step is taken twice, with the same gradients.",
        "The update stands in the loop twice, or in a loop of its own.",
        "How often do the weights change for each loss?",
        "Take one step for each loss.",
    ),
    "wrong_value.more_steps": Words(
        "`{path}` is what comes out after one step more than asked for.",
        "The loop runs once too often.",
        "How often does your loop run for `steps = 1`?",
        "Let the loop run `steps` times: `range(steps)`.",
    ),
}
