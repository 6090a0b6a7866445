"""The words of values that no known mistake explains, and of checks that earn a share of their points, by key."""

from __future__ import annotations

from grader.judge.diagnosis.words.sentences import Words

VALUE_WORDS: dict[str, Words] = {
    "wrong_value": Words(
        "`{path}` has the right shape, but is off by up to {error}: {actual} at {place}, where {expected} is right.",
        "None of the usual mistakes explains it.",
        "Try it on numbers so small that you can compute the answer on paper.",
        "Compare your formula with the derivative term by term, and with a small numerical difference.",
    ),
    "wrong_value.value": Words(
        "`{path}` has the right shape, but is off by up to {error}: {actual} at {place}, where {expected} is right.",
        "None of the usual mistakes explains it.",
        "Try it on numbers so small that you can compute the answer on paper.",
        "Compare your formula with that of the notebook term by term.",
    ),
    "wrong_value.unwritten": Words(
        "`{path}` is wrong at `{place}` alone, and right in all other places.",
        "Where nothing is written, `{name}` leaves whatever was in memory before.",
        "Which indices does your loop go over, and which are there?",
        "Let it go over all of them, or write what belongs to `{place}` beside it.",
    ),
    "wrong_value.read_too_late": Words(
        "`{path}` comes of a tensor that a line before has changed.{clue}",
        "",
        "Which of your lines make a new tensor, and which change one that has two names?",
        "Make a new tensor, `d = x * …` in place of `d *= …`, or begin with `d = x.{copy}()`.",
    ),
    "wrong_value.near": Words(
        "`{path}` is nearly right, but is off by up to {error}: {actual} at {place}, where {expected} is right.",
        "Something makes it inexact, such as a derivative by small differences, a constant with too few digits or "
        "numbers of half precision; or a term is wrong that is small here.",
        "Is each of your steps exact, or does one of them only come near?",
        "Compute the derivative by its formula, in the precision of what you are given.",
    ),
    "wrong_value.start": Words(
        "`{path}` holds {actual} at {place}, where {expected} is right.",
        "The parameter starts at other values than are asked for.",
        "Which values does a new layer begin with?",
        "Create the parameter with the values that the exercise names.",
    ),
    "wrong_value.whole": Words(
        "`{path}` holds {actual} at {place}, where {expected} is right.",
        "",
        "What does each of these numbers stand for, and which of your lines decides about it?",
        "Go through the lines that decide about that number, with the values of the case in mind.",
    ),
    "wrong_value.flag": Words(
        "`{what}` is false at the end of the check, and should be true.",
        "",
        "Which of your lines decides about that?",
        "Read what the exercise asks for there, and follow your code up to that point.",
    ),
    "wrong_value.measured": Words(
        "`{path}` earns {share} of its points{right}.",
        "{goal}",
        "What keeps it from the goal?",
        "Compare the result with the goal that the exercise names.",
    ),
    "wrong_value.measured.same": Words(
        "`{path}` earns {share} of its points{right}, and all values are the same.",
        "{goal}",
        "Do the weights learn anything: how does the loss change from step to step?",
        "Print the loss, the weights and some outputs: look for NaN, and for units that all begin with equal weights.",
    ),
    "wrong_value.measured.apart": Words(
        "`{path}` earns {share} of its points: in {apart} of {total} places the answers do not agree.",
        "{goal}",
        "What does an answer depend on besides what it is asked about?",
        "Ask for one alone and for several together, print both answers, and look for what mixes them.",
    ),
    "wrong_value.measured.below": Words(
        "`{path}` earns {share} of its points{right}, fewer than by guessing.",
        "{goal}",
        "Which sign does each step have, and is the largest output chosen, or the smallest?",
        "Print the loss of each step. Where it grows, turn the sign round; where it falls, look at what is predicted.",
    ),
}
