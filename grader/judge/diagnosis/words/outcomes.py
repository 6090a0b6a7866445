"""The words of checks that have no tensor to compare, and of what goes against the contract, by key."""

from __future__ import annotations

from grader.judge.diagnosis.words.sentences import Words

OUTCOME_WORDS: dict[str, Words] = {
    # ---------------------------------------------------------------------------------------------- how the check ended
    "not_implemented": Words(
        "This stub is still untouched: it raises NotImplementedError.",
        "Write your answer in its place, and remove that line.",
        "Begin with the shapes: which shape must each result have?",
        "Replace `raise NotImplementedError` by your own code.",
    ),
    "not_defined": Words(
        "{names} is not defined when the check begins.",
        "The cell that defines it failed, was removed, or gives it another name.",
        "Did every cell above this one run without an error?",
        "Run the notebook from the top, and keep the stub's name as it was.",
    ),
    "not_defined.syntax": Words(
        "{names} is not defined: the cell that defines it is not valid Python ({error}).",
        "",
        "What does Python say below that cell when you run it?",
        "Mend that line, then run the notebook from the top.",
    ),
    "not_defined.failed": Words(
        "{names} is not defined: the cell that defines it ended in an error before it got there ({error}).",
        "",
        "Which line of that cell raises it, and does the answer need that line?",
        "Mend or remove that line, then run the notebook from the top.",
    ),
    "not_defined.magic": Words(
        "{names} is not defined: its cell begins with `{magic}`.",
        "That runs the cell apart from the notebook, where nothing that it defines is left.",
        "What is left of a cell that runs under `{magic}`?",
        "Remove `{magic}` from the cell of the answer, and use it in a cell of its own.",
    ),
    "not_defined.renamed": Words(
        "{names} is not defined: its cell defines {other} in its place.",
        "",
        "What does the text above the stub call it?",
        "Give it the name that the stub had.",
    ),
    "not_implemented.part": Words(
        "This part is not written yet: NotImplementedError was raised{where}.",
        "Something of this exercise is written already, but not all of it.",
        "What do these lines get, and what must they give back or set?",
        "Replace that `raise NotImplementedError` by your own code.",
    ),
    "raised": Words("The call raised {error}{where}.", "{why}", "{question}", "{remedy}"),
    "raised.elsewhere": Words(
        "The call raised NotImplementedError{where}, outside of this stub.",
        "What this one calls is not written: a stub{names}, or a method that your class defines by another name. Or it "
        "is written, and that line was left below it.",
        "Which of your functions does this one need, and do all of them return?",
        "Fill in the stub that is named first, or delete the line that was left; then check this one again.",
    ),
    "timed_out": Words(
        "The call did not end in time{label}.",
        "A loop that never ends, or one over single elements where one tensor operation would do.",
        "Does every loop come to its end?",
        "Replace loops over elements by tensor operations, and check what ends each `while`.",
    ),
    "crashed": Words(
        "The Python process died during the call{label}.",
        "Something ended it from within: `exit()`, too deep a recursion, or a fault in native code.",
        "Does your code end the process anywhere?",
        "Remove calls such as `exit()`; restart the kernel and run the notebook from the top.",
    ),
    "crashed.limit": Words(
        "The check met the limit of {limit}{where}{label}.",
        "The call, or what earlier cells left open or running, takes as many as a notebook may have; new processes a "
        "check may not make at all.",
        "What do your cells open or start, and which line closes or ends it?",
        "Open files with `with`, and let nothing run on that a cell started; then run the notebook from the top.",
    ),
    "memory_exceeded": Words(
        "The call asked for more memory than there is for a check{label}.",
        "Usually a broadcast to a far larger shape, or a list that grows without end.",
        "Print the shapes of your intermediate results: is one much larger than you thought?",
        "Look for a broadcast such as (n, 1) with (n,), and for tensors kept in a list at each step.",
    ),
    "output_exceeded.limit": Words(
        "The check met the limit of {limit}{where}{label}.",
        "The files that the call writes, with those that earlier cells left, are larger than a notebook's may be.",
        "Does this exercise need a file at all?",
        "Write no files here, and remove those that your cells no longer need.",
    ),
    "output_exceeded": Words(
        "The call printed or returned more than a check may{label}.",
        "A `print` in a loop, or a tensor far larger than asked for.",
        "Do you still need that `print`?",
        "Remove the `print` calls, and check the shape of what you return.",
    ),
    # ---------------------------------------------------------------------------------------------- no tensor was there
    "not_written": Words(
        "`{path}` was not written: {state}.",
        "The call ended without assigning to it.",
        "Where in your code is `{path}` assigned?",
        "Assign the result to `{path}`, not to a local name.",
    ),
    "not_written.no_output": Words(
        "`{path}` was not written: the way back begins at `out`, and {state}.",
        "",
        "What is said of `out` itself?",
        "Mend `out` first; then there is something to go back from.",
    ),
    "not_written.cell": Words(
        "`{path}` was not written: {state}.",
        "The cell of this exercise ended without assigning to it.",
        "Which line of that cell assigns `{path}`?",
        "Assign the result to `{path}` in that cell: it alone is run again.",
    ),
    "not_written.other_cell": Words(
        "`{path}` was not written: {state}.",
        "Cell {cell} assigns it, and the cell of this exercise alone is run again, on other numbers.",
        "What does the cell of the exercise still need, to compute everything by itself?",
        "Write all lines that the results need into that one cell.",
    ),
    "not_written.not_run": Words(
        "`{path}` was not written: no line of `{name}` ran.",
        "A `yield` in a function, or `async` before it, makes of each call {kind}, whose lines wait to be asked for.",
        "What does `{name}` give back before its first line runs?",
        "Leave `yield` and `async` out: a plain `def`, with `return` where a value is asked for.",
    ),
    "not_written.returned": Words(
        "`{call}` returned nothing.",
        "A function without `return` returns None.",
        "What does the last line of your function give back?",
        "Return the result, even where it is kept in an attribute too.",
    ),
    "not_written.too_few": Words(
        "`{call}` did not return {count} values.",
        "A function without `return` returns None; several values stand after one `return`, with "
        "commas between them, and in no dictionary.",
        "What does the last line of your function give back?",
        "Return {count} values, in the order that the docstring names.",
    ),
    "not_written.one_tensor": Words(
        "`{call}` returned one tensor, of shape {shape}, where {count} values are asked for.",
        "One tensor is one value, whatever its shape; several stand after one `return`, with commas between them.",
        "What does the last line of your function give back?",
        "Return {count} tensors, in the order that the docstring names.",
    ),
    "not_written.one_is_none": Words(
        "Value {place} of {count} that `{call}` returned is None.",
        "It was never computed, or what computes it returns nothing.",
        "Which line makes value {place}?",
        "Return {count} values, in the order that the docstring names, none of them None.",
    ),
    "not_written.only_returned": Words(
        "`{path}` was not written; the right tensor was returned instead.",
        "What this function returns is not looked at: its result is what it sets.",
        "Where in your code is `{path}` assigned?",
        "Assign the result to `{path}`.",
    ),
    "not_written.no_way": Words(
        "`{path}` is None: autograd found no way from the output back to `{owner}`.",
        "The output is made without it, or `.data`, `.detach()`, `no_grad()` or `requires_grad=False` hides the way.",
        "Which step between `{owner}` and the output does autograd not see?",
        "Make `{owner}` an `nn.Parameter`, and compute the output from that parameter itself.",
    ),
    "not_written.no_way_to_input": Words(
        "`{path}` is None: autograd found no way from the output back to `{owner}`.",
        "The output is made without it, or `.data`, `.detach()` or `no_grad()` hides the way.",
        "Which step between `{owner}` and the output does autograd not see?",
        "Compute the output from the very tensor that comes in, `{owner}`, and let autograd watch all of it.",
    ),
    "not_written.elsewhere": Words(
        "`{path}` was not written, but `{found}` holds the right tensor.",
        "The result went to another name.",
        "Compare the name on the left of your assignment with the one that is asked for.",
        "Assign to `{path}` instead of `{found}`.",
    ),
    "not_written.copy": Words(
        "`{path}` was not written, but `{found}` was.",
        "That belongs to another tensor than the `{owner}` that was passed in, as a copy by `clone()` is.",
        "Is what your object keeps the very tensor that it was given?",
        "Keep the tensor itself, `self.… = {owner}`, and set `.g` on that.",
    ),
    "not_written.rebound": Words(
        "`{path}` was not written: {state}.",
        "A line of your code gives the name `{owner}` to another tensor, and each of the two has a `.g` of its own.",
        "For which tensor does `{owner}` stand on the line that sets its `.g`?",
        "Give what that line makes another name, and set `.g` on the tensor that was there.",
    ),
    "not_written.alike": Words(
        "`{path}` was not written, but `{found}` holds a tensor of that shape.",
        "Perhaps the result went to another name.",
        "Compare the name on the left of your assignment with the one that is asked for.",
        "Assign the result to `{path}`.",
    ),
    "not_a_tensor": Words(
        "`{path}` is {kind}, not a tensor.",
        "`.numpy()`, `.item()`, `.tolist()` and functions of NumPy leave the world of tensors.",
        "What does `type({path})` say?",
        "Keep the result a tensor of shape {expected}; `torch.as_tensor` makes one of an array or a number.",
    ),
    "not_a_tensor.list": Words(
        "`{path}` is {kind}, not a tensor.",
        "A list is no tensor, even where it holds tensors, and `.tolist()` makes one.",
        "What does `type({path})` say?",
        "Make one tensor of it, of shape {expected}: `torch.stack(…)` of tensors, `torch.tensor(…)` of numbers.",
    ),
    "not_a_tensor.tuple": Words(
        "`{path}` is {kind}, not a tensor.",
        "Two values, or one with a comma after it, make a tuple.",
        "Is there a comma at the end of the line?",
        "Assign one tensor of shape {expected}.",
    ),
    "not_a_tensor.object": Words(
        "`{path}` is {kind}, not a tensor.",
        "An object, a function that was not called, or a container stands where a tensor belongs.",
        "What does `type({path})` say?",
        "Give the tensor itself, of shape {expected}.",
    ),
    "not_a_tensor.subclass": Words(
        "`{path}` is {kind}; a plain tensor or array is asked for.",
        "What such a class computes may be anything, so a check compares none of its objects.",
        "What does `type({path})` say, and which line made it that?",
        "Give the plain values: `.as_subclass(torch.Tensor)` of a tensor, `np.asarray(…)` of an array.",
    ),
    "not_a_tensor.dtype": Words(
        "`{path}` holds numbers {kind}, as no result of this exercise does.",
        "An operation changed the kind of its numbers.",
        "What does `{path}.dtype` say, and on which line did it become that?",
        "Keep the dtype of what the stub was given.",
    ),
    "not_a_tensor.shape": Words(
        "`{path}` has {kind}, as no result of this exercise has.",
        "An operation added axes, again and again, or made an axis of size 0 beside large ones.",
        "What does `{path}.shape` say, and on which line did it become that?",
        "Give it the shape {expected}.",
    ),
    "not_a_tensor.array": Words(
        "`{path}` is {kind}, not an array.",
        "This exercise is done in NumPy: what it gets and what it gives are arrays.",
        "What does `type({path})` say?",
        "Keep the result a NumPy array of shape {expected}.",
    ),
    "not_a_tensor.number": Words(
        "`{path}` is {kind}, not a number.",
        "A single number is asked for here, such as `float(…)` gives.",
        "What does `type({path})` say?",
        "Give back the number itself, neither formatted nor in a container.",
    ),
    "not_a_tensor.numbers": Words(
        "`{path}` is {kind}; numbers are asked for.",
        "They may come as a list or tuple of numbers, a NumPy array or a tensor, of shape {expected} here.",
        "What does `type({path})` say?",
        "Collect the numbers that the docstring names in a list, and give that back.",
    ),
    "not_registered": Words(
        "`{path}` holds the right numbers, but it is no parameter of its module.",
        "A plain tensor as an attribute of an `nn.Module` is not found by `parameters()`: no optimizer would train it.",
        "What does `list(layer.parameters())` print?",
        "Wrap it: `self.… = nn.Parameter(…)`, after `super().__init__()`.",
    ),
    "wrong_dtype": Words(
        "`{path}` has dtype {actual}; floating-point numbers are asked for.",
        "A comparison gives bools and integer tensors give integers, until they meet a float.",
        "Which operation made it {actual}?",
        "Convert it, for instance with `.to(x.dtype)`.",
    ),
    "wrong_dtype.whole": Words(
        "`{path}` has dtype {actual}; whole numbers are asked for.",
        "A division, a mean, or a tensor made without naming its dtype gives floats.",
        "Which operation made it {actual}?",
        "Use what gives whole numbers by itself, such as `argmax`, or convert with `.long()`.",
    ),
    "non_finite": Words(
        "`{path}` has {count} of {total} entries that are NaN or infinite ({label}).",
        "A division by zero, the logarithm of zero, the root of a negative number, an `exp` that overflows, or a "
        "softmax over a row that is −∞ throughout.",
        "Which of your intermediate results can become very large, or exactly zero?",
        "Subtract the maximum before `exp`, and keep denominators away from zero.",
    ),
    "non_finite.steps": Words(
        "`{path}` has {count} of {total} entries that are NaN or infinite ({label}).",
        "Steps that are too long or go up the gradient, so that numbers grow from step to step; or a division by zero.",
        "How does the loss change from step to step?",
        "Print the loss of each step: if it grows, look at the sign and the learning rate, and else at the formula.",
    ),
    "non_finite.averages": Words(
        "`{path}` has {count} of {total} entries that are NaN or infinite ({label}).",
        "A division by zero, as by 1 − βᵗ where t is 0; the root of a negative number; or steps that grow without end.",
        "What is t at the first step, and which of your numbers can be negative or 0?",
        "Count the step before its averages are corrected, and take the root of an average of squares.",
    ),
    "non_finite.unwritten": Words(
        "`{path}`: {count} of its {total} entries were never written ({label}).",
        "It held NaN before the call, so that what is left out shows; only some entries were assigned.",
        "Which entries does your code assign, and what should stand in the others?",
        "Write all entries: begin with `torch.zeros_like(…)`, or use `torch.where` or a product with a mask.",
    ),
    "non_finite.read": Words(
        "Every entry of `{path}` is NaN ({label}).",
        "It was computed from a gradient that nothing has written yet, and that held NaN before the call.",
        "Which `.g` does that line read, and which line sets it?",
        "Compute it from gradients that are there: the upstream one, and those that your code has set before.",
    ),
    # --------------------------------------------------------------------------------------------- against the contract
    "not_raised": Words(
        "`{check}` did not raise {name}.",
        "The contract asks for that error; {what}.",
        "Which arguments make no sense, and where could you refuse them?",
        "Test the arguments first, and `raise {name}(…)` for these.",
    ),
    "not_raised.base": Words(
        "`{check}` did not raise {name}.",
        "The contract asks for that error; {what}.",
        "What should happen where a subclass forgot to bring its own method?",
        "`raise {name}` in the base class, and do nothing else there.",
    ),
    "not_raised.signature": Words(
        "`{check}` did not raise {name}.",
        "TypeError came instead, for the method does not take the arguments that it is called with here.",
        "With which arguments does `__call__` or `backward` call the methods that subclasses bring?",
        "Let the base class's methods take any arguments (`*args`), and `raise {name}` there.",
    ),
    "not_raised.abstract": Words(
        "`{check}` did not raise {name}.",
        "No object of the base class can be made: its methods are abstract, for which Python raises a TypeError.",
        "What does `Module()` alone do?",
        "Leave `@abstractmethod` out: a plain method that says `raise {name}` is asked for.",
    ),
    "not_raised.alone": Words(
        "`{check}` raised {name}, but nothing else of this exercise is right yet.",
        "An error earns its points only beside another check of this exercise that passes.",
        "Does your code raise {name} for arguments that make sense, too?",
        "Mend the other checks of this exercise first.",
    ),
    "uses_autograd.unseen": Words(
        "The check could not see whether the call used autograd: {why}.",
        "This exercise is about writing the gradient by hand, and earns nothing where nobody can look on.",
        "Which of your cells starts threads or processes, compiles code, or changes how Python or torch work?",
        "Take those lines out of every cell, then run the notebook from the top.",
    ),
    "uses_autograd": Words(
        "The call used autograd (`{name}`).",
        "This exercise is about writing the gradient by hand, so it earns nothing with autograd's.",
        "Can you write the formula down without `backward()`?",
        "Compute the gradient from the tensors themselves; compare with autograd outside of the stub.",
    ),
}
