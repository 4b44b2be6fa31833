"""The report: footprints of the zoo under APack and under what it is compared with."""
