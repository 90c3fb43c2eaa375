"""The list of callbacks: what counts as a hook, what is called, what costs nothing."""

from __future__ import annotations

import pytest

from keras_front import callbacks as C
from keras_front import layers, models
from keras_front.callbacks.base import HOOKS, is_improvement, monitored
from keras_front.errors import ArgumentError


class Noted(C.Callback):
    def __init__(self):
        super().__init__()
        self.calls = []

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append(("epoch", epoch, logs))

    def on_batch_end(self, batch, logs=None):
        self.calls.append(("batch", batch, logs))


def test_the_base_class_listens_to_nothing():
    callbacks = C.CallbackList([C.Callback()])
    assert [callbacks.hooks(hook) for hook in HOOKS] == [[]] * len(HOOKS)


def test_overriding_the_old_name_of_a_batch_hook_is_enough():
    noted = Noted()
    callbacks = C.CallbackList([noted])
    assert len(callbacks.hooks("on_train_batch_end")) == 1
    callbacks.on_train_batch_end(3, {"loss": 1.0})
    callbacks.on_batch_end(4)
    callbacks.on_epoch_end(0, {"loss": 2.0})
    assert noted.calls == [("batch", 3, {"loss": 1.0}), ("batch", 4, {}), ("epoch", 0, {"loss": 2.0})]


def test_paced_callbacks_do_not_ask_for_every_batch():
    class Slow(Noted):
        refresh_every = 2.0

    callbacks = C.CallbackList([Slow(), C.ProgbarLogger()])
    assert callbacks.hooks("on_train_batch_end") == []
    assert [s for s, _ in callbacks.timed_hooks("on_train_batch_end")] == [2.0, 0.15]
    assert len(callbacks.hooks("on_epoch_end")) == 2


def test_a_callback_of_another_family_is_called_too():
    class Duck:
        seen = None

        def set_model(self, model):
            self.model = model

        def set_params(self, params):
            self.params = params

        def on_epoch_end(self, epoch, logs=None):
            self.seen = epoch

    duck = Duck()
    callbacks = C.CallbackList([duck])
    callbacks.set_model("m")
    callbacks.set_params({"epochs": 1})
    callbacks.on_train_begin()
    callbacks.on_epoch_end(7)
    assert (duck.seen, duck.model, duck.params) == (7, "m", {"epochs": 1})


def test_lambda_callback_has_only_the_hooks_it_was_given():
    seen = []
    callback = C.LambdaCallback(on_batch_begin=lambda b, logs: seen.append(b), on_test_end=seen.append)
    callbacks = C.CallbackList([callback])
    callbacks.on_train_batch_begin(5)
    callbacks.on_test_end({"loss": 1})
    assert seen == [5, {"loss": 1}]
    assert callbacks.hooks("on_epoch_end") == []


def test_lambda_callback_refuses_unknown_hooks():
    with pytest.raises(ArgumentError, match="there is no hook 'on_epoch_finish'"):
        C.LambdaCallback(on_epoch_finish=print)
    with pytest.raises(ArgumentError, match="expected a function for on_epoch_end"):
        C.LambdaCallback(on_epoch_end=3)


@pytest.mark.parametrize(
    ("mode", "monitor", "rises"),
    [("auto", "val_loss", False), ("auto", "val_acc", True), ("max", "loss", True), ("min", "acc", False)],
)
def test_direction_of_improvement(mode, monitor, rises):
    better, worst, sign = is_improvement(mode, monitor)
    assert better(2, 1) is rises
    assert better(0, worst)
    assert sign == (1 if rises else -1)


def test_an_unknown_mode_is_an_error():
    with pytest.raises(ArgumentError, match="expected 'auto', 'min' or 'max', received 'up'"):
        C.EarlyStopping(mode="up")


def test_monitored_values_answer_to_both_spellings():
    assert monitored({"val_accuracy": 0.5}, "val_acc") == 0.5
    assert monitored({"acc": 0.5}, "accuracy") == 0.5
    assert monitored({"loss": 0.5}, "acc") is None


def test_a_list_of_callbacks_for_a_loop_of_ones_own(capsys):
    model = models.Sequential([layers.Dense(1, input_shape=(3,))])
    seen = []
    own = C.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append((epoch, logs["loss"])))
    listed = C.CallbackList([own], add_history=True, add_progbar=True, model=model, epochs=1, steps=2, verbose=1)
    listed.on_train_begin()
    listed.on_epoch_begin(0)
    for batch in range(2):
        listed.on_train_batch_begin(batch)
        listed.on_train_batch_end(batch, {"loss": 0.5})
    listed.on_epoch_end(0, {"loss": 0.5})
    listed.on_train_end()
    assert seen == [(0, 0.5)]
    assert model.history.history == {"loss": [0.5]}
    assert own.params["epochs"] == 1
    assert own.model is model
    assert "2/2" in capsys.readouterr().out
    assert C.CallbackList(own, True)._history is not None
    history = C.History()
    assert C.CallbackList([history], add_history=True).callbacks == [history]
    assert C.CallbackList([own], queue_length=3).callbacks == [own]
