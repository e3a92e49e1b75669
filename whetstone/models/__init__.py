"""Floor 2: backends. Each module holds one kind of model; `load` turns a command line name into one."""
