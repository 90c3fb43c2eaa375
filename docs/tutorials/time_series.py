# %% [markdown]
# # Time series: how many bicycles tomorrow?
#
# At a bridge, bicycles are counted every hour. We want to know today how many there will be in each hour of tomorrow.
# The counts here are made up, but in the way of real ones: they have a rhythm of the day and of the week, they depend
# on the weather, and the rest is chance. Since we made them, we know that there is something to find, and how much is
# chance.
#
# ## The data

# %% Two weeks of counts; the wet days are shaded
import matplotlib.pyplot as plt
import numpy as np

from keras_front import set_random_seed
from keras_front.callbacks import EarlyStopping
from keras_front.layers import GRU, Dense
from keras_front.models import Sequential
from keras_front.optimizers import Adam
from keras_front.utils import timeseries_dataset_from_array

random = np.random.default_rng(0)
WEEKS = 30
hours = np.arange(WEEKS * 7 * 24)
hour, weekday = hours % 24, hours // 24 % 7
weekend = weekday >= 5


def peak(at, width):
    return np.exp(-(((hour - at) / width) ** 2))


rhythm = np.where(weekend, 120 * peak(14, 4), 200 * peak(8, 1.5) + 170 * peak(17, 2) + 50 * peak(12, 4))
rain = np.zeros(WEEKS * 7)  # 0 is dry, 1 is wet; a wet day is often followed by another one
for day in range(1, len(rain)):
    rain[day] = random.random() < (0.75 if rain[day - 1] else 0.2)
rain = rain.repeat(24)
counts = random.poisson(rhythm * np.where(rain, 0.45, 1.0) + 4)

plt.figure(figsize=(9, 2.6))
shown = slice(0, 14 * 24)
plt.plot(hours[shown] / 24, counts[shown], linewidth=1)
plt.fill_between(hours[shown] / 24, 0, 230 * rain[shown], alpha=0.15, step="post")
plt.xlabel("day (the first is a Monday)")
plt.ylabel("bicycles an hour")
plt.show()

# %% [markdown]
# Two peaks on working days, a gentle hill at weekends, and half as many when it rains.
#
# ## What the net sees
#
# Each hour becomes a row of numbers: the count, divided by 100 so that it is about one, whether it rains, and the time.
# Time is given as the sine and cosine of the hour and of the day of the week, as on the dial of a clock, so that 23
# o'clock and midnight are neighbours. The net sees the last 48 rows and has to say the next 24 counts.
#
# The past is for learning and the future is for the test, in this order. Whoever shuffles hours into training and test
# set lets the net look at the hour before and the hour after, and measures nothing.

# %%
PAST, AHEAD = 48, 24
day, week = 2 * np.pi * hour / 24, 2 * np.pi * (weekday + hour / 24) / 7
rows = np.stack([counts / 100, rain, np.sin(day), np.cos(day), np.sin(week), np.cos(week)], axis=1).astype("float32")


def windows(first_week, last_week, shuffle=False):
    part = rows[first_week * 168 : last_week * 168]
    next_counts = np.lib.stride_tricks.sliding_window_view(part[PAST:, 0], AHEAD)
    return timeseries_dataset_from_array(
        part[:-AHEAD], next_counts, sequence_length=PAST, batch_size=64, shuffle=shuffle, seed=1
    )


training, validation, test = windows(0, 20, shuffle=True), windows(20, 24), windows(24, 30)
for x, y in test:
    print("a batch:", x.shape, "->", y.shape)
    break

# %% [markdown]
# ## First, the simple ways
#
# No net without something to beat. Two forecasts need no learning: tomorrow will be as today was, and tomorrow will be
# as the same day a week ago. The error is the mean absolute one, in bicycles an hour.

