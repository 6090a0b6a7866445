"""Other right answers to 02_gradients."""
# ruff: noqa - written as students write, and run in the namespace of the solved notebook

import torch

from grader.course.specimens import variant


@variant("dot_grad")
def copies(w, x):
    return [x.clone(), w.clone()]


@variant("dot_grad")
def by_ones(w, x):
    one = torch.ones(1, 1, dtype=w.dtype)
    return x @ one, w @ one


@variant("polynomial_vjp")
def by_products(a, b, upstream):
    return 9 * upstream * a * a, -(b + b) * upstream


@variant("polynomial_vjp")
def in_float64(a, b, upstream):
    wide = upstream.double()
    return (9 * a.double().square() * wide).to(a.dtype), (-2 * b.double() * wide).to(b.dtype)


@variant("polynomial_vjp")
def by_numpy(a, b, upstream):
    a, b, upstream = a.numpy(), b.numpy(), upstream.numpy()
    return torch.from_numpy(9 * a**2 * upstream), torch.from_numpy(-2 * b * upstream)


@variant("matvec_jacobian")
def by_eye(W, x):
    return torch.eye(len(W), dtype=W.dtype)[:, :, None] * x[:, 0]


@variant("matvec_jacobian")
def by_einsum(W, x):
    return torch.einsum("ij,k->ijk", torch.eye(len(W), dtype=W.dtype), x.flatten())


@variant("matvec_jacobian")
def single_precision_zeros(W, x):
    m, n = W.shape
    jacobian = torch.zeros(m, m, n)
    for i in range(m):
        jacobian[i, i] = x.T
    return jacobian


@variant("mse_vector_grad")
def minus_first(pred, y):
    return -2 * (y - pred) / y.numel()


@variant("mse_vector_grad")
def entry_by_entry(pred, y):
    grad = torch.zeros_like(pred)
    for i in range(len(pred)):
        grad[i, 0] = 2 * (pred[i, 0] - y[i, 0]) / len(pred)
    return grad


@variant("matvec_mse_grad")
def by_einsum_over_all(W, x, y):
    error = torch.einsum("mn,no->mo", W, x) - y
    return torch.einsum("mo,no->mn", error, x) * (2 / y.numel())


@variant("matvec_mse_grad")
def by_the_jacobian(W, x, y):
    upstream = mse_vector_grad(W @ x, y)  # noqa: F821
    return torch.tensordot(upstream[:, 0], matvec_jacobian(W, x), dims=1)  # noqa: F821


@variant("matvec_mse_grad")
def by_broadcasting(W, x, y):
    error = (W * x.T).sum(1, keepdim=True) - y
    return error * x.T * 2 / len(y)


@variant("two_layer_linear_grad")
def product_first(W1, W2, x, y):
    error = 2 * ((W2 @ W1) @ x - y) / len(y)
    return (W2.T @ error) * x.T, error * (W1 @ x).T


@variant("two_layer_linear_grad")
def in_double(W1, W2, x, y):
    w1, w2, x, y = W1.double(), W2.double(), x.double(), y.double()
    error = 2 * (w2 @ w1 @ x - y) / len(y)
    return (w2.T @ error @ x.T).to(W1.dtype), (error @ x.T @ w1.T).to(W2.dtype)
