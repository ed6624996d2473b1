"""What is asserted in a suite that others run is told as well as in a test file."""

import pytest

pytest.register_assert_rewrite("tests.contract.training", "tests.contract.job_folder")
