"""Event files, from which TensorBoard reads: scalars, histograms, images, texts and graphs.

Written with the messages and the records of the package `tensorboard`, and with nothing of TensorFlow, which that
package would import if it were asked for a file system. Values are written in one of two forms: that of TensorFlow 1,
where each kind has a field of its own, and that of TensorFlow 2, where every value is a tensor and names a plugin.
"""

from __future__ import annotations

import itertools
import os
import struct
import time
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from keras_front.errors import MissingPackageError

__all__ = ["EventWriter", "graph_of", "histogram", "image", "keras_model", "pictures_of", "png", "scalar"]

_NUMBERS = itertools.count()
_BUCKETS = 30


def messages() -> Any:
    """The messages of event files. Raises: MissingPackageError without the package `tensorboard`."""
    try:
        from tensorboard.compat.proto import event_pb2, summary_pb2  # noqa: F401
    except ImportError as error:
        raise MissingPackageError.of("Logs for TensorBoard", "the package tensorboard", "tensorboard") from error
    return event_pb2


class EventWriter:
    """Appends events to a file of its own in a folder; the file is made with the first event.

    Args:
        folder: where; made if it is not there.

    Raises: MissingPackageError (an ImportError) without the package `tensorboard`.
    """

    def __init__(self, folder: str | os.PathLike[str]):
        self.folder, self._messages, self._records = os.fspath(folder), messages(), None

    def _open(self) -> Any:
        if self._records is None:
            import socket

            from tensorboard.summary.writer.record_writer import RecordWriter

            os.makedirs(self.folder, exist_ok=True)
            parts = f"{time.time():.0f}.{socket.gethostname()}.{os.getpid()}.{next(_NUMBERS)}"
            self._records = RecordWriter(open(os.path.join(self.folder, f"events.out.tfevents.{parts}.v2"), "wb"))
            self._write(file_version="brain.Event:2")
        return self._records

    def _write(self, **fields: Any) -> None:
        self._open().write(self._messages.Event(wall_time=time.time(), **fields).SerializeToString())

    def add(self, summary: Any, step: int) -> None:
        """Append a value.

        Args:
            summary: what a function of this module made.
            step: its place on the axis of steps.
        """
        self._open()
        self._write(step=int(step), summary=summary)

    def add_graph(self, graph: Any) -> None:
        """Append the graph of a model.

        Args:
            graph: a `GraphDef`.
        """
        self._open()
        self._write(graph_def=graph.SerializeToString())

    def flush(self) -> None:
        """Write what waits to the file."""
        if self._records is not None:
            self._records.flush()

    def close(self) -> None:
        """Close the file; a further event goes into a new one."""
        if self._records is not None:
            self._records.close()
            self._records = None


# Values -----------------------------------------------------------------------------------------------------


def _summary(**fields: Any) -> Any:
    from tensorboard.compat.proto import summary_pb2

    return summary_pb2.Summary(value=[summary_pb2.Summary.Value(**fields)])


def scalar(tag: str, value: Any, plain: bool) -> Any:
    """A number.

    Args:
        tag: its name.
        value: the number.
        plain: in the form of TensorFlow 1.
    """
    if plain:
        return _summary(tag=tag, simple_value=float(value))
    from tensorboard.plugins.scalar.summary_v2 import scalar_pb

    return scalar_pb(tag, float(value))


def histogram(tag: str, values: Any, plain: bool) -> Any:
    """How often numbers lie where, in 30 intervals.

    Args:
        tag: the name.
        values: an array.
        plain: in the form of TensorFlow 1.
    """
    numbers = np.asarray(values, "float64").reshape(-1)
    numbers = numbers[np.isfinite(numbers)]
    if not plain:
        from tensorboard.plugins.histogram.summary_v2 import histogram_pb

        return histogram_pb(tag, numbers, buckets=_BUCKETS)
    from tensorboard.compat.proto import summary_pb2

    counts, edges = np.histogram(numbers, _BUCKETS)
    return _summary(
        tag=tag,
        histo=summary_pb2.HistogramProto(
            min=numbers.min(initial=np.inf) if numbers.size else 0.0,
            max=numbers.max(initial=-np.inf) if numbers.size else 0.0,
            num=numbers.size,
            sum=numbers.sum(),
            sum_squares=(numbers**2).sum(),
            bucket_limit=edges[1:].tolist(),
            bucket=counts.tolist(),
        ),
    )


def image(tag: str, pictures: np.ndarray, plain: bool) -> Iterable[Any]:
    """Pictures, at most three.

    Args:
        tag: the name.
        pictures: (n, rows, columns, channels) with one, three or four channels, of any numbers; see `_as_bytes`.
        plain: in the form of TensorFlow 1, in which each has a name of its own.
    """
    from tensorboard.compat.proto import summary_pb2
    from tensorboard.plugins.image import metadata
    from tensorboard.util import tensor_util

    shown = _as_bytes(pictures)[:3]
    rows, columns, channels = shown.shape[1:]
    coded = [png(picture) for picture in shown]
    if plain:
        for i, data in enumerate(coded):
            picture = summary_pb2.Summary.Image(
                height=rows, width=columns, colorspace=channels, encoded_image_string=data
            )
            yield _summary(tag=f"{tag}/image/{i}" if len(coded) > 1 else f"{tag}/image", image=picture)
        return
    sizes = [str(columns).encode(), str(rows).encode()]
    tensor = tensor_util.make_tensor_proto(np.array([*sizes, *coded], object))
    kind = metadata.create_summary_metadata(display_name=None, description="")
    yield _summary(tag=tag, tensor=tensor, metadata=kind)


