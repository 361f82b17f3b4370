"""A sweep is the same on the workers of a Dask cluster, in processes and here."""

import pytest
from click.testing import CliRunner
from distributed import LocalCluster

from simcore import sweep
from simcore.command.cli import cli

GRID = {"roots": [1, 2], "depth": range(1, 5), "workers": range(1, 33)}


@pytest.fixture
def cluster():
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as found:
        yield found


@pytest.mark.slow
def test_256_cells_are_the_same_on_dask_in_processes_and_here(cluster):
    with cluster.get_client() as client:
        there = sweep("nested_futures:one_pool", executor=client.get_executor(), **GRID)
    assert len(there) == 256
    assert there == sweep("nested_futures:one_pool", executor="here", **GRID)
    assert there == sweep("nested_futures:one_pool", jobs=2, **GRID)


@pytest.mark.slow
def test_the_command_takes_the_address_of_a_scheduler(cluster):
    arguments = ["sweep", "nested_futures:one_pool", "-p", "depth=2", "-p", "workers=1..4"]
    ran = CliRunner().invoke(cli, [*arguments, "--dask", cluster.scheduler_address], standalone_mode=False)
    assert ran.exception is None
    assert ran.return_value == 1
    assert "4 cells: " in ran.output
