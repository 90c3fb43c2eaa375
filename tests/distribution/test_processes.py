"""One process a device: `make test-distribution` runs many models in two processes, here are a few of them on torch.

And what decides, in one process, which part of a batch is whose.
"""

from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from keras_front import backend as K
from keras_front import cli
from keras_front.backend import launching, replicas, seeds
from keras_front.backend.placement import Placement
from keras_front.distribution import DataParallel, DeviceMesh, LayoutMap, ModelParallel
from keras_front.errors import BackendError, DistributionError
from keras_front.graph import summary
from keras_front.layers import LSTM, Dense
from keras_front.models import Sequential
from keras_front.optimizers import SGD, Adam, base, sharding
from keras_front.training.data.arrays import BatchLayout
from keras_front.training.steps.replicas import BatchPart

HERE = Path(__file__).parent
pytestmark = pytest.mark.backends("numpy")


@pytest.mark.backends("torch")
def test_models_in_two_processes_are_those_of_one(backend):
    """Torch, gloo, float64: two inputs, noise, batch statistics, an uneven last batch, metrics with a state.

    And once more with the slots of the optimizer divided over the processes, and with the weights divided.
    """
    cases = ["everything", "everything:sharded", "everything:model"]
    words = [sys.executable, str(HERE / "run_in_processes.py"), "torch", *cases]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    said = [line.split()[0] for line in done.stdout.splitlines()]
    assert (done.returncode, said) == (0, ["equal"] * 3), done.stdout + done.stderr


# Which part of a batch -----------------------------------------------------------------------------------------


@pytest.fixture
def group(monkeypatch):
    """As if this were process 1 of 2."""
    how = SimpleNamespace(auto_shard_dataset=True, sync_batch_statistics=True)
    found = SimpleNamespace(rank=1, processes=2, replicas=2, global_view=False, distribution=how)
    monkeypatch.setattr(replicas, "group", lambda: found)
    monkeypatch.setattr(replicas, "together", lambda: found)
    return found


@pytest.fixture
def model():
    return Sequential([Dense(2, input_shape=(3,))])


def test_a_process_takes_its_part_of_the_batch(group, model):
    part, layout = BatchPart(model), BatchLayout(1, 1, (False,))
    assert part.rows(np.arange(6)).tolist() == [3, 4, 5]
    assert part.layout(layout, 6).shares == 2
    part.pieces = 3  # of `fit(accumulate=3)`: each of them is divided
    assert part.rows(np.arange(12)).tolist() == [2, 3, 6, 7, 10, 11]
    assert part.rows(np.arange(10)).tolist() == [5, 6, 7, 8, 9]


def test_what_cannot_be_divided_is_computed_by_all(group, model):
    layout = BatchLayout(1, 1, (False,))
    stateful = Sequential([LSTM(2, stateful=True, batch_input_shape=(4, 3, 2))])
    for part, samples in ((BatchPart(model), 7), (BatchPart(stateful), 4)):
        assert len(part.rows(np.arange(samples))) == samples
        assert part.layout(layout, samples).shares == 1


def test_batches_of_ones_own_are_parts_already(group, model):
    group.distribution.auto_shard_dataset = False
    part = BatchPart(model, stream=True)
    assert part.rows(np.arange(7)).tolist() == list(range(7))
    assert part.samples(7) == 14
    assert part.layout(BatchLayout(1, 1, (False,)), part.samples(7)).shares == 2


def test_without_processes_a_batch_is_whole(model):
    part, rows, layout = BatchPart(model), np.arange(6), BatchLayout(1, 1, (False,))
    assert not part
    assert part.rows(rows) is rows
    assert part.layout(layout, 6) is layout


def test_noise_for_the_whole_batch_is_cut(group, backend):
    """Reproducible noise is that of one process; other noise has a number of its own in each process."""
    seeds.set_random_seed(5, reproducible=True)
    draw = K.compile(lambda x: K.random_uniform((K.int_shape(x)[0], 3)) + 0.0 * x)
    whole = K.to_numpy(draw(K.zeros((4, 3))))

    def drawn(x):
        with replicas.divided(2, 2):
            return K.random_uniform((2, 3)) + 0.0 * x

    seeds.set_random_seed(5, reproducible=True)
    np.testing.assert_array_equal(K.to_numpy(K.compile(drawn)(K.zeros((2, 3)))), whole[2:])
    with replicas.divided(2, 2) as division:
        assert division.has_part_of((4, 3))
        assert not division.has_part_of((3, 3))


def test_one_process_has_nothing_to_share(backend):
    x = K.constant([[1.0, 2.0]])
    np.testing.assert_array_equal(K.to_numpy(K.replica_mean([x])[0]), [[1.0, 2.0]])
    np.testing.assert_array_equal(K.to_numpy(K.replica_gather(x)), [[1.0, 2.0]])
    for call in (lambda: K.replica_mean([x], shares=2), lambda: K.replica_gather(x, shares=2, rank=0)):
        with pytest.raises(BackendError, match="does not connect processes"):
            call()