# %%
begin = np.arange(24 * 168 + PAST, 30 * 168 - AHEAD + 1)  # where the forecasts of the test weeks begin
ahead = begin[:, np.newaxis] + np.arange(AHEAD)
errors = {
    "as the day before": np.abs(counts[ahead] - counts[ahead - 24]).mean(),
    "as a week before": np.abs(counts[ahead] - counts[ahead - 168]).mean(),
}
for name, error in errors.items():
    print(f"{name}: wrong by {error:.1f} bicycles an hour")

# %% [markdown]
# ## The net
#
# A `GRU` reads the rows one after the other and keeps a memory of 32 numbers; `Dense` turns the memory at the end into
# 24 counts. `EarlyStopping` ends the training when the validation weeks stop getting better, and goes back to the best
# weights.

# %% The error while it learns
set_random_seed(1)
model = Sequential([GRU(32, input_shape=(PAST, rows.shape[1])), Dense(AHEAD)])
model.compile(Adam(0.005), "mae")
history = model.fit(
    training, epochs=14, validation_data=validation, verbose=0,
    callbacks=[EarlyStopping(patience=4, restore_best_weights=True)],
)
errors["the net"] = 100 * model.evaluate(test, verbose=0)
for name, error in errors.items():
    print(f"{name}: wrong by {error:.1f} bicycles an hour")

plt.figure(figsize=(6, 2.8))
plt.plot(100 * np.array(history.history["loss"]), label="training weeks")
plt.plot(100 * np.array(history.history["val_loss"]), label="validation weeks")
plt.axhline(errors["as a week before"], color="gray", linestyle="dotted", label="as a week before")
plt.xlabel("epoch")
plt.ylabel("error, bicycles an hour")
plt.legend()
plt.show()

# %% [markdown]
# The net is wrong by little more than half of what the better simple way is wrong by. It had to find the rhythm of the
# day, the difference of weekends, and what rain does, from 20 weeks of rows; nobody told it about any of these. Both
# lines end close to each other: it has not learnt the training weeks by heart.
#
# An error is a number; look at the forecasts, too.

# %% Ten days of the test weeks: each midnight the net says the whole next day
predictions = 100 * model.predict(test, verbose=0)
midnights = np.flatnonzero(begin % 24 == 0)[:10]
plt.figure(figsize=(9, 2.8))
true_hours = ahead[midnights].ravel()
plt.plot(true_hours / 24, counts[true_hours], label="counted", linewidth=1, color="gray")
plt.plot(true_hours / 24, predictions[midnights].ravel(), label="forecast at midnight", color="tab:orange")
plt.fill_between(true_hours / 24, 0, 230 * rain[true_hours], alpha=0.15, step="post", label="rain")
plt.xlabel("day")
plt.ylabel("bicycles an hour")
plt.ylim(0, 330)
plt.legend(loc="upper center", ncol=3)
plt.show()

# %% [markdown]
# On dry days the forecast is nearly the truth, a little low at the peaks, for it might have rained. The days on which
# it fails are the interesting ones. The rain on day 174 came unannounced: at midnight nobody could know it. The
# midnight after, it has rained all day, so the net expects fewer bicycles, since rain likes to go on; and it clears up.
# It is wrong twice, and right to be: with what it knows, these are the best guesses on the average of many days.
#
# How much better could one be? We made the counts, so we can tell: even who knows tomorrow's weather is left with
# chance.

# %%
known_weather = rhythm * np.where(rain, 0.45, 1.0) + 4
print(f"chance alone: {np.abs(counts[ahead] - known_weather[ahead]).mean():.1f} bicycles an hour")

# %% tags=["remove-cell"]
assert errors["the net"] < 0.85 * min(errors["as the day before"], errors["as a week before"])

# %% [markdown]
# Between 4 and 10 bicycles lies tomorrow's weather. A larger net would not find it in the past, but a weather forecast
# as one more column would bring much of it. Knowing what the rest of the error *is* tells you what to do next.
#
# ## Where to go on
#
# - [Sequences and masks](../guides/sequences.md): recurrent layers, series of unequal length.
# - [Data of all kinds](../data.md): tables, data sets, and series that do not fit in memory.
