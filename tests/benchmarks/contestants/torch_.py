"""PyTorch: the network of its own layers, one update after the other, as is or compiled."""

import math
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.tasks import Task

torch.set_num_threads(1)


class Torch:
    """What both ways to train have in common: their first updates are the preparation."""

    def prepare(self) -> None:
        """Make the first updates, traced and compiled where that is the way."""
        self._train(3)

    def run(self) -> float:
        """Conversion to tensors included."""
        started = time.perf_counter()
        self._train(self.updates)
        return time.perf_counter() - started


class Eager(Torch):
    """`nn.LSTM`, `backward`, and Adam in its fused form."""

    def __init__(self, task: Task, updates: int):
        self.task, self.updates = task, updates
        self.network = Network(task)
        self.loss = self._loss

    def weights(self) -> list[np.ndarray]:
        """Those of its one network, in Keras' layout."""
        return [weight[None] for weight in self.network.exported()]

    def _train(self, updates: int) -> None:
        self.network.load([weight[0] for weight in self.task.weights])
        rate = self.task.config.experiment.training.learning_rate
        learned = [weight for weight in self.network.parameters() if weight.requires_grad]
        adam = torch.optim.Adam(learned, lr=rate, fused=True)
        x, y = (torch.from_numpy(part[0]) for part in self.task.batches(updates))
        for update in range(updates):
            # Keras' epsilon stands beside the uncorrected second moment.
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
    """The printed network of PyTorch's layers; of its two biases of an LSTM one learns."""

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
        hidden = self.encoder(x)[0][:, -1]
        if self.decoder is None:
            return self.output(hidden)
        return self.output(self.decoder(hidden[:, None].expand(-1, self.echo, -1))[0])

    def _in_order(self) -> list[nn.Parameter]:
        """The parameters in the order of Keras' weights."""
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0")
        lstms = [getattr(lstm, name) for lstm in self.lstms for name in names]
        return [*lstms, self.output.weight, self.output.bias]

    @torch.no_grad()
    def load(self, weights: list[np.ndarray]) -> None:
        """Take weights in Keras' layout, which is the transposed one."""
        for parameter, weight in zip(self._in_order(), weights, strict=True):
            parameter.copy_(torch.from_numpy(weight.T.copy()))

    def exported(self) -> list[np.ndarray]:
        """The weights in Keras' layout."""
        return [parameter.detach().numpy().T.copy() for parameter in self._in_order()]


class Compiled(Torch):
    """One update as a pure function: gradient and Adam in one compiled program."""

    def __init__(self, task: Task, updates: int):
        self.task, self.updates = task, updates
        loss = LOSSES[task.kind]
        rate = task.config.experiment.training.learning_rate

        @torch.compile(fullgraph=True)
        def update(weights, first, second, ones, x, y):
            """One step of Adam in place; `ones` holds β₁ᵗ and β₂ᵗ."""
            gradients = torch.func.grad(loss)(weights, x, y)
            ones.mul_(torch.tensor([0.9, 0.999]))
            scale = rate * torch.sqrt(1 - ones[1]) / (1 - ones[0])
            for weight, m, v, g in zip(weights, first, second, gradients, strict=True):
                m.lerp_(g, 0.1)
                v.lerp_(g * g, 0.001)
                weight.sub_(scale * m / (torch.sqrt(v) + 1e-7))

        self.update = update

    def weights(self) -> list[np.ndarray]:
        """Those of its one network."""
        return [weight.numpy()[None] for weight in self.last]

    def _train(self, updates: int) -> None:
        weights = [torch.from_numpy(weight[0].copy()) for weight in self.task.weights]
        first, second = ([torch.zeros_like(weight) for weight in weights] for _ in range(2))
        ones = torch.ones(2)
        x, y = (torch.from_numpy(part[0]) for part in self.task.batches(updates))
        with torch.no_grad():
            for batch in zip(x, y, strict=True):
                self.update(weights, first, second, ones, *batch)
        self.last = weights


def _cell(z, c):
    """The LSTM's next hidden and cell state from its gates (B, 4 H)."""
    i, f, g, o = z.chunk(4, dim=-1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def _lstm(driven, recurrent, bias):
    """The hidden states of inputs, one a time step, that the kernel has been applied to."""
    h, c = _cell(driven[0] + bias, torch.zeros(()))  # before it was nothing
    hidden = [h]
    for z in driven[1:]:
        h, c = _cell(torch.addmm(z + bias, h, recurrent), c)
        hidden.append(h)
    return hidden


def _point_loss(weights, x, y):
    kernel, _, bias, dense, dense_bias = weights
    h, _ = _cell(x[:, 0] @ kernel + bias, torch.zeros(()))
    return (h @ dense + dense_bias - y).abs().mean()


def _encoder_decoder_loss(weights, x, y):
    kernel, recurrent, bias, kernel2, recurrent2, bias2, dense, dense_bias = weights
    driven = [functional.embedding(integers, kernel) for integers in x.long().T]
    vector = _lstm(driven, recurrent, bias)[-1]
    hidden = _lstm([vector @ kernel2] * y.shape[1], recurrent2, bias2)
    logits = torch.stack(hidden, dim=1) @ dense + dense_bias
    return functional.cross_entropy(logits.flatten(0, 1), y.long().flatten())


LOSSES = {"point": _point_loss, "encoder-decoder": _encoder_decoder_loss}
