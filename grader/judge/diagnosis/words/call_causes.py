"""The words of exceptions of names, calls, classes and containers: why each comes and what helps (``causes``)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    """What makes an exception and the full hint; ``shaped`` where the shapes on its line are what to ask for.

    ``question`` is the hint where neither shapes nor names are.
    """

    why: str
    remedy: str
    shaped: bool = False
    question: str = ""


CALL_CAUSES: dict[str, Cause] = {
    # -------------------------------------------------------------------------------- names and functions
    "no_attribute": Cause(
        "An object of type `{owner}` has no attribute `{name}`: it was not set, or has another name.",
        "Set `.{name}` before it is read, and look for a spelling mistake.",
    ),
    "no_attribute.handed_over": Cause(
        "The check passes that tensor in, and no line of your notebook made it: it has no `.{name}`, only what every "
        "tensor has, and a `.g` where one is asked for.",
        "Compute it from the arguments: what a forward pass of yours keeps on its output is not there in a check.",
        question="What do the arguments hold by themselves, whoever made them?",
    ),
    "no_attribute.gradient": Cause(
        "This tensor has no gradient yet: no line has set its `.g`, or it is that of another call or object. Writing "
        "into a `.g` (`x.g[:] = …`, `x.g.copy_(…)`, `out=x.g`) sets none: `x.g = …` does.",
        "Let what sets it run before; a layer keeps as `.out` the very tensor that it returns. The loss needs no `.g`: "
        "it would be 1.",
        question="Which line sets the `.g` that is read there, and does it run before?",
    ),
    "no_attribute.no_tensor": Cause(
        "An object of type `{owner}` stands there, and gradients are kept on tensors.",
        "Look which tensor was meant: a layer's is its `.out`, a model's are its `parameters()`.",
    ),
    "no_attribute.builtin": Cause(
        "An object of type `{owner}` stands there, and it has no `.{name}`, as tensors have and objects of your class.",
        "Look where that object comes from: a number, a list or a tuple may have to be converted first.",
    ),
    "no_attribute.autograd": Cause(
        "`.g` is what gradients by hand are kept in. `backward()` of autograd writes `.grad`, and no `.g`.",
        "Read `.grad` there, after `backward()`.",
        question="Who computes the gradient here, and under which name does it keep it?",
    ),
    "no_attribute.cleared": Cause(
        "Modules and optimizers have a `zero_grad`, and a tensor has none.",
        "Clear the gradient of a tensor itself: `w.grad = None`.",
        question="Which object clears the gradients, and of what?",
    ),
    "no_attribute.array": Cause(
        "This is a NumPy array, and `{name}` is a method of tensors.",
        "Use what NumPy has for it: `.T` for a transpose, `@` for a matrix product, `np.maximum` for a limit.",
    ),
    "generator": Cause(
        "What stands there is a generator, which gives one thing after another, once, and has no length and no places.",
        "Make a list of it first, as in `params = list(params)`, or go through it in one loop.",
        question="What is the difference between a list and a generator?",
    ),
    "uncalled": Cause(
        "A method or a function stands there without parentheses, so that it is not called.",
        "Write the parentheses: `w.t()`; only properties such as `w.T` and `w.shape` have none.",
    ),
    "uncalled.size": Cause(
        "`np.size` counts the entries of arrays: of a tensor it gives the method `size`, and no number.",
        "Use `x.numel()` for the number of entries, `len(x)` or `x.shape[0]` for the rows.",
        question="What does `np.size` give back for a tensor?",
    ),
    "not_callable": Cause(
        "Parentheses after an object call the method `__call__` of its class, and `{owner}` has none.",
        "Give the method that computes the output the name `__call__`, or inherit from a class that has it.",
        question="Which method runs when an object is called, as in `layer(inp)`?",
    ),
    "not_callable.value": Cause(
        "Parentheses after a value call it, and an object of type `{owner}` is no function.",
        "Look for a missing `*` or `@` before the parentheses, or for a name that a value took from a function.",
    ),
    "name": Cause(
        "The name `{name}` is not known there: not defined, only inside another function, or in a cell that ended "
        "before it came to that.",
        "Use the function's own parameters, look for a spelling mistake, and first of all mend a cell that failed.",
    ),
    "name.lost": Cause(
        "Cell {cell} would define `{name}`, and ended before it came to that: {failure}.",
        "Mend cell {cell}, or move what it is to define above the line that fails; then run the notebook from the top.",
        question="Which line of cell {cell} fails, and does your answer need that line?",
    ),
    "name.local": Cause(
        "A line of this function assigns to `{name}`, which makes `{name}` its own, and that line has not run yet.",
        "Give what that line computes another name; `{name} -= …` is an assignment too, `{name}.sub_(…)` is none.",
    ),
    "arguments": Cause(
        "The function that is called there does not take these arguments.",
        "Compare the call with the `def` line of that function: how many arguments, and in which order?",
    ),
    "arguments.kinds": Cause(
        "`{name}` does not take arguments of these kinds in this order: ({kinds}).",
        "Compare with what `{name}` takes: a tensor where a number stands, another order, or another function.",
    ),
    "not_tensor": Cause(
        "`{name}` of torch takes a tensor, and it was given an object of type `{kind}`.",
        "For plain numbers, use Python's own: `math.sqrt(d)` or `d ** 0.5`; else make a tensor of it first.",
    ),
    "arguments.stub": Cause(
        "The stub, or a method of it, is called with other arguments than it takes.",
        "Keep the signatures of the stub: the arguments come in their order.",
    ),
    "module_init": Cause(
        "An `nn.Module` must be set up before anything is stored in it.",
        "Call `super().__init__()` in the first line of `__init__`.",
    ),
    "used_up": Cause(
        "What was to give the next one had no more to give: it was asked more often than there are.",
        "Count how often your code asks for the next: once in each step, and in as many steps as are asked for.",
        question="How often does that line run, and how often should it?",
    ),
    "recursion": Cause("A function calls itself without end.", "Give the recursion a case in which it stops."),
    # ---------------------------------------------------------------------------------------------- classes
    "no_self": Cause(
        "The method `{name}` has no `self`: Python hands over the object itself as the first argument of each method.",
        "Write `self` first among its parameters: `def {name}(self, …)`.",
        question="With which arguments does Python call a method, and what are they called in yours?",
    ),
    "init.misspelt": Cause(
        "The class has no `__init__` that takes them: `{name}` is another name.",
        "Call it `__init__`, with two underscores on either side.",
        question="What is the method called that runs when an object is made?",
    ),
    "init.missing": Cause(
        "The class `{owner}` has no method `__init__`, so it takes nothing when an object is made.",
        "Write `def __init__(self, …)` with the arguments that the exercise names, and keep them on `self`.",
        question="What is the method called that runs when an object is made?",
    ),
    "init.of_object": Cause(
        "The class that yours inherits from has no `__init__` of its own, and takes no arguments.",
        "Call `super().__init__()` without arguments, or leave it out, and keep the arguments on `self`.",
        question="Which of these arguments does the class need that yours inherits from?",
    ),
    # -------------------------------------------------------------------------------- containers and values
    "sequence": Cause(
        "A tuple or a list is multiplied by a tensor there, or a tensor stands where a whole number counts.",
        "Look for a comma at the end of a line, which makes a tuple, and for arguments in another order.",
    ),
    "unpack.single": Cause(
        "One object of type `{kind}` stands there, where several values are given names.",
        "Look where it comes from: arguments in another order, or an index too many.",
    ),
    "not_subscriptable": Cause(
        "Brackets pick one of several, and an object of type `{kind}` is a single one.",
        "Take the brackets away, or look which name should stand before them.",
    ),
    "not_iterable": Cause(
        "A loop goes through several, and an object of type `{kind}` is a single one.",
        "Look which name should stand there: a list of all, `range(n)` for a number, `parameters()` of a model.",
    ),
    "key": Cause(
        "The dictionary has nothing under `{key}` yet.",
        "Test with `in`, or use `.get(…)`, before the first value is kept there.",
    ),
}