def _as_bytes(pictures: np.ndarray) -> np.ndarray:
    """Numbers from 0 to 255: the largest becomes 255; where there are negative ones, 0 becomes 127.

    Source: TensorFlow 1, `tf.summary.image`.
    """
    numbers = np.nan_to_num(np.asarray(pictures, "float64"), posinf=0.0, neginf=0.0)
    low, high = numbers.min(initial=0.0), numbers.max(initial=0.0)
    if low < 0:
        return (127 + numbers * min(127 / -low, 128 / high if high > 0 else np.inf)).astype("uint8")
    return (numbers * (255 / high if high > 0 else 0.0)).astype("uint8")


def png(picture: np.ndarray) -> bytes:
    """A picture as the bytes of a PNG file.

    Args:
        picture: (rows, columns, channels), uint8, with one, three or four channels.

    Source: the PNG specification, https://www.w3.org/TR/png/.
    """
    rows, columns, channels = picture.shape

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", columns, rows, 8, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    lines = np.concatenate([np.zeros((rows, 1), "uint8"), picture.reshape(rows, -1)], axis=1)  # no filter
    data = zlib.compress(lines.tobytes())
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def pictures_of(weight: np.ndarray) -> np.ndarray | None:
    """A weight as pictures (n, rows, columns, 1): lines for vectors, kernels one by one; None above three axes.

    Args:
        weight: an array; axes of 1 do not count.

    Source: Keras 2.3.1, `keras/callbacks/tensorboard_v1.py`.
    """
    squeezed = np.squeeze(weight)
    if squeezed.ndim == 1:
        return squeezed.reshape(1, -1, 1, 1)
    if squeezed.ndim == 2:
        return (squeezed.T if squeezed.shape[0] > squeezed.shape[1] else squeezed)[None, :, :, None]
    return np.moveaxis(squeezed, 2, 0)[..., None] if squeezed.ndim == 3 else None


# Graphs -----------------------------------------------------------------------------------------------------


def keras_model(text: str) -> Any:
    """The config of a model, of which TensorBoard draws its conceptual graph.

    Args:
        text: what `to_json` gives.
    """
    from tensorboard.compat.proto import summary_pb2
    from tensorboard.plugins.graph import metadata
    from tensorboard.util import tensor_util

    kind = summary_pb2.SummaryMetadata()
    kind.plugin_data.plugin_name, kind.plugin_data.content = metadata.PLUGIN_NAME_KERAS_MODEL, b"1"
    tensor = tensor_util.make_tensor_proto(np.array(text.encode(), object))
    return _summary(tag="keras", tensor=tensor, metadata=kind)


def graph_of(drawn: Any) -> Any:
    """A `GraphDef` of what `model_to_dot(expand_nested=True)` gives: a node for each layer, models as name scopes.

    Args:
        drawn: a `Dot`.
    """
    from tensorboard.compat.proto import graph_pb2

    graph = graph_pb2.GraphDef()
    names: dict[str, str] = {}
    sources: dict[str, list[str]] = {}

    def visit(part: Any, scope: str) -> None:
        for node in part.get_nodes():
            names[node.name] = scope + str(node.layer.name)
            graph.node.add(name=names[node.name], op=type(node.layer).__name__)
        for edge in part.get_edges():
            sources.setdefault(edge.ends[1], []).append(edge.ends[0])
        for cluster in part.get_subgraphs():
            visit(cluster, f"{scope}{cluster.get('label')}/")

    visit(drawn, "")
    for node, key in zip(graph.node, names, strict=True):
        node.input.extend(names[source] for source in sources.get(key, ()))
    return graph


def embedding_table(file: str, vectors: np.ndarray) -> None:
    """Write vectors as a table of numbers between tabs, as the projector of TensorBoard reads it.

    Args:
        file: the file.
        vectors: (n, size).
    """
    np.savetxt(file, vectors, delimiter="\t", fmt="%.8g")


def projector_config(tables: Sequence[tuple[str, str, str | None]]) -> str:
    """What TensorBoard's projector reads from `projector_config.pbtxt`.

    Args:
        tables: name, file of vectors, and file of metadata or None, of each embedding.
    """
    from google.protobuf import text_format
    from tensorboard.plugins.projector import projector_config_pb2

    config = projector_config_pb2.ProjectorConfig()
    for name, file, metadata in tables:
        config.embeddings.add(tensor_name=name, tensor_path=file, metadata_path=metadata)
    return text_format.MessageToString(config)