def test_a_distribution_that_processes_cannot_have_is_an_error():
    placement = Placement(DataParallel(devices=["cpu:0", "cpu:1", "cpu:2"]))
    placement.processes = 2
    with pytest.raises(DistributionError, match="expected a DataParallel over 2 devices"):
        placement.check_one_for_each("torch")
    layouts = LayoutMap(DeviceMesh((1, 2), ["batch", "model"], ["cpu:0", "cpu:1"]))
    with pytest.raises(DistributionError, match="divides batches, not weights"):
        Placement(ModelParallel(layout_map=layouts)).check_one_for_each("tensorflow")


# Slots that belong to one process each ---------------------------------------------------------------------------


def test_weights_are_spread_evenly_and_stay_where_they_are(model):
    big, small = K.variable(np.zeros(100)), [K.variable(np.zeros(10)) for _ in range(4)]
    optimizer = Adam()
    optimizer.build([*small, big])
    ranks = [optimizer.slots_of(w)["m"].keeper(2) for w in (big, *small)]
    assert ranks == [0, 1, 1, 1, 1]
    assert [optimizer.slots_of(w)["v"].keeper(3) for w in (big, *small)] == [0, 1, 2, 1, 2]
    late = K.variable(np.zeros(50))
    assert optimizer.slots_of(late)["m"].keeper(2) == 1
    assert [optimizer.slots_of(w)["m"].keeper(2) for w in (big, *small)] == ranks
    again, weights = copy.deepcopy((optimizer, [big, *small]))
    assert [again.slots_of(w)["m"].keeper(2) for w in weights] == ranks
    assert optimizer.iterations.keeper is None


def test_a_process_updates_its_own_weights_and_is_given_the_rest(group, monkeypatch):
    group.distribution.shard_optimizer_state = True
    group.keeper = lambda slot: None if slot.keeper is None else slot.keeper(2)
    weights, grads = [K.variable([1.0, 2.0, 3.0]), K.variable([4.0])], [K.ones((3,)), K.ones((1,))]
    optimizer = SGD(1.0, momentum=0.9)
    seen = []

    def gather(x, shares, rank):
        seen.append((K.to_numpy(x).tolist(), shares, rank))
        return K.constant([7.0, 8.0, 9.0, *seen[0][0]])

    monkeypatch.setattr(sharding.K, "replica_gather", gather)
    monkeypatch.setattr(base, "mean_gradients", list)
    optimizer.apply(weights, grads)
    assert seen == [([3.0, 0.0, 0.0], 2, 1)]
    assert [w.numpy().tolist() for w in weights] == [[7.0, 8.0, 9.0], [3.0]]
    assert [float(np.sum(slot.numpy())) for w in weights for slot in optimizer.slots_of(w).values()] == [0.0, -1.0]
    with pytest.raises(DistributionError, match="at least one weight with slots for each of 2 processes, received 1"):
        SGD(1.0, momentum=0.9).apply(weights[:1], grads[:1])


def test_the_first_process_alone_prints_a_summary(model, monkeypatch, capsys):
    monkeypatch.setattr(summary, "writes_files", lambda: False)
    model.summary()
    assert capsys.readouterr().out == ""
    lines = []
    model.summary(print_fn=lines.append)
    assert lines


# Starting and losing processes ---------------------------------------------------------------------------------


def test_a_process_that_ends_badly_ends_the_others(capfd):
    code = "import os, sys, time; time.sleep(60) if os.environ['NUMBER'] == '0' else sys.exit(3)"
    assert launching.run([sys.executable, "-c", code], [{"NUMBER": "0"}, {"NUMBER": "1"}]) == 3
    assert "process 1 of 2 (counted from 0) was ended with status 3" in capfd.readouterr().err
    assert launching.run([sys.executable, "-c", "pass"], [{}, {}]) == 0


def test_launch_hands_a_program_to_several_processes(backend, monkeypatch):
    given = []
    monkeypatch.setattr(type(backend), "launch_processes", lambda self, words, count: given.append((words, count)) or 5)
    words = ["launch", "-n", "3", "--backend", "numpy", "--dialect", "keras1", "train.py", "--epochs", "2"]
    assert cli.main(words) == 5
    run = [sys.executable, "-m", "keras_front", "run", "--data-parallel", "--backend", "numpy", "--dialect=keras1"]
    assert given.pop() == ([*run, "train.py", "--epochs", "2"], 3)
    cli.main(["launch", "-m", "package", "-v"])
    assert given.pop() == ([*run[:-1], "-m", "package", "-v"], 2)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-n", "0", "train.py"], "expected at least one process, received -n 0"),
        ([], "expected a script, or -m with a module, or -c with code"),
        (["--backend", "numpy", "train.py"], "'numpy' knows no other processes"),
    ],
)
def test_launch_says_what_it_cannot_do(words, message, capsys):
    assert cli.main(["launch", *words]) == 2
    assert message in capsys.readouterr().err


def test_a_lost_process_is_named():
    assert "Lost process 1 of 2 (counted from 0): no answer within 60 seconds" in str(
        DistributionError.lost([1], 2, 60)
    )
    assert "Lost processes 1, 3 of 4" in str(DistributionError.lost([1, 3], 4, 60))
    assert "do not do the same" in str(DistributionError.lost([], 2, 60))
