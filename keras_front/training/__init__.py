"""Training: one trainer for every engine, over pure steps. Knows networks and K; knows no engine."""
