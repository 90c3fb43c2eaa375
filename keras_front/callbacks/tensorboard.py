"""`TensorBoard`: what happens in training, as files that TensorBoard shows."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from keras_front import backend as K
from keras_front import conventions
from keras_front.arguments import Count, Path
from keras_front.backend.placement import path_to_write
from keras_front.callbacks import event_files
from keras_front.callbacks.base import Callback
from keras_front.compatibility import reject_unknown
from keras_front.errors import ArgumentError
from keras_front.tracebacks import warn_user
from keras_front.utils.vis_utils import model_to_dot

NOT_VALUES = ("batch", "size")


class TensorBoard(Callback):
    """Writes logs for TensorBoard: `tensorboard --logdir logs` shows them.

    Values of training go into the folder `train`, those of validation into `validation`, as `epoch_loss`, `batch_loss`,
    `evaluation_loss_vs_iterations`; this is the form of tf.keras, which Keras 2.3 writes as well. In the dialects
    'keras1' and 'keras2.2' all go into `log_dir` itself under their names in the logs (`loss`, `val_loss`), in the form
    of TensorFlow 1. Needs the package `tensorboard` (pip install 'keras-front[tensorboard]'), and no TensorFlow.

    Args:
        log_dir: the folder.
        histogram_freq: epochs between two histograms of all weights; 0 for none. In the form of TensorFlow 1 outputs of
            layers for the validation data come with them, where `validation_data` is known.
        batch_size: samples at once when outputs of layers are computed.
        write_graph: write the graph of the layers; None does as well.
        write_grads: in the form of TensorFlow 1, write histograms of the gradients for the validation data beside those
            of the weights. Otherwise accepted with a warning, as in tf.keras: gradients are not written.
        write_images: write weights as pictures, whenever their histograms are written.
        embeddings_freq: epochs between two tables of the vectors of embedding layers; 0 for none.
        embeddings_layer_names: names of these layers; by default all of the class `Embedding`.
        embeddings_metadata: name of the file with the words of the vectors, or a dict of such names by layer.
        embeddings_data: inputs of the model, for which the outputs of these layers are written in the place of their
            weights.
        update_freq: 'epoch'; 'batch' to write losses and metrics after each batch as well; or after how many batches
            (in the form of TensorFlow 1: samples).
        write_steps_per_second: write how many steps a second were made.
        profile_batch: accepted with a warning unless it is 0: nothing is profiled.
        **kwargs: nothing; a name that is none of these is an error.

    Raises: MissingPackageError (an ImportError) without the package `tensorboard`; ArgumentError for another
        `update_freq`, for metadata of layers that the model does not have, and in the form of TensorFlow 1 for
        histograms without validation data and embeddings without data.
    Source: Keras 2.2.4, `keras/callbacks.py`; tf.keras 2.15, `keras/src/callbacks.py`.

    Example:
        >>> board = TensorBoard("logs", histogram_freq=1)  # fit(..., callbacks=[board]); tensorboard --logdir logs
    """

    def __init__(
        self,
        log_dir: Path = "./logs",
        histogram_freq: Count = 0,
        batch_size: int | None = 32,
        write_graph: bool | None = None,
        write_grads: bool = False,
        write_images: bool = False,
        embeddings_freq: Count = 0,
        embeddings_layer_names: Sequence[str] | None = None,
        embeddings_metadata: str | Mapping[str, str] | None = None,
        embeddings_data: Any = None,
        update_freq: str | int = "epoch",
        write_steps_per_second: bool = False,
        profile_batch: Any = 0,
        **kwargs: Any,
    ):
        super().__init__()
        reject_unknown("TensorBoard", kwargs, TensorBoard)
        if isinstance(batch_size, bool):  # `TensorBoard(logs, 0, True, False)`: Keras 1 and tf.keras have no batch size
            write_graph, write_images = batch_size, bool(write_graph)
            batch_size = None
        event_files.messages()
        self.log_dir, self.histogram_freq, self.batch_size = os.fspath(log_dir), histogram_freq, batch_size or 32
        self.write_graph, self.write_grads, self.write_images = write_graph in (None, True), write_grads, write_images
        self.embeddings_freq, self.embeddings_layer_names = embeddings_freq, embeddings_layer_names
        self.embeddings_metadata, self.embeddings_data = embeddings_metadata, embeddings_data
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self.write_steps_per_second = write_steps_per_second
        self._plain = conventions.current().flat_event_files
        self._writers: dict[str, event_files.EventWriter] = {}
        self._drawn: Any = None  # the model whose graph was written
        self._batches = self._seen = self._written = 0
        self._started = time.perf_counter()
        self._check(write_grads, profile_batch)

    def _check(self, write_grads: bool, profile_batch: Any) -> None:
        if self.update_freq != "epoch":
            if not isinstance(self.update_freq, int) or self.update_freq < 1:
                raise ArgumentError(
                    f"TensorBoard: expected update_freq 'epoch', 'batch' or a whole number, received "
                    f"{self.update_freq!r}."
                )
            self.on_train_batch_end = self._after_batch  # type: ignore[method-assign]
        if write_grads and not self._plain:
            warn_user("TensorBoard: write_grads is ignored; gradients are not written.")
        if profile_batch:
            warn_user("TensorBoard: profile_batch is ignored; nothing is profiled.")

    # When it writes ---------------------------------------------------------------------------------------

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        if self.write_graph and self._drawn is not model:
            self._drawn = model
            self._write_graph()
        if self.embeddings_freq:
            self._check_metadata()

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._started, self._batches_before = time.perf_counter(), self._iterations()

    def _after_batch(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        logs = logs or {}
        self._batches += 1
        self._seen += logs.get("size", 0)
        done = self._seen if self._plain else self._batches
        if done - self._written < self.update_freq:  # type: ignore[operator]
            return
        self._written = done
        for name, value in logs.items():
            if name not in NOT_VALUES:
                self._scalar("train", name if self._plain else f"batch_{name}", value, done)
        if self.write_steps_per_second:
            made, seconds = self._iterations() - self._batches_before, time.perf_counter() - self._started
            self._scalar("train", "batch_steps_per_second", made / max(seconds, 1e-9), done)
        self._flush()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._check_data()
        step = self._seen if self._plain and self.update_freq != "epoch" else epoch
        for name, value in {**(logs or {}), **self._further_values()}.items():
            if name in NOT_VALUES:
                continue
            kind = "validation" if name.startswith("val_") else "train"
            self._scalar(kind, name if self._plain else f"epoch_{name.removeprefix('val_')}", value, step)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
            self._write_outputs(epoch)
            self._write_gradients(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._write_embeddings()
        self._flush()

    def _check_data(self) -> None:
        """Keras 2.2 asked for the data that histograms and embeddings are computed of."""
        if self._plain and self.histogram_freq and not self.validation_data:
            raise ArgumentError(
                "TensorBoard: if printing histograms, validation_data must be provided, and cannot be a generator."
            )
        if self._plain and self.embeddings_freq and self.embeddings_data is None:
            raise ArgumentError("TensorBoard: to visualize embeddings, embeddings_data must be provided.")

    def on_test_end(self, logs: Mapping[str, Any] | None = None) -> None:
        if self._plain or self.model.optimizer is None:
            return
        for name, value in (logs or {}).items():
            self._scalar("validation", f"evaluation_{name}_vs_iterations", value, self._iterations())
        self._flush()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        for writer in self._writers.values():
            writer.close()

    # What it writes ---------------------------------------------------------------------------------------

    def _writer(self, kind: str) -> event_files.EventWriter:
        """The file of 'train' or 'validation'; in the form of TensorFlow 1 there is one."""
        kind = "" if self._plain else kind
        if kind not in self._writers:
            self._writers[kind] = event_files.EventWriter(path_to_write(os.path.join(self.log_dir, kind)))
        return self._writers[kind]

    def _flush(self) -> None:
        for writer in self._writers.values():
            writer.flush()

    def _scalar(self, kind: str, tag: str, value: Any, step: int) -> None:
        if np.ndim(value) == 0:
            self._writer(kind).add(event_files.scalar(tag, value, self._plain), step)

    def _iterations(self) -> int:
        steps = getattr(self.model.optimizer, "_iterations", None)
        return 0 if steps is None else int(K.get_value(steps))

    def _further_values(self) -> dict[str, float]:
        """What tf.keras adds to the values of an epoch."""
        found = {}
        if getattr(self.model.optimizer, "is_scheduled", False):
            found["learning_rate"] = float(K.get_value(self.model.optimizer.lr))
        if self.write_steps_per_second:
            seconds = max(time.perf_counter() - self._started, 1e-9)
            found["steps_per_second"] = (self._iterations() - self._batches_before) / seconds
        return found

    def _write_graph(self) -> None:
        writer = self._writer("train")
        writer.add_graph(event_files.graph_of(model_to_dot(self.model, expand_nested=True)))
        if not self._plain:
            try:
                writer.add(event_files.keras_model(self.model.to_json()), 0)
            except (
                NotImplementedError,
                ValueError,
                TypeError,
            ) as error:  # a subclass, or a config that JSON cannot hold
                warn_user(f"TensorBoard: the model has no config, so its conceptual graph is not written: {error}")
        writer.flush()

    def _weights(self) -> Iterator[tuple[str, np.ndarray]]:
        for layer in self.model.layers:
            for weight in layer.weights:
                yield weight.name.replace(":", "_"), np.asarray(K.get_value(weight))

    def _write_weights(self, epoch: int) -> None:
        writer, plain = self._writer("train"), self._plain
        for name, value in self._weights():
            writer.add(event_files.histogram(name if plain else f"{name}/histogram", value, plain), epoch)
            pictures = event_files.pictures_of(value) if self.write_images else None
            if pictures is not None and pictures.size:
                for summary in event_files.image(name if plain else f"{name}/image", pictures, plain):
                    writer.add(summary, epoch)

    def _write_outputs(self, epoch: int) -> None:
        """Histograms of what layers give for the validation data, as Keras 2.2 wrote them."""
        if not self._plain or not self.validation_data or not self.model.inputs:
            return
        data = list(self.validation_data)[: len(self.model.inputs)]
        for layer in self.model.layers:
            outputs = layer.output if isinstance(layer.output, list) else [layer.output]
            for i, output in enumerate(outputs):
                tag = f"{layer.name}_out" if len(outputs) == 1 else f"{layer.name}_out_{i}"
                values = self._computed(output, data)
                self._writer("train").add(event_files.histogram(tag, values, True), epoch)

    def _write_gradients(self, epoch: int) -> None:
        """Histograms of the gradients of the loss for the validation data, as Keras 2.2 wrote them."""
        if not (self._plain and self.write_grads and self.validation_data):
            return
        model, weights = self.model, self.model.trainable_weights
        tensors = [*model.inputs, *model.targets, *model.sample_weights]
        function = K.function([*tensors, K.learning_phase()], K.gradients(model.total_loss, weights))
        arrays = [np.asarray(array) for array in list(self.validation_data)[: len(tensors)]]
        total, rows = [0.0] * len(weights), len(arrays[0])
        for batch in self._batches_of(arrays):
            found = function([*batch, 0])
            total = [t + np.asarray(g) * (len(batch[0]) / rows) for t, g in zip(total, found, strict=True)]
        for weight, gradient in zip(weights, total, strict=True):
            tag = f"{weight.name.replace(':', '_')}_grad"
            self._writer("train").add(event_files.histogram(tag, gradient, True), epoch)

    def _batches_of(self, arrays: Sequence[np.ndarray]) -> Iterator[list[np.ndarray]]:
        for start in range(0, len(arrays[0]), self.batch_size):
            yield [array[start : start + self.batch_size] for array in arrays]

    def _computed(self, tensor: Any, data: Sequence[Any]) -> np.ndarray:
        """The values of a tensor of the model, for inputs of any number."""
        function = K.function(self.model.inputs, [tensor])
        arrays = [np.asarray(array) for array in data]
        return np.concatenate([np.asarray(function(batch)[0]) for batch in self._batches_of(arrays)])

    # Embeddings -------------------------------------------------------------------------------------------

    def _embedding_layers(self) -> list[Any]:
        names = self.embeddings_layer_names
        if not names:
            return [layer for layer in self.model.layers if type(layer).__name__ == "Embedding"]
        return [layer for layer in self.model.layers if layer.name in names]

    def _check_metadata(self) -> None:
        given = self.embeddings_metadata
        names = {layer.name for layer in self._embedding_layers()}
        unknown = sorted(set(given) - names) if isinstance(given, Mapping) else []
        if unknown:
            raise ArgumentError(
                f"TensorBoard: unrecognized `Embedding` layer names in embeddings_metadata: {unknown}; "
                f"the model has {sorted(names)}."
            )

    def _write_embeddings(self) -> None:
        folder = path_to_write(self.log_dir)
        os.makedirs(folder, exist_ok=True)
        tables, given = [], self.embeddings_metadata
        for layer in self._embedding_layers():
            file = f"keras_embedding-{layer.name.replace('/', '_')}.tsv"
            event_files.embedding_table(os.path.join(folder, file), self._vectors(layer))
            metadata = given.get(layer.name) if isinstance(given, Mapping) else given
            tables.append((f"{layer.name}_embedding", file, metadata))
        with open(os.path.join(folder, "projector_config.pbtxt"), "w", encoding="utf-8") as out:
            out.write(event_files.projector_config(tables))

    def _vectors(self, layer: Any) -> np.ndarray:
        if self.embeddings_data is None:
            return np.asarray(K.get_value(layer.weights[0]))
        data = self.embeddings_data if isinstance(self.embeddings_data, list | tuple) else [self.embeddings_data]
        outputs = self._computed(layer.output, data)
        return outputs.reshape(len(outputs), -1)
