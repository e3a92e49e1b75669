"""Floor 2: examples with exact verifiers, from generated worlds and from files."""
