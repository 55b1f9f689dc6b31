"""PyTorch: a Python loop of updates, with its own layers or with `torch.compile`."""

import math
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.tasks import Task

torch.set_num_threads(1)


class Torch:
    """What both ways of training share."""

    def prepare(self) -> None:
        """Make the first updates, which compile if that is needed."""
        self._train(3)

    def run(self) -> float:
        """Convert the arrays and make all updates."""
        start = time.perf_counter()
        self._train(self.updates)
        return time.perf_counter() - start


class Eager(Torch):
    """`nn.LSTM`, `backward`, and the fused Adam."""

    def __init__(self, task: Task, updates: int):
        self.task, self.updates = task, updates
        self.network = Network(task)
        self.loss = self._loss

    def weights(self) -> list[np.ndarray]:
        """Return the weights of the one network, in Keras' layout."""
        return [weight[None] for weight in self.network.to_keras()]

    def _train(self, updates: int) -> None:
        self.network.from_keras([weight[0] for weight in self.task.weights])
        rate = self.task.config.experiment.training.learning_rate
        trainable = [weight for weight in self.network.parameters() if weight.requires_grad]
        adam = torch.optim.Adam(trainable, lr=rate, fused=True)
        x, y = (torch.from_numpy(part[0]) for part in self.task.batches(updates))
        for update in range(updates):
            # Keras adds epsilon before the correction of the second moment.
            adam.param_groups[0]["eps"] = 1e-7 / math.sqrt(1 - 0.999 ** (update + 1))
            adam.zero_grad(set_to_none=True)
            self.loss(x[update], y[update]).backward()
            adam.step()

    def _loss(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        if self.task.kind == "point":
            return functional.l1_loss(self.network(x), y)
        logits = self.network(
            functional.one_hot(x.long(), self.task.config.dataset.classes).float()
        )
        return functional.cross_entropy(logits.flatten(0, 1), y.long().flatten())


class Network(nn.Module):
    """The network of PyTorch's layers; one of the two biases of each LSTM is frozen at zero."""

    def __init__(self, task: Task):
        super().__init__()
        cells = task.config.experiment.model.cells
        self.echo = None if task.kind == "point" else task.targets.shape[2]
        width = 2 if task.kind == "point" else task.config.dataset.classes
        self.encoder = nn.LSTM(width, cells, batch_first=True)
        self.decoder = nn.LSTM(cells, cells, batch_first=True) if self.echo else None
        self.output = nn.Linear(cells, width)
        self.lstms = [self.encoder] + ([self.decoder] if self.echo else [])
        for lstm in self.lstms:
            lstm.bias_hh_l0.requires_grad_(False).zero_()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return outputs (B, F), or logits (B, E, C), of inputs (B, T, F)."""
        hidden = self.encoder(x)[0][:, -1]
        if self.decoder is None:
            return self.output(hidden)
        return self.output(self.decoder(hidden[:, None].expand(-1, self.echo, -1))[0])

    def _in_keras_order(self) -> list[nn.Parameter]:
        """Return the parameters in the order of Keras' weights."""
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0")
        lstms = [getattr(lstm, name) for lstm in self.lstms for name in names]
        return [*lstms, self.output.weight, self.output.bias]

    @torch.no_grad()
    def from_keras(self, weights: list[np.ndarray]) -> None:
        """Set the weights, given in Keras' layout, which is transposed."""
        for parameter, weight in zip(self._in_keras_order(), weights, strict=True):
            parameter.copy_(torch.from_numpy(weight.T.copy()))

    def to_keras(self) -> list[np.ndarray]:
        """Return the weights in Keras' layout."""
        return [parameter.detach().numpy().T.copy() for parameter in self._in_keras_order()]


class Compiled(Torch):
    """Gradient and Adam in one compiled function per update."""

    def __init__(self, task: Task, updates: int):
        self.task, self.updates = task, updates
        loss = LOSSES[task.kind]
        rate = task.config.experiment.training.learning_rate

        @torch.compile(fullgraph=True)
        def update(weights, first, second, powers, x, y):
            """Make one step of Adam in place; `powers` holds β₁ᵗ and β₂ᵗ."""
            gradients = torch.func.grad(loss)(weights, x, y)
            powers.mul_(torch.tensor([0.9, 0.999]))
            scale = rate * torch.sqrt(1 - powers[1]) / (1 - powers[0])
            for weight, m, v, g in zip(weights, first, second, gradients, strict=True):
                m.lerp_(g, 0.1)
                v.lerp_(g * g, 0.001)
                weight.sub_(scale * m / (torch.sqrt(v) + 1e-7))

        self.update = update

    def weights(self) -> list[np.ndarray]:
        """Return the weights of the one network."""
        return [weight.numpy()[None] for weight in self.trained]

    def _train(self, updates: int) -> None:
        weights = [torch.from_numpy(weight[0].copy()) for weight in self.task.weights]
        first, second = ([torch.zeros_like(weight) for weight in weights] for _ in range(2))
        powers = torch.ones(2)
        x, y = (torch.from_numpy(part[0]) for part in self.task.batches(updates))
        with torch.no_grad():
            for batch in zip(x, y, strict=True):
                self.update(weights, first, second, powers, *batch)
        self.trained = weights


def _cell(z, c):
    """Return the next hidden and cell states (B, H), given gates before activation (B, 4 H)."""
    i, f, g, o = z.chunk(4, dim=-1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def _lstm(projected, recurrent, bias):
    """Return the hidden states (B, H) of all time steps, given inputs times kernel (B, 4 H)."""
    h, c = _cell(projected[0] + bias, torch.zeros(()))  # from a state of zeros
    hidden = [h]
    for z in projected[1:]:
        h, c = _cell(torch.addmm(z + bias, h, recurrent), c)
        hidden.append(h)
    return hidden


def _point_loss(weights, x, y):
    kernel, _, bias, dense, dense_bias = weights
    h, _ = _cell(x[:, 0] @ kernel + bias, torch.zeros(()))
    return (h @ dense + dense_bias - y).abs().mean()


def _encoder_decoder_loss(weights, x, y):
    kernel, recurrent, bias, kernel2, recurrent2, bias2, dense, dense_bias = weights
    projected = [functional.embedding(integers, kernel) for integers in x.long().T]
    vector = _lstm(projected, recurrent, bias)[-1]
    hidden = _lstm([vector @ kernel2] * y.shape[1], recurrent2, bias2)
    logits = torch.stack(hidden, dim=1) @ dense + dense_bias
    return functional.cross_entropy(logits.flatten(0, 1), y.long().flatten())


LOSSES = {"point": _point_loss, "encoder-decoder": _encoder_decoder_loss}
