"""A convnet as it was written for Keras 1: run it with `keras-front run examples/keras1/digits_cnn.py`.

Nothing in it was changed but the data set, which comes with keras_front.
"""
from __future__ import print_function

import numpy as np

from keras.callbacks import EarlyStopping
from keras.datasets import digits
from keras.layers import Dense, Dropout, Activation, Flatten
from keras.layers import Convolution2D, MaxPooling2D
from keras.layers.normalization import BatchNormalization
from keras.models import Sequential, model_from_json
from keras.objectives import categorical_crossentropy
from keras.optimizers import Adadelta
from keras.regularizers import WeightRegularizer
from keras.utils import np_utils

np.random.seed(1337)  # for reproducibility

batch_size = 64
nb_classes = 10
nb_epoch = 6

img_rows, img_cols = 8, 8
nb_filters = 16
pool_size = (2, 2)
kernel_size = (3, 3)

(X_train, y_train), (X_test, y_test) = digits.load_data()
X_train = X_train.reshape(X_train.shape[0], img_rows, img_cols, 1).astype('float32') / 16
X_test = X_test.reshape(X_test.shape[0], img_rows, img_cols, 1).astype('float32') / 16

Y_train = np_utils.to_categorical(y_train, nb_classes)
Y_test = np_utils.to_categorical(y_test, nb_classes)

model = Sequential()
model.add(Convolution2D(nb_filters, kernel_size[0], kernel_size[1],
                        border_mode='same', init='he_normal',
                        input_shape=(img_rows, img_cols, 1), dim_ordering='tf'))
model.add(BatchNormalization(mode=0, axis=-1))
model.add(Activation('relu'))
model.add(Convolution2D(nb_filters, kernel_size[0], kernel_size[1], activation='relu'))
model.add(MaxPooling2D(pool_size=pool_size, border_mode='valid'))
model.add(Dropout(p=0.25))
model.add(Flatten())
model.add(Dense(output_dim=64, W_regularizer=WeightRegularizer(l2=1e-4)))
model.add(Activation('relu'))
model.add(Dense(nb_classes, init='glorot_uniform', activation='softmax'))

model.compile(loss=categorical_crossentropy, optimizer=Adadelta(), metrics=['accuracy'])
history = model.fit(X_train, Y_train, batch_size=batch_size, nb_epoch=nb_epoch, verbose=2,
                    validation_split=0.1, callbacks=[EarlyStopping(patience=3)])


def batches():
    while 1:
        for start in range(0, len(X_train) - batch_size, batch_size):
            yield X_train[start:start + batch_size], Y_train[start:start + batch_size]


model.fit_generator(batches(), samples_per_epoch=640, nb_epoch=2, nb_worker=1, max_q_size=2, verbose=0)
score = model.evaluate(X_test, Y_test, verbose=0)
print('Test score:', score[0])
print('Test accuracy:', score[1], 'best while training:', max(history.history['val_acc']))

again = model_from_json(model.to_json())
again.set_weights(model.get_weights())
assert (again.predict_classes(X_test, verbose=0) == model.predict_classes(X_test, verbose=0)).all()
assert score[1] > 0.9
