# SPDX-License-Identifier: Apache-2.0
"""Write what follows from the RTL: file lists, register maps, tables of the pages, timing diagrams.

    make docs

What a page shows of simulations comes from tb/<system>/pages.py.
"""
