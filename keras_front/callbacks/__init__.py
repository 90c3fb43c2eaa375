"""Callbacks: what is called before and after batches, epochs and training."""

from keras_front.callbacks.backup import BackupAndRestore, SwapEMAWeights, with_backup
from keras_front.callbacks.base import Callback, as_list, in_every_fit
from keras_front.callbacks.callback_list import CallbackList
from keras_front.callbacks.checkpoint import ModelCheckpoint
from keras_front.callbacks.functional import LambdaCallback
from keras_front.callbacks.history import BaseLogger, CSVLogger, History, RemoteMonitor
from keras_front.callbacks.plots import PlotHistory
from keras_front.callbacks.profile_report import Profile
from keras_front.callbacks.profiler import Profiler
from keras_front.callbacks.progress import ProgbarLogger
from keras_front.callbacks.rate_finder import LearningRateFinder
from keras_front.callbacks.schedule import LearningRateScheduler, ReduceLROnPlateau
from keras_front.callbacks.stopping import EarlyStopping, TerminateOnNaN
from keras_front.callbacks.tensorboard import TensorBoard
from keras_front.missing_names import only_these

__all__ = [
    "BackupAndRestore",
    "BaseLogger",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateFinder",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "Profile",
    "Profiler",
    "PlotHistory",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
    "as_list",
    "in_every_fit",
    "with_backup",
]


__getattr__ = only_these(__name__)
