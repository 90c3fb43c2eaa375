"""What a step costs on 8, 64, 512 devices beside one: a calculation, from the size of a model.

    python benchmarks/distribution_cost.py
    python benchmarks/distribution_cost.py --parameters 350e6 --work 2.1e12 --batch 8
    python benchmarks/distribution_cost.py --model net.keras --work 25e9 --batch 64

Nothing is measured here. The assumptions, which are arguments:

- One all-reduce a step of all gradients in one buffer (`--bytes` for each number), by rings: within a node of
  `--node` devices a reduce-scatter and an all-gather, and between nodes an all-reduce of each device's part. A ring
  of n sends 2 (n - 1) / n of its bytes over each link, in 2 (n - 1) messages of `--latency` seconds.
- Links: `--inside` bytes a second between two devices of a node, `--between` for each device to another node, in
  each direction. The defaults are nodes of eight H100 (NVLink 450 GB/s, 400 Gb/s of network for each device), 5 us a
  message.
- A device computes `--flops` a second (40 % of 990 TFLOP/s in bfloat16), and a step takes `--work` operations a
  sample: 6 for each parameter and each sample or token that passes it, more where kernels are used at many places.
- Nothing overlaps: engines hide a part of the reduction behind the backward pass, so the last column is a lower
  bound.
- With sharded slots (ZeRO 1) the same bytes travel, a reduce-scatter of gradients and an all-gather of weights; the
  optimizer keeps 8 bytes a parameter (Adam, float32) over all devices instead of on each.
"""

from __future__ import annotations

import argparse
from typing import NamedTuple


class Net(NamedTuple):
    """A model as far as it matters here: its parameters, operations of a training step a sample, samples a device."""

    name: str
    parameters: float
    work: float
    batch: int


NETS = [
    Net("mlp, 1 M", 1e6, 6e6, 256),
    Net("resnet50 at 224", 25.6e6, 24.6e9, 128),
    Net("transformer, 124 M, 1024 tokens", 124e6, 6 * 124e6 * 1024, 16),
    Net("transformer, 1.3 B, 2048 tokens", 1.3e9, 6 * 1.3e9 * 2048, 8),
]


def ring(size: float, devices: int, bandwidth: float, latency: float) -> float:
    """Seconds of an all-reduce of so many bytes over one ring."""
    return 2 * (devices - 1) / devices * size / bandwidth + 2 * (devices - 1) * latency


def reduction(size: float, devices: int, given: argparse.Namespace) -> float:
    """Seconds of an all-reduce over nodes: within each, and of the parts between them."""
    inside = min(devices, given.node)
    nodes = -(-devices // given.node)
    return ring(size, inside, given.inside, given.latency) + ring(size / inside, nodes, given.between, given.latency)


def row(net: Net, devices: int, given: argparse.Namespace) -> list[str]:
    """A line of the table."""
    size, compute = net.parameters * given.bytes, net.work * net.batch / given.flops
    moved, seconds = 2 * (devices - 1) / devices * size, reduction(size, devices, given)
    weights, slots = 2 * net.parameters * 4, net.parameters * 8
    return [
        net.name,
        f"{devices}",
        f"{moved / 1e6:,.0f}",
        f"{seconds * 1e3:,.2f}",
        f"{compute * 1e3:,.2f}",
        f"{(weights + slots) / 1e9:,.2f}",
        f"{(weights + slots / devices) / 1e9:,.2f}",
        f"{compute / (compute + seconds):.0%}",
    ]


TITLES = [
    "model",
    "devices",
    "MB sent by each",
    "reduction, ms",
    "compute, ms",
    "GB of state",
    "GB, slots sharded",
    "of ideal speed",
]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a file of a model, whose parameters are counted")
    parser.add_argument("--parameters", type=float)
    parser.add_argument("--work", type=float, help="operations a sample; by default 6 a parameter")
    parser.add_argument("--batch", type=int, default=32, help="samples a device")
    parser.add_argument("--devices", type=int, nargs="+", default=[8, 64, 512])
    parser.add_argument("--bytes", type=float, default=4, help="of a gradient on its way")
    parser.add_argument("--node", type=int, default=8)
    parser.add_argument("--inside", type=float, default=450e9)
    parser.add_argument("--between", type=float, default=50e9)
    parser.add_argument("--latency", type=float, default=5e-6)
    parser.add_argument("--flops", type=float, default=0.4 * 990e12)
    given = parser.parse_args()
    print(f"| {' | '.join(TITLES)} |\n|{'---|' * len(TITLES)}")
    for net in nets(given):
        for devices in given.devices:
            print(f"| {' | '.join(row(net, devices, given))} |")


def nets(given: argparse.Namespace) -> list[Net]:
    """The models of the table: the one that was asked for, or some of known sizes."""
    parameters = given.parameters
    if given.model:
        from keras_front.models import load_model

        parameters = load_model(given.model, compile=False).count_params()
    if parameters is None:
        return NETS
    return [Net(given.model or f"{parameters:,.0f} parameters", parameters, given.work or 6 * parameters, given.batch)]


if __name__ == "__main__":
    main()
