"""The words of exceptions: why each comes and what helps. They fill the sentences of ``raised``.

``{fields}`` are what the pattern in ``messages`` found in the message: text of the student's, and never a template.
"""

from __future__ import annotations

from grader.judge.diagnosis.words.call_causes import CALL_CAUSES, Cause

WHICH_SHAPES = "Which shapes meet on that line, and which should?"
WHAT_STANDS_THERE = "What does each name on that line stand for at that moment?"
#: The same where the exception is none of a line of the student's: the check stumbled over what it was given.
WHICH_SHAPES_COME = "Which shapes go into your code, and which come out?"
WHAT_IS_ASKED = "Does what you defined have the names, arguments and methods that the exercise asks for?"
WHICH_DEVICE = "On which device do the tensors come that you are given?"
WHAT_WAITS = "What does your code do when nobody sits in front of it?"
WITH = " (with {operands})"
LINE = " at `{code}`, line {line}"
OF_CELL = " of cell {cell}"

_STAY = (
    "Leave every tensor on the device it comes with: make new ones with `torch.zeros_like(inp)` or `device=inp.device`."
)


CAUSES: dict[str, Cause] = {
    # -------------------------------------------------------------------------------------------- shapes
    "matmul": Cause(
        "A matrix product needs the inner sizes to agree, and {left} and {right} do not.",
        "Go by shapes: the last size of the left factor must be the first of the right one.",
        shaped=True,
    ),
    "matmul.fits": Cause(
        "A matrix product needs the inner sizes to agree: {left} and {right} do not, but {fits} would.",
        "Check which factor has to be transposed ({fits} fits), and that the product then has the shape you want.",
        shaped=True,
    ),
    "matmul.batches": Cause(
        "In a product of batches the right factor has to begin with {wanted} here, and it begins with {got}.",
        "Turn the last two axes of one factor, with `.transpose(1, 2)`, so that the inner sizes agree.",
        shaped=True,
    ),
    "matvec": Cause(
        "A matrix of shape {matrix} times a vector needs as many entries as the matrix has columns, not {count}.",
        "Check that both are the tensors you meant: were two arguments swapped, or did one lose an axis?",
        shaped=True,
    ),
    "assigned": Cause(
        "A tensor of shape {given} does not fit into the place of shape {place} that it is written into.",
        "Turn or flatten what stands on the right until it has the shape {place}, for instance with `[:, 0]`.",
        shaped=True,
    ),
    "expanded": Cause(
        "`expand` copies along axes of size one, and adds axes in front: {given} does not become {place} by that.",
        "Where axes have to go, or to shrink, a sum over them does it; `expand` only makes more of what is there.",
        shaped=True,
    ),
    "broadcast": Cause(
        "Broadcasting compares sizes from the right: {left} and {right} differ at axis {axis} and neither is 1.",
        "Sum, transpose or reshape one of the two so that the shapes agree.",
        shaped=True,
    ),
    "broadcast.reduced": Cause(
        "Broadcasting compares sizes from the right: {left} and {right} differ at axis {axis} and neither is 1. The "
        "axis that `{call}` reduces is gone.",
        "`keepdim=True` in that call keeps the axis, with size 1.",
        shaped=True,
    ),
    "broadcast.arrays": Cause(
        "Broadcasting compares sizes from the right, where two must agree or one be 1: {shapes} do not.",
        "Sum, transpose or reshape one of the two so that the shapes agree.",
        shaped=True,
    ),
    "broadcast.in_place": Cause(
        "A result of shape {right} does not fit into a tensor of shape {left}, which an operation in place keeps.",
        "Where {left} is right, sum or reshape what is written; where {right} is, make a new tensor: `x = x - y`, not "
        "`x -= y`.",
        shaped=True,
    ),
    "reshape": Cause(
        "The sizes {shape} multiply to another number than the {count} entries that are there.",
        "Moving entries to another shape neither adds nor drops any: sum over an axis, or select along it, instead.",
        shaped=True,
    ),
    "vectors": Cause(
        "`{name}` works on tensors of 1 axis alone, and one with {axes} axes stands there.",
        "Take the one axis that counts, as in `x[:, 0]`, or write the product of matrices with `@`.",
        shaped=True,
    ),
    "matrices": Cause(
        "That product is one of matrices, tensors of 2 axes, and another number of axes stands there.",
        "Use `@`, which takes vectors and batches too, or add the axis that is missing, as in `x[:, None]`.",
        shaped=True,
    ),
    "no_axes": Cause(
        "A tensor of shape () is one number: it has no entries to go through or to count.",
        "Look for the `sum`, `mean` or index that leaves only a number, or for the tensor that was meant.",
        shaped=True,
    ),
    "stacked": Cause(
        "`stack` puts tensors of one shape side by side, and {first} and {other} differ.",
        "Give all of them the same shape first, or put them one after another with `cat`.",
        shaped=True,
    ),
    "view": Cause(
        "The tensor's memory is not laid out as `view` needs it.", "Use `reshape` in place of `view`.", shaped=True
    ),
    "scalar": Cause(
        "Only a tensor or an array with a single element can become a number, or a condition.",
        "Reduce it first (`sum`, `mean`, `all`), or go element by element: `torch.where`, or `np.where` for arrays.",
        shaped=True,
    ),
    "scatter": Cause(
        "An index that says where to write may be longer than the tensor along one axis alone, that of the writing.",
        "Give the index the shape of what is written: for one entry in each row, `targ[:, None]` along axis 1.",
        shaped=True,
    ),
    "einsum": Cause(
        "The letter `{letter}` stands for axes of two sizes there, {sizes}.",
        "Give each axis a letter of its own, or cut the operands so that axes with one letter are equally long.",
        shaped=True,
    ),
    "einsum.axes": Cause(
        "Axes of one operand: {axes}; letters that stand for them: {letters}.",
        "Write one letter for each axis of each operand, in their order, with a comma between the operands.",
        shaped=True,
    ),
    "channels": Cause(
        "Axis 1 of what a convolution slides over has to be as long as axis 1 of its kernel: {got} is not {wanted}.",
        "Look which axis is which: on the way back the kernel's first two axes change places, `w.transpose(0, 1)`.",
        shaped=True,
    ),
    "unpack": Cause(
        "The number of values does not match the number of names.", "Count what the right-hand side returns."
    ),
    # ------------------------------------------------------------------------------------------- indices
    "index": Cause(
        "An index lies outside of its axis.", "Check the size of the axis; the last index is its size − 1.", shaped=True
    ),
    "index.many": Cause(
        "More indices stand in the brackets than there are axes ({axes}).",
        "Print the `shape` of what is indexed: one index for each axis is the most.",
        shaped=True,
    ),
    "index.pairs": Cause(
        "Index tensors side by side are read in pairs, one pair for each entry: the shapes {shapes} make no pairs.",
        "Give both the same length: for each entry that is meant, its row in one and its column in the other.",
        shaped=True,
    ),
    "index.mask": Cause(
        "A mask picks entries one by one, so it needs the shape of what it picks from: {mask} is not {indexed}.",
        "Make the mask from a tensor of the shape that is indexed.",
        shaped=True,
    ),
    "index.kind": Cause(
        "An index must hold whole numbers or bools, not numbers with a fraction.",
        "Convert it with `.long()`, or look whether another tensor was meant there.",
    ),
    "axis": Cause(
        "There is no axis {axis}: axes count from 0, and the last one there is {last}.",
        "Print the `shape`, and count its axes; -1 is always the last one.",
        shaped=True,
    ),
    # -------------------------------------------------------------------------------------- types, dtypes
    "dtype": Cause(
        "Tensors of different dtypes met: {names}.", "Convert one of them, for instance with `.to(x.dtype)`."
    ),
    "dtype.operation": Cause(
        "torch cannot do this operation in dtype {dtype}.",
        "Convert the tensor first, for instance with `.to(x.dtype)`.",
    ),
    "dtype.gradient": Cause(
        "Only floating-point numbers can have gradients, and these are whole numbers or bools.",
        "Make the tensor of floats: leave `dtype` out, or write `.float()`.",
    ),
    "bitwise": Cause(
        "`^`, `&` and `|` work bit by bit, on whole numbers and bools alone.",
        "A power is `**`. To keep some entries and drop others, multiply by a mask, or use `torch.where`.",
    ),
    "operator": Cause(
        "Python knows no `{operator}` of `{left}` and `{right}`.",
        "Convert one of the two; in a class of your own, define the operator for either side.",
    ),
    "none": Cause(
        "Something is None there: a value that was never set, or a function that returns nothing.",
        "Look at what comes before `.{name}`: which line sets it, and did that line run?",
    ),
    "none.value": Cause(
        "Something is None there: a value that was never set, or a function that returns nothing.",
        "Find out which name it is (`.grad` in place of `.g`, or before `backward()`?), and which line should set it.",
    ),
    "pair": Cause(
        "`{name}` along an axis gives a pair: the values, and their places.",
        "Take the first of the pair, `.values`, or use `a{name}`.",
    ),
    **CALL_CAUSES,
    # ------------------------------------------------------------------------------------------ autograd
    "leaf": Cause(
        "A tensor that requires gradients was changed in place where autograd watches.",
        "Do the update under `with torch.no_grad():`.",
    ),
    "numpy_grad": Cause("A tensor that requires gradients cannot become an array as it is.", "Use `.detach()` first."),
    "graph_freed": Cause(
        "`backward()` ran twice through the same graph.", "Compute the loss anew in every step, before `backward()`."
    ),
    "graph_changed": Cause(
        "The graph needs a tensor as it was in the forward pass, and it was changed in place since.",
        "Compute the loss anew after every update, before `backward()`.",
    ),
    "no_scalar": Cause(
        "`backward()` starts from a single number, and this tensor has several entries.",
        "Reduce the loss first, with the `sum` or `mean` that is asked for.",
        shaped=True,
    ),
    "no_grad_fn": Cause(
        "Nothing that led to this tensor requires gradients, so autograd has nothing to go back through.",
        "Let the weights require gradients, and compute the loss from them outside of `torch.no_grad()`.",
    ),
    # ------------------------------------------------------------------------------------------- devices
    "device": Cause(
        "A graphics card is asked for here, and the machine that ran this has none.", _STAY, question=WHICH_DEVICE
    ),
    "device.mixed": Cause("Two tensors meet there that lie on different devices.", _STAY, question=WHICH_DEVICE),
    # ------------------------------------------------------------------------------------- left in by hand
    "module": Cause(
        "There is no module `{name}` on the machine that ran this.",
        "If the answer does not need it, leave the import out; else ask your instructor for it.",
        question="Does your answer need `{name}`?",
    ),
    "input": Cause(
        "It waits for somebody to type, and nobody is there when it is checked.",
        "Take `input()` out: all that the code needs comes with its arguments.",
        question=WHAT_WAITS,
    ),
    "exit": Cause(
        "The code itself ends the program there.",
        "Take `exit()` or `quit()` out; to leave a function early, use `return`.",
        question="Should anything be left there: the function, or only a loop?",
    ),
    "debugger": Cause(
        "A breakpoint stops before that line, and nobody is there to go on when it is checked.",
        "Take `breakpoint()` or `set_trace()` out of what you hand in.",
        question=WHAT_WAITS,
    ),
    "asserted": Cause(
        "That is an `assert` of your own, and it does not hold for the values of the check.",
        "Check what you assert: sizes differ from case to case, and so do dtypes.",
        question="Does what you assert hold for every size?",
    ),
    "refused": Cause(
        "That is a `raise` of your own, which refuses what the exercise allows: the check gives nothing else.",
        "Check the condition before that `raise`: which values does it refuse, and which does the exercise allow?",
        question="For which values is the condition before that `raise` true?",
    ),
    # -------------------------------------------------------------------------------------------- others
    "other": Cause(
        "", "Read what the error says, then look at the line that is named, or at what your code gives back."
    ),
}
