"""Continuous batching for causal language models: sampling, scoring and embedding of ragged rows."""
