"""Programs that are run and never imported: trainers and converters, one readable file each.

They live in environments of their own, know nothing of Goldsmith but `goldsmith.wire`, and are started by `jobs`.
"""
