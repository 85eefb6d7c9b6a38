"""The network: dense 3x3 convolutions and ReLU, a feature pyramid, one head on a grid of stride 4.

Each block is trained as a sum of a 3x3 convolution, a 1x1 convolution and, where it fits, the input itself, under one
batch normalization, and folds into a single 3x3 convolution (after Ding et al., "RepVGG", 2021; one normalization after
the sum, as in Chu et al., "Make RepVGG Greater Again: A Quantization-aware Approach", 2022, for the sake of INT8).
The sum is made of the kernels, not of their outputs, so that the branches cost no time.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDE = 4
CHANNELS, DEPTHS, NECK = (16, 32, 48, 64, 96), (1, 1, 2, 3, 2), 48
MEAN, SCALE = 114.0, 58.0
"""Subtracted from each channel in 0..255, and what it is then divided by; about the mean and deviation of pictures."""

NAMES = ("heatmap", "size", "offset")
"""Of the network's outputs, as the decoder ``center-point`` calls them."""

LARGEST_LOG_SIDE = 6.0
"""Sides are at most ``exp`` of this many cells: more than any picture that the network sees at once."""


class Block(nn.Module):
    """A 3x3 convolution with ReLU, of branches while it is trained."""

    def __init__(self, taken: int, given: int, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride
        self.wide = nn.Parameter(torch.empty(given, taken, 3, 3))
        self.narrow = nn.Parameter(torch.empty(given, taken, 1, 1))
        nn.init.kaiming_normal_(self.wide, nonlinearity="relu")
        nn.init.normal_(self.narrow, std=0.3 * math.sqrt(2 / taken))
        self.through = nn.Parameter(torch.full((given,), 0.3)) if taken == given and stride == 1 else None
        self.normalization = nn.BatchNorm2d(given)

    def kernel(self) -> Tensor:
        """All branches as one 3x3 kernel, without the normalization."""
        middle: Tensor = self.narrow
        if self.through is not None:
            middle = middle + torch.diag(self.through)[..., None, None]
        return self.wide + functional.pad(middle, (1, 1, 1, 1))

    def forward(self, features: Tensor) -> Tensor:
        """Features of one size to features of the next."""
        summed = functional.conv2d(features, self.kernel(), stride=self.stride, padding=1)
        return functional.relu(self.normalization(summed))

    def folded(self) -> nn.Module:
        """The same as a plain convolution and ReLU."""
        given, taken = self.wide.shape[:2]
        plain = nn.Conv2d(taken, given, 3, self.stride, 1)
        norm = self.normalization
        assert norm.running_var is not None  # noqa: S101  # tracked by default
        assert norm.running_mean is not None  # noqa: S101
        gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        plain.weight.data = self.kernel().detach() * gain.detach()[:, None, None, None]
        plain.bias = nn.Parameter((norm.bias - norm.running_mean * gain).detach())
        return nn.Sequential(plain, nn.ReLU())


class Network(nn.Module):
    """Pictures ``(n, 3, h, w)``, normalized, sides multiples of 32, to a grid ``(n, 5, h / 4, w / 4)``.

    The channels are what ``edgeanon.decoders.center_point`` reads: the heatmap (logits here), logarithms of height and
    width in cells, and the offset of the centre, y and x, in cells.
    """

    def __init__(self) -> None:
        super().__init__()
        stages, taken = [], 3
        for given, depth in zip(CHANNELS, DEPTHS, strict=True):
            blocks = [Block(taken if not number else given, given, 1 if number else 2) for number in range(depth)]
            stages.append(nn.Sequential(*blocks))
            taken = given
        self.stages = nn.ModuleList(stages)
        self.sides = nn.ModuleList([nn.Conv2d(channels, NECK, 1) for channels in CHANNELS[2:]])
        self.joined = nn.ModuleList([Block(NECK, NECK), Block(NECK, NECK)])
        self.head = Block(NECK, NECK)
        self.last = nn.Conv2d(NECK, 5 * 4, 1)
        with torch.no_grad():
            assert self.last.bias is not None  # noqa: S101
            self.last.weight.mul_(0.1)
            self.last.bias.zero_()
            self.last.bias[:4] = -math.log(99)  # nearly all cells are empty: start there (Lin et al., 2017)
            self.last.bias[4:8] = math.log(5)  # a plate is some 20 pixels high
            self.last.bias[8:12] = math.log(14)

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures to the grid."""
        features, levels = pictures, []
        for stage in self.stages:
            features = stage(features)
            levels.append(features)
        _, _, eighth, sixteenth, thirtysecond = levels
        up = functional.interpolate(self.sides[2](thirtysecond), scale_factor=2.0, mode="nearest")
        features = self.joined[0](up + self.sides[1](sixteenth))
        up = functional.interpolate(features, scale_factor=2.0, mode="nearest")
        features = self.head(self.joined[1](up + self.sides[0](eighth)))
        return functional.pixel_shuffle(self.last(features), 2)

    def fold(self) -> None:
        """Make every block a plain convolution, for good."""
        for module in list(self.modules()):
            for name, child in list(module.named_children()):
                if isinstance(child, Block):
                    setattr(module, name, child.folded())


class Shipped(nn.Module):
    """A folded network as it is exported: scores in 0..1 and outputs apart."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Heatmap, size and offset."""
        grid = self.network(pictures)
        return torch.sigmoid(grid[:, :1]), grid[:, 1:3], grid[:, 3:5]


def boxes(grid: Tensor) -> Tensor:
    """The box of every cell in cells, ``(n, 4, h, w)``: x1, y1, x2, y2."""
    rows = torch.arange(grid.shape[2], dtype=grid.dtype)[:, None] + 0.5
    columns = torch.arange(grid.shape[3], dtype=grid.dtype)[None] + 0.5
    half = torch.exp(grid[:, 1:3].clamp(max=LARGEST_LOG_SIDE)) / 2
    y, x = rows + grid[:, 3], columns + grid[:, 4]
    return torch.stack([x - half[:, 1], y - half[:, 0], x + half[:, 1], y + half[:, 0]], dim=1)
