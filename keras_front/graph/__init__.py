"""Layers as a graph: what a layer is, how calls become nodes, and networks of them.

Knows K, shapes and configs. Must not know concrete layers, the trainer, files or backends.
"""

from .clone import clone_model
from .inputs import Input, InputLayer
from .layer import LAYERS, InputSpec, Layer
from .network import Network
from .node import Node
from .operation import OpLayer
from .sequential import SequentialNetwork
from .summary import print_summary

__all__ = [
    "LAYERS",
    "Input",
    "InputLayer",
    "InputSpec",
    "Layer",
    "Network",
    "Node",
    "OpLayer",
    "SequentialNetwork",
    "clone_model",
    "print_summary",
]
