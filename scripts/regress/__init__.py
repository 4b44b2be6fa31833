# SPDX-License-Identifier: Apache-2.0
"""Run the hardware tests with many seeds, on this machine or over a Dask cluster.

    make regress SEEDS=10 JOBS=4 SIM=icarus TEST='encoder'
    make regress SEEDS=100 SCHEDULER=tcp://host:8786

A job is one test with one seed in a process of its own. Results go to build/regress/.
"""
