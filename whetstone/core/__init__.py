"""Floor 0: values, flows, the driver, the registry and errors. Standard library only."""
