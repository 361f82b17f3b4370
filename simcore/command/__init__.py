"""The doors: the command line, the pytest plugin, reports that are reproduced, and claims that are asked again."""
