"""Whetstone: evaluate a language model, audit the evaluator, improve the model with what holds up."""
