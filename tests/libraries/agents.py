"""keras-rl: agents that learn by Q-values (double, dueling), by SARSA and by actor and critic, in a world of noise."""

import numpy as np
from keras.layers import Activation, Concatenate, Dense, Flatten, Input
from keras.models import Model, Sequential
from keras.optimizers import Adam
from rl.agents import DDPGAgent, SARSAAgent
from rl.agents.dqn import DQNAgent
from rl.memory import SequentialMemory
from rl.policy import BoltzmannQPolicy, EpsGreedyQPolicy, LinearAnnealedPolicy
from rl.random import OrnsteinUhlenbeckProcess


class World:
    """Twenty steps of noise; odd sums of actions are rewarded."""

    def reset(self):
        self.steps, self.random = 0, np.random.RandomState(0)
        return self.random.rand(4)

    def step(self, action):
        self.steps += 1
        return self.random.rand(4), float(np.sum(action)) % 2, self.steps >= 20, {}

    def render(self, mode="human", close=False):
        pass

    def close(self):
        pass


def net(outputs=2, activation="linear"):
    return Sequential(
        [Flatten(input_shape=(1, 4)), Dense(8), Activation("relu"), Dense(outputs), Activation(activation)]
    )


def memory():
    return SequentialMemory(limit=500, window_length=1)


annealed = LinearAnnealedPolicy(EpsGreedyQPolicy(), "eps", 1.0, 0.1, 0.05, 100)
for options in (dict(policy=annealed, enable_double_dqn=True), dict(policy=BoltzmannQPolicy(), enable_dueling_network=True)):
    agent = DQNAgent(net(), memory=memory(), nb_actions=2, nb_steps_warmup=10, target_model_update=1e-2, **options)
    agent.compile(Adam(lr=1e-3), metrics=["mae"])
    before = agent.model.get_weights()[0]
    assert len(agent.fit(World(), nb_steps=40, visualize=False, verbose=2).history["episode_reward"]) == 2
    assert not np.allclose(before, agent.model.get_weights()[0])
    agent.save_weights("agent.h5f", overwrite=True)
    agent.load_weights("agent.h5f")

agent = SARSAAgent(model=net(), nb_actions=2, nb_steps_warmup=10, policy=BoltzmannQPolicy())
agent.compile(Adam(lr=1e-3), metrics=["mae"])
agent.fit(World(), nb_steps=40, visualize=False, verbose=1)

action, seen = Input((1,)), Input((1, 4))
critic = Model([action, seen], Dense(1)(Dense(8, activation="relu")(Concatenate()([action, Flatten()(seen)]))))
agent = DDPGAgent(
    nb_actions=1, actor=net(1, "tanh"), critic=critic, critic_action_input=action, memory=memory(), gamma=0.99,
    nb_steps_warmup_critic=10, nb_steps_warmup_actor=10, target_model_update=1e-3,
    random_process=OrnsteinUhlenbeckProcess(size=1, theta=0.15, mu=0.0, sigma=0.3),
)  # fmt: skip
agent.compile(Adam(lr=0.001, clipnorm=1.0), metrics=["mae"])
before = agent.actor.get_weights()[0]
agent.fit(World(), nb_steps=40, visualize=False, verbose=1, nb_max_episode_steps=20)
assert not np.allclose(before, agent.actor.get_weights()[0])
