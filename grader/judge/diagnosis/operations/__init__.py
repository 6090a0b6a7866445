"""Functions of torch with the usual mistakes in them, from which autograd makes what a student's mistake would.

``catalogue`` has all of them; ``replaced`` puts one in the place of torch's own. By subject: ``activations``,
``gates``, ``gelu_slopes``, ``powers``, ``substitutes``, ``softmaxes``, ``attention``, ``products``, ``convolutions``,
``pools``, ``normalisations``.
"""
